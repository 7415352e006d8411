"""Schemas in words: "string (date-time) or null", "array of Pet", "at most 40 characters"."""

from __future__ import annotations

from pilothouse.apis.model import Bound, Schema

MOST_CHOICES = 20  # said in a cell
_BOUNDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "over {}",
    "exclusiveMaximum": "under {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minProperties": "at least {} of the properties",
    "maxProperties": "at most {} of the properties",
    "uniqueItems": "no item twice",
    "number": "field {}",
}
DEEPEST = 6


def type_words(schema: Schema, depth: int = 0) -> str:
    """What a value is: "string (uuid) or null", "array of Pet"; "any" where nothing is said."""
    if schema.ref:
        return _or_null(schema.ref, schema)
    if schema.remote:
        return schema.remote
    several = alternatives(schema)
    if several and not schema.types:
        return "one of " + ", ".join(several[:6]) + (" or others" if len(several) > 6 else "")  # noqa: PLR2004
    if not schema.types:
        return _untyped(schema)
    return " or ".join(_type(name, schema, depth) for name in schema.types)


def _or_null(words: str, schema: Schema) -> str:
    return f"{words} or null" if "null" in schema.types else words


def _untyped(schema: Schema) -> str:
    if schema.all_of:
        parts = [part.ref for part in schema.all_of if part.ref]
        return " and ".join(parts) if parts else "object"
    if schema.properties or schema.extra:
        return "object"
    if schema.choices:
        return "one of its values"
    return f"any ({schema.format})" if schema.format else "any"


def _type(name: str, schema: Schema, depth: int) -> str:
    if name in {"array", "repeated"} and schema.items is not None and depth < DEEPEST:
        return f"{name} of {type_words(schema.items, depth + 1)}"
    if name in {"object", "map"} and schema.extra is not None and not schema.properties:
        return f"map of {type_words(schema.extra, depth + 1)}" if depth < DEEPEST else "map"
    return f"{name} ({schema.format})" if schema.format and name != "null" else name


def alternatives(schema: Schema) -> list[str]:
    """What the forms of a value are called."""
    return [
        part.ref or part.title or type_words(part, 1) for part in (*schema.one_of, *schema.any_of)
    ]


def bound_words(schema: Schema) -> list[str]:
    """Its limits: "at most 40 characters", "matches ^a", "one of "a", "b""."""
    said = [_bound(bound) for bound in schema.bounds]
    if schema.pattern:
        said.append(f"matches {schema.pattern}")
    if schema.choices:
        shown = ", ".join(schema.choices[:MOST_CHOICES])
        more = len(schema.choices) - MOST_CHOICES
        said.append(f"one of {shown}" + (f" and {more} more" if more > 0 else ""))
    if schema.default:
        said.append(f"default {schema.default}")
    if schema.closed:
        said.append("no other properties")
    if schema.read_only:
        said.append("read-only")
    if schema.write_only:
        said.append("write-only")
    return said


def _bound(bound: Bound) -> str:
    said = _BOUNDS.get(bound.name, bound.name + " {}").format(f"{bound.value:.15g}")
    return (
        said.removesuffix("s")
        if bound.value == 1 and "{} " in _BOUNDS.get(bound.name, "")
        else said
    )
