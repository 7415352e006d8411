"""Looking into what YAML or JSON gave, whatever it is: the wrong shape reads as absent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

LONGEST_TEXT = 20_000  # characters of one description
LONGEST_VALUE = 4_000  # characters of one example or default


def text(value: Any, key: str) -> str:
    """A text, or a number as text; "" where it is absent or something else."""
    found = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(found, str):
        return found[:LONGEST_TEXT]
    return str(found) if isinstance(found, int | float) and not isinstance(found, bool) else ""


def flag(value: Any, key: str) -> bool:
    """Whether it says true."""
    return isinstance(value, Mapping) and value.get(key) is True


def mapping(value: Any, key: str) -> Mapping[str, Any]:
    """A mapping; empty where it is absent or something else."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def sequence(value: Any, key: str) -> Sequence[Any]:
    """A list; empty where it is absent or something else."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else ()


def texts(value: Any, key: str) -> tuple[str, ...]:
    """The texts of a list."""
    return tuple(item for item in sequence(value, key) if isinstance(item, str))


def items(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    """The entries of a mapping whose keys are texts; extensions (x-…) are passed over."""
    for name, item in mapping(value, key).items():
        if isinstance(name, str) and not name.startswith("x-"):
            yield name, item


def as_json(value: Any, *, pretty: bool = False) -> str:
    """A value as JSON, cut where it is very long."""
    written = msgspec.json.encode(value)
    if pretty:
        written = msgspec.json.format(written, indent=2)
    found = written.decode("utf-8", "replace")
    return found if len(found) <= LONGEST_VALUE else found[:LONGEST_VALUE] + " …"


def pointer(root: Any, ref: str) -> Any:
    """What a local reference `#/a/b` names (RFC 6901). Raises KeyError where there is nothing."""
    found = root
    for part in ref.removeprefix("#").removeprefix("/").split("/") if ref != "#" else ():
        key = unescaped(part)
        if isinstance(found, Mapping):
            found = found[key]
        elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
            found = found[int(key)]
        else:
            raise KeyError(ref)
    return found


def unescaped(part: str) -> str:
    """One part of a JSON pointer within a URI, as the key that it names."""
    from urllib.parse import unquote

    return unquote(part).replace("~1", "/").replace("~0", "~")
