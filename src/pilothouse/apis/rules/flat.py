"""Schemas as they are compared: references followed, allOf merged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from pilothouse.apis.model import Schema

DEEPEST = 20  # references and allOf within each other


def flat(schema: Schema, named: Mapping[str, Schema], depth: int = 0) -> Schema:
    """The schema itself; a reference that leads nowhere, or round in a circle, stays one."""
    found = schema
    for _ in range(DEEPEST):
        if not found.ref or found.ref not in named:
            break
        inner = named[found.ref]
        nullable = "null" in found.types and "null" not in inner.types
        if nullable:
            inner = msgspec.structs.replace(inner, types=(*inner.types, "null"))
        found = inner
    if not found.all_of or depth > DEEPEST:
        return found
    merged = msgspec.structs.replace(found, all_of=())
    for part in found.all_of:
        merged = _merged(merged, flat(part, named, depth + 1))
    return merged


def _merged(left: Schema, right: Schema) -> Schema:
    """A value that is both."""
    properties = {item.name: item for item in left.properties}
    for item in right.properties:
        known = properties.get(item.name)
        if known is None or known.schema == Schema():
            required = item.required or (known is not None and known.required)
            properties[item.name] = msgspec.structs.replace(item, required=required)
        elif item.required and not known.required:
            properties[item.name] = msgspec.structs.replace(known, required=True)
    return msgspec.structs.replace(
        left,
        types=left.types or right.types,
        format=left.format or right.format,
        properties=tuple(properties.values()),
        items=left.items or right.items,
        extra=left.extra or right.extra,
        closed=left.closed or right.closed,
        choices=left.choices or right.choices,
        any_of=left.any_of or right.any_of,
        one_of=left.one_of or right.one_of,
        bounds=tuple(dict.fromkeys((*left.bounds, *right.bounds))),
        pattern=left.pattern or right.pattern,
        default=left.default or right.default,
    )


def parts(schema: Schema) -> Iterator[Schema]:
    """The schemas right within one."""
    yield from (item.schema for item in schema.properties)
    yield from (*schema.all_of, *schema.any_of, *schema.one_of)
    for inner in (schema.items, schema.extra, schema.but_not):
        if inner is not None:
            yield inner


def references(schema: Schema) -> set[str]:
    """The names of all schemas that one refers to, however deep they stand in it."""
    found: set[str] = set()
    waiting = [schema]
    while waiting:
        one = waiting.pop()
        if one.ref:
            found.add(one.ref)
        waiting.extend(parts(one))
    return found


def only_alternative(schema: Schema) -> Schema | None:
    """The one form of a value beside null: what `anyOf: [X, {type: null}]` is about."""
    several = (*schema.one_of, *schema.any_of)
    real = [part for part in several if part.types != ("null",)]
    return real[0] if len(real) == 1 else None


def _bare(schema: Schema, named: Mapping[str, Schema]) -> Schema:
    """A value without words, `null` among its types however that is written."""
    schema = flat(schema, named)
    inner = only_alternative(schema)
    if inner is not None and not schema.types and not schema.properties:
        several = (*schema.one_of, *schema.any_of)
        is_null = any(part.types == ("null",) for part in several)
        schema = flat(inner, named)
        if is_null and schema.types and "null" not in schema.types:
            schema = msgspec.structs.replace(schema, types=(*schema.types, "null"))
    return msgspec.structs.replace(
        schema,
        title="",
        description="",
        example="",
        properties=tuple(sorted(schema.properties, key=lambda item: item.name)),
    )


def same_values(
    old: Schema, new: Schema, before: Mapping[str, Schema], after: Mapping[str, Schema]
) -> bool:
    """Whether two schemas, written in different ways, let the same values through."""
    return _bare(old, before) == _bare(new, after)


def unchanged(before: Mapping[str, Schema], after: Mapping[str, Schema]) -> frozenset[str]:
    """Names whose schemas are alike in both, with all that they refer to."""
    refers = {name: references(schema) for name, schema in after.items()}
    used_by: dict[str, set[str]] = {}
    for name, refs in refers.items():
        for ref in refs:
            used_by.setdefault(ref, set()).add(name)
    waiting = [name for name, schema in after.items() if before.get(name) != schema]
    waiting += [name for name in before if name not in after]
    changed = set(waiting)
    while waiting:
        for user in used_by.get(waiting.pop(), ()):
            if user not in changed:
                changed.add(user)
                waiting.append(user)
    return frozenset(after.keys() - changed)
