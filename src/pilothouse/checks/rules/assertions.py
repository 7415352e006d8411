"""Assertions: expressions in CEL over what a visit saw. Compiled once, judged often, bounded."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from typing import Any

import msgspec

from pilothouse.checks.model.documents import CheckSpec
from pilothouse.checks.model.results import MOST_ASSERTIONS, Assertion
from pilothouse.checks.rules import names
from pilothouse.checks.rules.expressions import Expression, Wrong, compiled
from pilothouse.checks.rules.paths import written
from pilothouse.checks.rules.reckoning import Reckoning

LONGEST_JSON = 1_048_576  # bytes of a body that is read as JSON
LONGEST_SHOWN = 80  # characters of a value in a sentence
LONGEST_WHY = 400
Hide = Callable[[str, int], str]
_MISSING = object()
_QUOTED = re.compile(r"'([^']*)'")


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with one expression of a document."""

    field: str  # "spec.expect[0]"
    column: int  # of the expression, from 1
    message: str


class Prepared(msgspec.Struct, frozen=True):
    """The assertions of one check, compiled."""

    expect: tuple[Expression, ...]
    prefer: tuple[Expression, ...]
    names: frozenset[str]  # that any of them uses: what need not be read is not


class Judged(msgspec.Struct, frozen=True):
    """What became of the assertions of one visit."""

    expect: tuple[Assertion, ...]
    prefer: tuple[Assertion, ...]

    @property
    def failed(self) -> tuple[Assertion, ...]:
        """Those of `expect` that did not hold."""
        return tuple(item for item in self.expect if not item.held)

    @property
    def degraded(self) -> tuple[Assertion, ...]:
        """Those of `prefer` that did not hold."""
        return tuple(item for item in self.prefer if not item.held)


def _beginning(text: str, most: int) -> str:
    return text[:most]


def problems(spec: CheckSpec) -> tuple[Problem, ...]:
    """What is wrong with a check's expressions; none: it can be prepared."""
    found = [
        Problem(f"spec.{name}[{index}]", error.column, error.message)
        for name in ("expect", "prefer")
        for index, text in enumerate(getattr(spec, name))
        if (error := _error(text, spec.type)) is not None
    ]
    if len(spec.expect) + len(spec.prefer) > MOST_ASSERTIONS:
        found.append(Problem("spec.expect", 1, f"more than {MOST_ASSERTIONS} assertions"))
    return tuple(found)


def _error(text: str, kind: str) -> Wrong | None:
    try:
        compiled(text, kind)
    except Wrong as error:
        return error
    return None


def prepare(spec: CheckSpec) -> Prepared:
    """The check's assertions, compiled; the same ones are not compiled again. Raises Wrong."""
    kind = spec.type
    return _prepared(kind, spec.expect or names.EXPECTED.get(kind, ()), spec.prefer)


@lru_cache(maxsize=4096)
def _prepared(kind: str, expect: tuple[str, ...], prefer: tuple[str, ...]) -> Prepared:
    expects = tuple(compiled(text, kind) for text in expect)
    prefers = tuple(compiled(text, kind) for text in prefer)
    used = frozenset(name for item in (*expects, *prefers) for name in item.names)
    return Prepared(expects, prefers, used)


def judge(prepared: Prepared, values: Mapping[str, Any], hide: Hide = _beginning) -> Judged:
    """Which of them hold over these values. A body may be bytes; JSON is read if it is asked for.

    `hide` gives the first letters of a text, without what must not be told of it.
    Never raises, and takes bounded time: what would take longer does not hold, and says so.
    """
    seen = _read(prepared.names, values)
    reckoning = Reckoning(seen)
    return Judged(
        tuple(_judged(item, seen, reckoning, hide) for item in prepared.expect),
        tuple(_judged(item, seen, reckoning, hide) for item in prepared.prefer),
    )


def _read(used: frozenset[str], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are asked for, the body as text and as JSON."""
    seen = {name: values[name] for name in used if name in values}
    raw = values.get("body")
    if not isinstance(raw, (bytes, str)):
        return seen
    if "json" in used and "json" not in seen and len(raw) <= LONGEST_JSON:
        with suppress(msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            seen["json"] = msgspec.json.decode(raw)
    if isinstance(seen.get("body"), bytes):
        seen["body"] = seen["body"].decode("utf-8", "replace")
    return seen


def _judged(
    item: Expression, seen: Mapping[str, Any], reckoning: Reckoning, hide: Hide
) -> Assertion:
    refused = reckoning.refused(item.shape)
    if refused:
        return Assertion(item.text, held=False, why=refused)
    try:
        # Each name is handed over as CEL's own kind of value, which costs: only those it has.
        found = item.program.execute({name: seen[name] for name in item.names if name in seen})
    except Exception as error:  # noqa: BLE001  the library raises many kinds
        return Assertion(item.text, held=False, why=_why_not(item, seen, error, hide))
    if found is True or found is False:
        return Assertion(item.text, held=found, why=_shown(item, seen, hide)[:LONGEST_WHY])
    why = f"it is {_value(found, hide)}, which is neither true nor false"
    return Assertion(item.text, held=False, why=why)


def _why_not(item: Expression, seen: Mapping[str, Any], error: Exception, hide: Hide) -> str:
    for path in item.paths:
        absent = _absent(path, seen)
        if absent:
            return absent
    values = _shown(item, seen, hide)
    if isinstance(error, KeyError):
        said = f"the key {error.args[0] if error.args else ''} is absent"
    elif isinstance(error, TypeError):
        said = "its kinds of values do not go together"
    else:
        named = _QUOTED.search(str(error))
        said = str(error).split(". ")[0]
        if named and "Undefined" in said and named[1] not in names.ALWAYS:
            said = f"{named[1]} does not fit what it is called on"
    return hide(f"{said}; {values}" if values else said, LONGEST_WHY)


def _absent(path: tuple[str | int, ...], seen: Mapping[str, Any]) -> str:
    """Which key along this path is not there, if any: "header["x-cache"] is absent"."""
    value: Any = seen
    for length, key in enumerate(path, start=1):
        inner = _inner(value, key)
        if inner is _MISSING:
            if path[0] == "json" and length == 1:
                return "json is absent: the answer is no JSON, or too long to be read as such"
            return f"{written(path[:length])} is absent"
        value = inner
    return ""


def _inner(value: Any, key: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(key, _MISSING)
    if isinstance(value, list | tuple):
        return value[key] if isinstance(key, int) and 0 <= key < len(value) else _MISSING
    return _MISSING


def _shown(item: Expression, seen: Mapping[str, Any], hide: Hide) -> str:
    """What the names of an expression were: "status was 503, timing.total was 912 ms"."""
    parts = []
    for path in item.paths:
        value: Any = seen
        for key in path:
            value = _inner(value, key)
            if value is _MISSING:
                break
        parts.append(
            f"{written(path)} is absent"
            if value is _MISSING
            else f"{written(path)} was {_value(value, hide)}"
        )
    return ", ".join(parts)


def _value(value: Any, hide: Hide) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, list | tuple | dict) and len(value) > MOST_ASSERTIONS:
        return f"{len(value)} values"
    if isinstance(value, str):
        line = hide(value, LONGEST_SHOWN).replace("\r", "\\r").replace("\n", "\\n")
        return f'"{line}"' if len(value) <= LONGEST_SHOWN else f'"{line}…"'
    if isinstance(value, timedelta):
        return length(value.total_seconds())
    text = str(value)
    return hide(text, LONGEST_SHOWN) + ("…" if len(text) > LONGEST_SHOWN else "")


def length(seconds: float) -> str:
    """A length of time as a sentence has it: "912 ms", "9.8 s", "12.3 days"."""
    for unit, size in (("days", 86400.0), ("h", 3600.0), ("s", 1.0)):
        if abs(seconds) >= size * (2 if unit != "s" else 1):
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1000:.3g} ms"
