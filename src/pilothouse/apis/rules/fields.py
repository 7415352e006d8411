"""A schema as rows to read: "customer.name", its type, whether it must be there, what it means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from pilothouse.apis.model import Operation, Schema
from pilothouse.apis.rules.flat import flat, references
from pilothouse.apis.rules.telling import bound_words, type_words

SHOWN = 3  # levels of an object on one page
REACH = 4  # levels of references that a page may need
MOST_ROWS = 150
MOST_NEEDED = 200


class Field(msgspec.Struct, frozen=True):
    """One row."""

    path: str  # "items[].name"; "" for the value itself
    type: str
    required: bool
    description: str
    limits: tuple[str, ...]
    ref: str = ""  # the name of the schema that it is
    remote: str = ""
    deprecated: bool = False
    example: str = ""


class Fields(msgspec.Struct, frozen=True):
    """The rows of a schema; `cut` where there would be more."""

    rows: tuple[Field, ...]
    cut: bool = False


def fields(schema: Schema, named: Mapping[str, Schema]) -> Fields:
    """Rows down to three levels; what contains itself is cut where it begins again."""
    rows: list[Field] = []
    for row in _rows(schema, named, "", (), required=True):
        if len(rows) == MOST_ROWS:
            return Fields(tuple(rows), cut=True)
        rows.append(row)
    return Fields(tuple(rows))


def _rows(
    schema: Schema,
    named: Mapping[str, Schema],
    path: str,
    above: tuple[str, ...],
    *,
    required: bool,
) -> Iterator[Field]:
    found = flat(schema, named)
    is_object = bool(found.properties)
    if path or not is_object:
        yield _row(schema, found, path, required=required)
    ref = schema.ref
    if (ref and ref in above) or path.count(".") + path.count("[]") >= SHOWN:
        return
    inside = (*above, ref) if ref else above
    yield from _within(found, named, path, inside)


def _within(
    found: Schema, named: Mapping[str, Schema], path: str, above: tuple[str, ...]
) -> Iterator[Field]:
    for item in found.properties:
        inner = f"{path}.{item.name}" if path else item.name
        yield from _rows(item.schema, named, inner, above, required=item.required)
    if found.items is not None and _has_parts(found.items, named):
        yield from _parts_of(found.items, named, f"{path}[]", above)
    if found.extra is not None and _has_parts(found.extra, named):
        yield from _parts_of(found.extra, named, f"{path}.*" if path else "*", above)
    for part in (*found.one_of, *found.any_of):
        if _has_parts(part, named) and not part.ref:
            yield from _parts_of(part, named, path, above)


def _parts_of(
    schema: Schema, named: Mapping[str, Schema], path: str, above: tuple[str, ...]
) -> Iterator[Field]:
    """The parts of a list's items: the list's own row said already what they are."""
    ref = schema.ref
    if ref and ref in above:
        return
    found = flat(schema, named)
    yield from _within(found, named, path, (*above, ref) if ref else above)


def _has_parts(schema: Schema, named: Mapping[str, Schema]) -> bool:
    found = flat(schema, named)
    return bool(found.properties or found.items or found.extra or found.one_of or found.any_of)


def _row(schema: Schema, found: Schema, path: str, *, required: bool) -> Field:
    inner = schema.items if schema.items is not None else schema.extra
    return Field(
        path=path,
        type=type_words(schema),
        required=required,
        description=schema.description or found.description,
        limits=tuple(bound_words(found)),
        ref=schema.ref or (inner.ref if inner is not None else ""),
        remote=schema.remote,
        deprecated=schema.deprecated or found.deprecated,
        example=schema.example or found.example,
    )


def schemas_of(operation: Operation) -> Iterator[Schema]:
    """Every schema that an operation names."""
    for parameter in operation.parameters:
        yield parameter.schema
    contents = list(operation.body.contents) if operation.body else []
    for answer in operation.answers:
        yield from (header.schema for header in answer.headers)
        contents += answer.contents
    for content in contents:
        yield content.schema
        if content.headers is not None:
            yield content.headers


def reached(schemas: Iterable[Schema], refers: Mapping[str, set[str]]) -> tuple[str, ...]:
    """Names of the schemas that are a few references away, the nearest first.

    `refers` says for each named schema which others it names.
    """
    level = list(dict.fromkeys(ref for one in schemas for ref in sorted(references(one))))
    found = dict.fromkeys(name for name in level if name in refers)
    for _ in range(REACH):
        level = [inner for name in level for inner in sorted(refers.get(name, ()))]
        level = [name for name in dict.fromkeys(level) if name not in found and name in refers]
        found |= dict.fromkeys(level)
        if not level or len(found) > MOST_NEEDED:
            break
    return tuple(found)[:MOST_NEEDED]
