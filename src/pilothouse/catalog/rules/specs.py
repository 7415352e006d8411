"""Whether a spec has what its kind asks for: Backstage's kinds by their shapes, ours by structs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import inspect

from pilothouse.catalog.rules.envelope import near_key, warn_of_slips
from pilothouse.catalog.rules.findings import Findings, Said, described, dotted
from pilothouse.catalog.rules.kinds import Shape, SpecShape
from pilothouse.catalog.rules.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pilothouse.catalog.model import Path

_SPEC: Path = ("spec",)
_PROFILE = ("displayName", "email", "picture")
_REMOTE = ("type", "url")
_TEXTS = (Shape.TEXTS, Shape.TEXT_OR_TEXTS)


def check_backstage(spec: dict[str, Any], shape: SpecShape, findings: Findings) -> None:
    """Required fields, types of known fields, and slips of the hand in other keys."""
    fields = shape.fields
    for field in shape.required:
        if field not in spec:
            findings.missing((*_SPEC, field), near_key(spec, field, fields))
    for field, expected in fields.items():
        if field in spec:
            _check(spec[field], expected, (*_SPEC, field), findings)
    present = {**spec, **shape.required}  # what is missing has been said, with its slip
    warn_of_slips(present, fields, _SPEC, findings)


def _check(value: Any, shape: Shape, path: Path, findings: Findings) -> None:
    if shape is Shape.TEXT:
        right = _is_text(value)
    elif shape in _TEXTS:
        right = _check_texts(value, shape, path, findings)
    elif shape is Shape.PRESENCE:
        right = value in ("required", "optional")
    elif shape is Shape.PROFILE:
        right = _check_profile(value, path, findings)
    elif shape is Shape.REMOTES:
        right = _check_remotes(value, path, findings)
    else:
        right = True
    if not right:
        findings.wrong_type(path, value, shape.value)


def _check_texts(value: Any, shape: Shape, path: Path, findings: Findings) -> bool:
    if shape is Shape.TEXT_OR_TEXTS and _is_text(value):
        return True
    if not isinstance(value, list):
        return False
    for index, item in enumerate(value):
        if not _is_text(item):
            findings.wrong_type((*path, index), item, Shape.TEXT.value)
    return True


def _check_profile(value: Any, path: Path, findings: Findings) -> bool:
    if not isinstance(value, dict):
        return False
    for key in _PROFILE:
        if key in value and not _is_text(value[key]):
            findings.wrong_type((*path, key), value[key], Shape.TEXT.value)
    return True


def _check_remotes(value: Any, path: Path, findings: Findings) -> bool:
    if not isinstance(value, list) or not value:
        return False
    for index, remote in enumerate(value):
        if not isinstance(remote, dict):
            findings.wrong_type((*path, index), remote, "a mapping with type and url")
            continue
        for key in _REMOTE:
            if key not in remote:
                findings.missing((*path, index, key), near_key(remote, key, _REMOTE))
            elif not _is_text(remote[key]):
                findings.wrong_type((*path, index, key), remote[key], Shape.TEXT.value)
    return True


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


# msgspec says "Object contains unknown field `x` - at `$.steps[0]`"
_AT = re.compile(r"(?P<what>.*?)(?: - at `(?:key` in `)?\$(?P<where>.*?)`)?\Z", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
_MOST_UNKNOWN = 20


def check_struct(spec: dict[str, Any], struct: type[msgspec.Struct], findings: Findings) -> None:
    """A spec of ours against its struct: every unknown field, then the first other mistake.

    A slip of the hand is one problem: the value is judged on as if its key were written right.
    """
    for _ in range(_MOST_UNKNOWN):
        try:
            msgspec.convert(spec, struct)
        except msgspec.ValidationError as error:
            match = _AT.fullmatch(str(error))
            what, where = (match["what"], match["where"]) if match else (str(error), None)
            unknown = _UNKNOWN.fullmatch(what)
            if unknown is None:
                _say(what, where or "", spec, struct, findings)
                return
            key = unknown[1]
            steps = _steps(
                where or "", spec, lambda one, key=key: isinstance(one, dict) and key in one
            )
            meant = _say_unknown(key, steps, struct, findings)
            spec = _mended(spec, (*steps, key), meant)
        else:
            return


def _steps(where: str, spec: Any, suits: Callable[[Any], bool]) -> Path:
    """`.steps[0].notify` as a path.

    msgspec leaves keys of mappings out (`[...]`): the first that leads to a value that suits is
    taken; where none does the path ends there.
    """
    written = [name or index for name, index in _STEP.findall(where)]
    paths: list[tuple[Path, Any]] = [((), spec)]
    for step in written:
        paths = [((*path, key), inner) for path, one in paths for key, inner in _inside(one, step)]
    found = next((path for path, one in paths if suits(one)), None)
    if found is not None:
        return found
    return tuple(step for step in written[: written.index("...")]) if "..." in written else ()


def _inside(value: Any, step: str) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, list):
        return [(int(step), value[int(step)])] if step.isdigit() else enumerate(value)
    if not isinstance(value, dict):
        return ()
    return value.items() if step == "..." else [(step, value[step])] if step in value else ()


def _say_unknown(
    key: str, steps: Path, struct: type[msgspec.Struct], findings: Findings
) -> str | None:
    known = sorted(set(_fields(struct, steps)))
    meant = nearest(key, known)
    message = f'{dotted((*_SPEC, *steps))} has no field "{key}"'
    hint = f'probably "{meant}" is meant' if meant else None
    said = Said(key, ", ".join(known) or None, hint)
    findings.add("unknown-field", (*_SPEC, *steps, key), message, said)
    return meant


def _say(
    what: str, where: str, spec: Any, struct: type[msgspec.Struct], findings: Findings
) -> None:
    if missing := _MISSING.fullmatch(what):
        key = missing[1]
        steps = _steps(where, spec, lambda one: isinstance(one, dict) and key not in one)
        hint = near_key(_at(spec, steps), key, _fields(struct, steps))
        findings.missing((*_SPEC, *steps, key), hint)
        return
    steps = _steps(where, spec, lambda _one: "..." not in where)
    found = described(_at(spec, steps))
    words = what.replace("`", "")
    message = f"{dotted((*_SPEC, *steps))} cannot be {found}: {words}"
    expected = words.removeprefix("Expected ").partition(", got")[0]
    findings.add("bad-field", (*_SPEC, *steps), message, Said(found, expected))


def _at(value: Any, steps: Path) -> Any:
    for step in steps:
        value = value[step]
    return value


def _mended(value: Any, steps: Path, meant: str | None) -> Any:
    """A copy in which the key at a path has its right name, or is gone where none is known."""
    first, *rest = steps
    if isinstance(value, list):
        inner = _mended(value[int(first)], tuple(rest), meant)
        return [inner if index == first else item for index, item in enumerate(value)]
    if rest:
        return {**value, first: _mended(value[first], tuple(rest), meant)}
    others = {key: item for key, item in value.items() if key != first}
    return others if meant is None or meant in others else {**others, meant: value[first]}


def _fields(struct: type[msgspec.Struct], steps: Path) -> list[str]:
    """The names of the fields that the struct at a path inside another has."""
    found: list[inspect.Type] = [inspect.type_info(struct)]
    for step in steps:
        found = [deeper for one in found for deeper in _into(one, step)]
    return [
        field.encode_name
        for one in found
        for alternative in _alternatives(one)
        if isinstance(alternative, inspect.StructType)
        for field in alternative.fields
    ]


def _into(type_: inspect.Type, step: str | int) -> Iterator[inspect.Type]:
    for one in _alternatives(type_):
        if isinstance(one, inspect.StructType):
            yield from (field.type for field in one.fields if field.encode_name == step)
        elif isinstance(one, inspect.DictType):
            yield one.value_type
        elif isinstance(one, inspect.CollectionType):
            yield one.item_type
        elif isinstance(one, inspect.TupleType) and isinstance(step, int):
            yield from one.item_types[step : step + 1]


def _alternatives(type_: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(type_, inspect.UnionType):
        for one in type_.types:
            yield from _alternatives(one)
    elif isinstance(type_, inspect.Metadata):
        yield from _alternatives(type_.type)
    else:
        yield type_
