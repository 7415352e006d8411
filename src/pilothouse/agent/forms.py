"""Forms of HTML pages, as a person without JavaScript would send them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

MOST_FORMS = 20
MOST_FIELDS = 200
_TYPED = ("text", "email", "tel", "")
_NAMING = ("user", "login", "email", "account")
_SAYING_NO = ("cancel", "deny", "abort", "decline", "reject", "back", "no")


@dataclass(slots=True)
class Field:
    """An input with a name, as it is before anybody typed."""

    name: str
    kind: str
    value: str = ""
    checked: bool = True
    hints: str = ""  # id, autocomplete, class: what it may be for


@dataclass(slots=True)
class Form:
    """A form; `buttons` are those that send it."""

    action: str = ""
    method: str = "GET"
    encoding: str = ""
    fields: list[Field] = field(default_factory=list)
    buttons: list[Field] = field(default_factory=list)

    @property
    def password(self) -> Field | None:
        """Where the password goes."""
        return next((one for one in self.fields if one.kind == "password"), None)

    @property
    def typed(self) -> list[Field]:
        """What can be typed into in the open."""
        return [one for one in self.fields if one.kind in _TYPED]

    @property
    def username(self) -> Field | None:
        """Where the name goes: what says that it is for one; beside a password, the first."""
        said = [one for one in self.typed if any(word in one.hints for word in _NAMING)]
        others = self.typed if self.password is not None else []
        return next(iter(said or others), None)

    def answered(self, filled: Mapping[str, str]) -> dict[str, str]:
        """What is sent: the fields as they are, some filled, and the button that says yes."""
        sent = {one.name: one.value for one in self.fields if one.checked}
        button = next((one for one in self.buttons if not _says_no(one)), None)
        if button is not None and button.name:
            sent[button.name] = button.value
        return sent | dict(filled)

    def sent(self, page: str, filled: Mapping[str, str]) -> tuple[str, str, bytes]:
        """Method, address and body of the request that sends it from this page."""
        body, url = urlencode(self.answered(filled)), urljoin(page, self.action or page)
        if self.method == "POST":
            return "POST", url, body.encode()
        return "GET", f"{url.partition('?')[0]}?{body}", b""


def _says_no(button: Field) -> bool:
    words = f"{button.name} {button.value} {button.hints}".lower().replace("-", " ").split()
    return any(word in _SAYING_NO for word in words)


def found(page: str) -> list[Form]:
    """The forms of a page, in their order."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.forms


class _Reader(HTMLParser):
    """Collects forms with their fields."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._button: Field | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form" and len(self.forms) < MOST_FORMS:
            method = said.get("method", "get").upper()
            self._open = Form(said.get("action", ""), method, said.get("enctype", ""))
            self.forms.append(self._open)
        elif tag in {"input", "button"} and self._open is not None:
            self._field(tag, said, self._open)

    def _field(self, tag: str, said: dict[str, str], form: Form) -> None:
        kind = said.get("type", "submit" if tag == "button" else "text").lower()
        hints = " ".join(said.get(name, "") for name in ("name", "id", "autocomplete", "class"))
        one = Field(said.get("name", ""), kind, said.get("value", ""), hints=hints.lower())
        if kind in {"submit", "image"}:
            form.buttons.append(one)
            self._button = one if tag == "button" else None
        elif kind not in {"button", "reset", "file"} and one.name:
            if kind in {"checkbox", "radio"}:
                one.checked = "checked" in said
                one.value = said.get("value", "on")
            if len(form.fields) < MOST_FIELDS:
                form.fields.append(one)

    def handle_data(self, data: str) -> None:
        if self._button is not None:
            self._button.hints += f" {data.strip().lower()}"

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "button":
            self._button = None
