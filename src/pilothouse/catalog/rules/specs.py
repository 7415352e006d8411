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
    from collections.abc import Iterator

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
    """A spec of ours against its struct: every unknown field, then the first other mistake."""
    for _ in range(_MOST_UNKNOWN):
        try:
            msgspec.convert(spec, struct)
        except msgspec.ValidationError as error:
            match = _AT.fullmatch(str(error))
            what, where = (match["what"], match["where"]) if match else (str(error), "")
            steps = _steps(where or "")
            if (unknown := _UNKNOWN.fullmatch(what)) is None:
                _say(what, steps, spec, struct, findings)
                return
            _say_unknown(unknown[1], steps, struct, findings)
            spec = _without(spec, (*steps, unknown[1]))
        else:
            return


def _steps(where: str) -> Path:
    """`.steps[0].notify` as a path; it ends where msgspec does not say which key."""
    steps: list[str | int] = []
    for name, index in _STEP.findall(where):
        if index == "...":
            break
        steps.append(name or int(index))
    return tuple(steps)


def _say_unknown(key: str, steps: Path, struct: type[msgspec.Struct], findings: Findings) -> None:
    known = sorted(set(_fields(struct, steps)))
    meant = nearest(key, known)
    message = f'{dotted((*_SPEC, *steps))} has no field "{key}"'
    hint = f'probably "{meant}" is meant' if meant else None
    said = Said(key, ", ".join(known) or None, hint)
    findings.add("unknown-field", (*_SPEC, *steps, key), message, said)


def _say(
    what: str, steps: Path, spec: Any, struct: type[msgspec.Struct], findings: Findings
) -> None:
    if missing := _MISSING.fullmatch(what):
        holder = _at(spec, steps)
        known = _fields(struct, steps)
        hint = near_key(holder, missing[1], known) if isinstance(holder, dict) else None
        findings.missing((*_SPEC, *steps, missing[1]), hint)
        return
    found = _at(spec, steps)
    words = what.replace("`", "")
    message = f"{dotted((*_SPEC, *steps))} cannot be {described(found)}: {words}"
    expected = words.removeprefix("Expected ").partition(", got")[0]
    findings.add("bad-field", (*_SPEC, *steps), message, Said(described(found), expected))


def _at(value: Any, steps: Path) -> Any:
    for step in steps:
        value = value[step]
    return value


def _without(value: Any, steps: Path) -> Any:
    """A copy without what stands at a path."""
    first, *rest = steps
    if isinstance(value, list):
        return [
            _without(item, tuple(rest)) if index == first else item
            for index, item in enumerate(value)
        ]
    if not rest:
        return {key: item for key, item in value.items() if key != first}
    return {
        key: _without(item, tuple(rest)) if key == first else item for key, item in value.items()
    }


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
