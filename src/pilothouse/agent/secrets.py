"""`${secret:NAME}` in checks: filled in at the agent, and taken out of what it tells.

They come from PILOTHOUSE_SECRET_<NAME> or a file of lines `NAME=value`, and go nowhere else.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec

from pilothouse.checks.model.documents import CheckSpec
from pilothouse.kernel.errors import Invalid

NAMED = re.compile(r"\$\{secret:([A-Za-z0-9_][A-Za-z0-9_.-]{0,99})\}")
ENVIRONMENT = "PILOTHOUSE_SECRET_"
HIDDEN = "***"
SHORTEST = 4  # letters: taking out "a" would take out everything
MOST_BYTES = 1_048_576
_ESCAPED = {ord("\\"): "\\\\", ord('"'): '\\"', ord("'"): "\\'", 10: "\\n", 13: "\\r"}


class Missing(Exception):
    """Secrets that this agent does not have; the text says how it gets them."""


class Secrets:
    """What this agent knows. Read anew when its file changes."""

    def __init__(
        self, file: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self._file = file
        self._environment = {
            name.removeprefix(ENVIRONMENT): value
            for name, value in (os.environ if environment is None else environment).items()
            if name.startswith(ENVIRONMENT)
        }
        self._stamp: tuple[int, int] = (0, 0)
        self._from_file: dict[str, str] = {}
        self.version = 0  # another number after a change
        self.refresh()

    def refresh(self) -> None:
        """Read the file again if it changed. Raises Invalid when it cannot be read as such."""
        if self._file is None:
            return
        try:
            stat = self._file.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if stamp == self._stamp:
                return
            text = self._file.read_text() if stat.st_size <= MOST_BYTES else None
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid(f"the secrets in {self._file} cannot be read: {error}") from None
        if text is None:
            raise Invalid(f"{self._file} is larger than {MOST_BYTES:,} bytes")
        self._from_file = _lines(text, self._file)
        self._stamp, self.version = stamp, self.version + 1

    def get(self, name: str) -> str | None:
        """Its value; names are those of the environment: `-` and `.` there are `_`."""
        if name in self._from_file:
            return self._from_file[name]
        plain = re.sub(r"[.-]", "_", name)
        return self._environment.get(name, self._environment.get(plain))

    def fill(self, spec: CheckSpec) -> tuple[CheckSpec, Redactor]:
        """The spec with its secrets in it, and what takes them out of a text. Raises Missing."""
        names = named(spec)
        if not names:
            return spec, Redactor()
        known = {name: self.get(name) for name in names}
        missing = sorted(name for name, value in known.items() if value is None)
        if missing:
            variables = " or ".join(ENVIRONMENT + re.sub(r"[.-]", "_", name) for name in missing)
            raise Missing(
                f"this agent does not have the secret {', '.join(missing)}: set {variables} "
                "where it runs, or put it into the file of --secrets"
            )
        filled = {name: value for name, value in known.items() if value is not None}
        raw = msgspec.to_builtins(spec)
        part = raw[spec.type]
        code = part.pop("code", None)
        raw[spec.type] = _filled(part, filled)
        if code is not None:  # in a program's texts: no value may end the text that it stands in
            safe = {name: value.translate(_ESCAPED) for name, value in filled.items()}
            raw[spec.type]["code"] = _filled(code, safe)
        return msgspec.convert(raw, CheckSpec), Redactor(filled.values())


def named(spec: CheckSpec) -> tuple[str, ...]:
    """The names of the secrets that a check refers to."""
    part = getattr(spec, spec.type, None) if spec.type else None
    if part is None:
        return ()
    found = NAMED.findall(msgspec.json.encode(part).decode())
    return tuple(dict.fromkeys(found))


def _filled(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return NAMED.sub(lambda hit: known.get(hit[1], hit[0]), value)
    if isinstance(value, dict):
        return {key: _filled(inner, known) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(inner, known) for inner in value]
    return value


class Redactor:
    """Takes secrets out of texts: those of a check, and those that a visit learns on its way."""

    __slots__ = ("_values",)

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values = frozenset(filter(None, values))

    def __call__(self, text: str) -> str:
        """The text without them, in the forms that they go over the wire in."""
        pattern, _ = _pattern(self._values)
        return pattern.sub(HIDDEN, text) if pattern else text

    def learn(self, *values: str) -> None:
        """Take these out, too: tokens that were gained with the others."""
        self._values |= frozenset(filter(None, values))

    def again(self) -> Redactor:
        """One for another visit: what this one learns is its own affair."""
        return Redactor(self._values)

    def beginning(self, text: str, most: int) -> str:
        """The first letters of a text. Redacted before it is cut: half a secret is one too."""
        head = text[: 8 * most]
        told = self(head)
        if len(head) < len(text):  # at its end there may be the beginning of one
            told = told[: max(0, len(told) - _pattern(self._values)[1])]
        return told[:most]

    def finds(self, text: str) -> bool:
        """Whether one of them is in a text, however short."""
        return any(value in text for value in self._values) or self(text) != text


@lru_cache(maxsize=4096)
def _pattern(values: frozenset[str]) -> tuple[re.Pattern[str] | None, int]:
    """What finds these, and how long the longest of them is."""
    forms = {form for value in values if len(value) >= SHORTEST for form in _forms(value)}
    if not forms:
        return None, 0
    longest_first = sorted(forms, key=len, reverse=True)
    pattern = re.compile("|".join(re.escape(form) for form in longest_first))
    return pattern, len(longest_first[0])


def _forms(value: str) -> Iterable[str]:
    yield value
    yield quote(value, safe="")
    yield quote_plus(value)
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    for code in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):  # it may stand within what is encoded, as after "name:"
            text = code(b"\0" * before + value.encode()).decode().rstrip("=")
            known = text[(0, 2, 3)[before] : len(text) // 4 * 4 or None]
            if len(known) >= SHORTEST:
                yield known
    for line in value.splitlines():
        if len(line) >= 2 * SHORTEST:
            yield line


def _lines(text: str, file: Path) -> dict[str, str]:
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, mark, value = stripped.partition("=")
        if not mark or not name.strip():
            raise Invalid(f"{file}, line {number}: write NAME=value")  # never the line itself
        value = value.strip()
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        found[name.strip().removeprefix(ENVIRONMENT)] = value[1:-1] if quoted else value
    return found
