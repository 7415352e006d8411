"""What reading another program's configuration gives: checks, and what was not understood."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import msgspec
import yaml

from pilothouse.checks.formats.lined import Lined
from pilothouse.checks.model.documents import CheckSpec, Dns

LONGEST_NAME = 63
SHORTEST = 10_000  # ms between two visits from one location
_UNITS = {"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1000.0, "m": 60_000.0} | {
    "h": 3_600_000.0,
    "d": 86_400_000.0,
    "w": 604_800_000.0,
    "y": 31_536_000_000.0,
}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h|d|w|y)")
_OURS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))


class Draft(msgspec.Struct, frozen=True):
    """A check to be: its document is written from these."""

    name: str
    title: str
    spec: CheckSpec


class Untranslated(msgspec.Struct, frozen=True, order=True):
    """Something that has no counterpart, and what that means."""

    line: int
    what: str  # "endpoints: front-end: client.proxy-url"
    why: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}: {self.why}"


class Imported(msgspec.Struct, frozen=True):
    """All that a file gave."""

    drafts: tuple[Draft, ...]
    untranslated: tuple[Untranslated, ...]


class Notes:
    """Gathers what could not be translated while a file is read."""

    def __init__(self) -> None:
        self.found: list[Untranslated] = []
        self._where: list[str] = []

    def about(self, what: str) -> Notes:
        """The same notes, speaking of a part of the file."""
        part = Notes()
        part.found, part._where = self.found, [*self._where, what]
        return part

    def add(self, line: int, what: str, why: str) -> None:
        self.found.append(Untranslated(line, ": ".join([*self._where, what]), why))

    def ordered(self) -> tuple[Untranslated, ...]:
        return tuple(sorted(dict.fromkeys(self.found)))


class Names:
    """Gives each check a name of its own that the catalog takes."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, text: str) -> str:
        plain = slug(text)
        name, number = plain, 2
        while name in self._taken:
            name = f"{plain[: LONGEST_NAME - 4]}-{number}"
            number += 1
        self._taken.add(name)
        return name


def slug(text: str) -> str:
    """A text as a name of an entity: "Front end (EU)" is "front-end-eu"."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:LONGEST_NAME].strip("-")
    return plain or "check"


def secret_name(text: str) -> str:
    """A text as the name of a secret: "shop-token" is "SHOP_TOKEN"."""
    plain = re.sub(r"[^A-Z0-9]+", "_", text.upper()).strip("_")
    return plain if plain[:1].isalpha() else f"S_{plain}".rstrip("_")


def milliseconds(written: str) -> float | None:
    """How long a duration of Go or Prometheus is: "1h30m", "500ms"; None for what is none."""
    compact = written.strip()
    if not compact or _PART.sub("", compact):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(compact))


def duration(written: str) -> str | None:
    """The same as documents of ours write it, in the largest unit that holds it whole."""
    length = milliseconds(written)
    if not length:
        return None
    whole = max(1, round(length))
    return next(f"{whole // size}{unit}" for unit, size in _OURS if whole % size == 0)


def duration_of(lined: Lined, notes: Notes, what: str, default: str) -> str:
    """A duration of a file, or the default; what is none is noted."""
    if lined.value is None:
        return default
    found = duration(lined.text())
    if found is None:
        notes.add(lined.line, what, f"{lined.text()!r} is not a duration; {default} is written")
    return found or default


def rhythm(every: str, timeout: str, line: int, notes: Notes) -> tuple[str, str]:
    """Both as checks may have them: 10 s apart at least, and done before the next begins."""
    apart, waits = milliseconds(every) or 0, milliseconds(timeout) or 0
    if apart < SHORTEST:
        notes.add(line, "interval", f"{every} is shorter than a location may visit; 10s is written")
        every, apart = "10s", SHORTEST
    if waits >= apart:
        shorter = duration(f"{apart / 2:.0f}ms") or timeout
        notes.add(line, "timeout", f"{timeout} is no shorter than {every}; {shorter} is written")
        timeout = shorter
    return every, timeout


def record_of(written: Lined, notes: Notes, what: str) -> Any:
    """The type of a DNS record; A in place of one that is not asked here."""
    record = written.text("A").upper()
    if record in get_args(next(f for f in msgspec.structs.fields(Dns) if f.name == "record").type):
        return record
    notes.add(written.line, what, f"{record} is not asked here; A is")
    return "A"


def quoted(text: str) -> str:
    """A text as CEL writes it."""
    return msgspec.json.encode(text).decode()


def write(drafts: Sequence[Draft]) -> str:
    """Their documents in YAML, fields that are as they are by default left out."""
    return "---\n".join(_document(draft) for draft in drafts)


def _document(draft: Draft) -> str:
    metadata = {"name": draft.name}
    if draft.title and draft.title != draft.name:
        metadata["title"] = draft.title
    document = {
        "apiVersion": "pilothouse/v1",
        "kind": "Check",
        "metadata": metadata,
        "spec": fields(draft.spec),
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def fields(part: msgspec.Struct) -> dict[str, Any]:
    """The fields of a part of a document that say something other than their default."""
    shown: dict[str, Any] = {}
    for field in msgspec.structs.fields(part):
        value = getattr(part, field.name)
        default = field.default
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        if value != default:
            shown[field.encode_name] = _plain(value)
    return shown


def _plain(value: object) -> Any:
    if isinstance(value, msgspec.Struct):
        return fields(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else value
