"""JSON Schema, as OpenAPI 2 to 3.1 and AsyncAPI write it, into `model.Schema`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from pilothouse.apis.formats import tree
from pilothouse.apis.model import Bound, Named, Property, Schema

DEEPEST = 40  # levels of one schema without a name
MOST_CHOICES = 2_000
LONGEST_NAME = 300
LARGEST = 1e300
BOUNDS = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength",
    "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
)  # fmt: skip
PREFIXES = ("#/components/schemas/", "#/definitions/")


class SchemaReader:
    """Reads the schemas of one document; each that is referred to is read once, by its name."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._waiting: deque[str] = deque()
        self._taken: set[str] = set()
        self._names: dict[str, str] = {}  # reference to name
        self._read: dict[str, Schema] = {}
        self.notices: dict[str, None] = {}

    def declare(self, prefix: str, names: Iterator[str] | list[str]) -> None:
        """Have all schemas of a section read, in their order."""
        for name in names:
            escaped = name.replace("~", "~0").replace("/", "~1")
            self._named(f"{prefix}{escaped}")

    def finished(self) -> tuple[Named, ...]:
        """Every schema with a name."""
        while self._waiting:
            ref = self._waiting.popleft()
            try:
                found = tree.pointer(self._root, ref)
            except KeyError:
                self.notices[f"{ref} is referred to, but is not there"] = None
                found = {}
            self._read[self._names[ref]] = self.schema(found)
        return tuple(Named(name, self._read[name]) for name in self._names.values())

    def schema(self, found: Any, depth: int = 0) -> Schema:
        """A schema; what lies deeper than anybody reads is left out."""
        if found is True or found is None:
            return Schema()
        if found is False:
            return Schema(but_not=Schema())
        if not isinstance(found, Mapping):
            return Schema()
        if depth > DEEPEST:
            self.notices[f"schemas nest deeper than {DEEPEST} levels: the rest is left out"] = None
            return Schema()
        if isinstance(ref := found.get("$ref"), str):
            return self._reference(ref, found)
        return self._whole(found, depth)

    def _reference(self, ref: str, found: Mapping[str, Any]) -> Schema:
        description = tree.text(found, "description")
        if ref.startswith("#"):
            return Schema(ref=self._named(ref), description=description)
        self.notices[f"{ref[:200]} lies elsewhere and is not read"] = None
        return Schema(remote=ref[:2000], description=description)

    def _named(self, ref: str) -> str:
        if ref not in self._names:
            prefix = next((p for p in PREFIXES if ref.startswith(p)), None)
            plain = prefix is not None and "/" not in ref[len(prefix) :]
            name = tree.unescaped(ref[len(prefix or "") :]) if plain else ref
            name = name[:LONGEST_NAME]
            if name in self._taken:
                name = f"{ref[: LONGEST_NAME - 10]} {len(self._taken)}"
            self._taken.add(name)
            self._names[ref] = name
            self._waiting.append(ref)
        return self._names[ref]

    def _whole(self, found: Mapping[str, Any], depth: int) -> Schema:
        def several(key: str) -> tuple[Schema, ...]:
            return tuple(self.schema(item, depth + 1) for item in tree.sequence(found, key))

        extra = found.get("additionalProperties")
        return Schema(
            types=_types(found),
            format=tree.text(found, "format"),
            title=tree.text(found, "title"),
            description=tree.text(found, "description"),
            properties=self._properties(found, depth),
            items=self._items(found, depth),
            extra=self.schema(extra, depth + 1) if isinstance(extra, Mapping) else None,
            closed=extra is False or found.get("unevaluatedProperties") is False,
            choices=_choices(found),
            all_of=several("allOf"),
            any_of=several("anyOf"),
            one_of=several("oneOf"),
            but_not=self.schema(found["not"], depth + 1) if "not" in found else None,
            bounds=tuple(_bounds(found)),
            pattern=tree.text(found, "pattern"),
            default=tree.as_json(found["default"]) if "default" in found else "",
            example=_example(found),
            deprecated=tree.flag(found, "deprecated"),
            read_only=tree.flag(found, "readOnly"),
            write_only=tree.flag(found, "writeOnly"),
        )

    def _properties(self, found: Mapping[str, Any], depth: int) -> tuple[Property, ...]:
        required = set(tree.texts(found, "required"))
        declared = mapping_items(found, "properties")
        named = [
            Property(name, self.schema(item, depth + 1), name in required)
            for name, item in declared
        ]
        unseen = required - {item.name for item in named}
        named += [Property(name, Schema(), required=True) for name in sorted(unseen)]
        patterns = mapping_items(found, "patternProperties")
        named += [Property(f"/{name}/", self.schema(item, depth + 1)) for name, item in patterns]
        return tuple(named)

    def _items(self, found: Mapping[str, Any], depth: int) -> Schema | None:
        items = found.get("items")
        if isinstance(items, list):  # JSON Schema before 2020-12: by position
            return Schema(any_of=tuple(self.schema(item, depth + 1) for item in items))
        if (items is None or isinstance(items, bool)) and tree.sequence(found, "prefixItems"):
            several = tree.sequence(found, "prefixItems")
            return Schema(any_of=tuple(self.schema(item, depth + 1) for item in several))
        return self.schema(items, depth + 1) if isinstance(items, Mapping) else None


def mapping_items(found: Mapping[str, Any], key: str) -> Iterator[tuple[str, Any]]:
    """The entries of a mapping, extensions among them: a property may be called x-anything."""
    for name, item in tree.mapping(found, key).items():
        yield str(name), item


def _types(found: Mapping[str, Any]) -> tuple[str, ...]:
    kind = found.get("type")
    types = [kind] if isinstance(kind, str) else [k for k in kind or () if isinstance(k, str)]
    nullable = found.get("nullable") is True or found.get("x-nullable") is True
    if types and nullable and "null" not in types:
        types.append("null")
    return tuple(sorted(set(types), key=lambda name: (name == "null", name)))


def _choices(found: Mapping[str, Any]) -> tuple[str, ...]:
    if "const" in found:
        return (tree.as_json(found["const"]),)
    return tuple(tree.as_json(item) for item in tree.sequence(found, "enum")[:MOST_CHOICES])


def _bounds(found: Mapping[str, Any]) -> Iterator[Bound]:
    for name in BOUNDS:
        value = found.get(name)
        if value is True and name.startswith("exclusive"):  # OpenAPI 3.0: a flag beside the bound
            value = found.get("minimum" if name.endswith("Minimum") else "maximum")
        elif _is_exclusive(found, name):
            continue
        if (number := _number(value)) is not None:
            yield Bound(name, number)
    if found.get("uniqueItems") is True:
        yield Bound("uniqueItems", 1)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < LARGEST else None


def _is_exclusive(found: Mapping[str, Any], name: str) -> bool:
    """Whether a bound of OpenAPI 3.0 is an exclusive one, said by a flag beside it."""
    return found.get("exclusive" + name[0].upper() + name[1:]) is True


def _example(found: Mapping[str, Any]) -> str:
    if "example" in found:
        return tree.as_json(found["example"])
    examples = tree.sequence(found, "examples")
    return tree.as_json(examples[0]) if examples else ""
