"""Filter predicates, as bodies of Backstage's catalog API say them.

Source: npm @backstage/filter-predicates 0.1.5 (schema) and @backstage/plugin-catalog-backend 4.0.0,
which defines what of it a catalog answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pilothouse.catalog.formats.filters import Condition
from pilothouse.kernel.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_CONDITIONS = 400  # in one predicate: databases bound what one query may hold
DEEPEST = 20


class Prefixed(msgspec.Struct, frozen=True):
    """A key that has a value beginning with this."""

    key: str
    prefix: str


class Every(msgspec.Struct, frozen=True):
    """All of them hold; none of them: everything passes."""

    parts: tuple[Predicate, ...] = ()


class Some(msgspec.Struct, frozen=True):
    """At least one of them holds; none of them: nothing passes."""

    parts: tuple[Predicate, ...] = ()


class Never(msgspec.Struct, frozen=True):
    """It does not hold."""

    part: Predicate


Predicate = Condition | Prefixed | Every | Some | Never


def parse_predicate(value: Any) -> Predicate:
    """Read `query` of a request's body.

    Raises Invalid for what is no predicate, for an operator that a catalog does not answer, and
    for one that is deeper or longer than a query may be.
    """
    if not isinstance(value, dict):
        raise Invalid("Query must be an object")
    parsed = _parse(value, 0)
    if sum(1 for _ in conditions(parsed)) > MOST_CONDITIONS:
        raise Invalid(f"Invalid query: more than {MOST_CONDITIONS} conditions")
    return parsed


def of_filters(filters: Sequence[Sequence[Condition]]) -> Predicate | None:
    """What parsed `filter` parameters say; None: everything passes."""
    if sum(len(group) for group in filters) > MOST_CONDITIONS:
        raise Invalid(f"Invalid filter: more than {MOST_CONDITIONS} conditions")
    if not filters:
        return None
    groups = tuple(group[0] if len(group) == 1 else Every(tuple(group)) for group in filters)
    return groups[0] if len(groups) == 1 else Some(groups)


def conditions(predicate: Predicate) -> Iterator[Condition | Prefixed]:
    """Every single condition, at any depth."""
    match predicate:
        case Every(parts) | Some(parts):
            for part in parts:
                yield from conditions(part)
        case Never(part):
            yield from conditions(part)
        case _:
            yield predicate


def _parse(value: Any, depth: int) -> Predicate:
    if not isinstance(value, dict):
        raise Invalid(
            "Invalid query: values on their own are not supported. Say which field has it, "
            f'e.g. {{ "kind": {_shown(value)} }}'
        )
    if depth > DEEPEST:
        raise Invalid(f"Invalid query: deeper than {DEEPEST} levels")
    operators = [key for key in value if key.startswith("$")]
    if operators:
        return _operator(value, operators[0], depth)
    fields = tuple(_field(key, item) for key, item in value.items())
    return fields[0] if len(fields) == 1 else Every(fields)


def _operator(value: dict[str, Any], name: str, depth: int) -> Predicate:
    if len(value) > 1:
        raise Invalid(
            f"Invalid query: operator {name} must be the only key in the predicate, wrap in $all "
            "to combine with other conditions"
        )
    inner = value[name]
    if name == "$not":
        return Never(_parse(inner, depth + 1))
    if name not in ("$all", "$any") or not isinstance(inner, list):
        raise Invalid(f"Invalid query: {name} with {_shown(inner)} is no predicate")
    parts = tuple(_parse(item, depth + 1) for item in inner)
    return Every(parts) if name == "$all" else Some(parts)


def _field(key: str, value: Any) -> Predicate:
    if isinstance(value, str | int | float):
        return Condition(key, (_text(value),))
    if isinstance(value, dict) and len(value) == 1:
        ((operator, inner),) = value.items()
        match operator, inner:
            case "$exists", bool():
                return Condition(key) if inner else Never(Condition(key))
            case "$in", list() if all(isinstance(one, str | int | float) for one in inner):
                return Condition(key, tuple(_text(one) for one in inner)) if inner else Some()
            case "$hasPrefix", str():
                return Prefixed(key, inner)
            case "$contains", str() | int() | float():
                return Condition(key, (_text(inner),))
            case "$contains", dict() if key.lower() == "relations":
                return _relation(inner)
            case _:
                pass
    raise Invalid(
        f'Invalid filter predicate value for field "{key}": expected a primitive value, $exists, '
        f"$in, $hasPrefix, or $contains operator, but got {_shown(value)}"
    )


def _relation(value: dict[str, Any]) -> Predicate:
    """`{"relations": {"$contains": {"type": "ownedBy", "targetRef": …}}}`."""
    found = {key.lower(): item for key, item in value.items()}
    kind, target = found.get("type"), found.get("targetref")
    if not isinstance(kind, str) or not kind or found.keys() - {"type", "targetref"}:
        raise Invalid(
            'The $contains operator for "relations" requires a "type" string property, and may '
            f'have "targetRef": got {_shown(value)}'
        )
    key = f"relations.{kind}"
    match target:
        case None:
            return Condition(key)
        case str():
            return Condition(key, (target,))
        case {"$in": [*refs]} if refs and all(isinstance(ref, str) for ref in refs):
            return Condition(key, tuple(refs))
        case _:
            raise Invalid(
                'Unsupported value in $contains for "relations": expected a string or '
                f'{{ "$in": [strings] }}, but got {_shown(target)}'
            )


def _text(value: str | float) -> str:
    """A value as JavaScript writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _shown(value: Any) -> str:
    return msgspec.json.encode(value).decode()[:200]
