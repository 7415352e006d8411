"""What changed between two versions of an entity, field by field, and what was only renamed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pilothouse.catalog.model import FieldChange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Backstage sorts these before it compares (BuiltinKindsEntityProcessor.preProcessEntity); and tags.
UNORDERED: Final = frozenset(
    {f"spec.{field}" for field in (
        "providesApis", "consumesApis", "dependsOn", "dependencyOf", "memberOf", "children",
        "members",
    )} | {"metadata.tags"}
)  # fmt: skip
LONGEST: Final = 200
_ALIKE = 0.8  # share of fields that agree, for a rename
_FEWEST = 4  # fields that must agree: apiVersion, kind and a type agree by chance
_NAMES = (("metadata", "name"), ("metadata", "title"), ("metadata", "namespace"))
_ABSENT: Final = object()

Leaf = tuple[tuple[str | int, ...], Any]


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[FieldChange]:
    """Every field that differs, in the order of the new body, removed ones last in their mapping.

    Lists of plain values are one field, and where order means nothing none is seen; lists of
    mappings are compared place by place. Texts longer than 200 characters are shortened, with
    their size said.
    """
    return list(_changes(before, after, ""))


def is_rename(removed: Mapping[str, Any], added: Mapping[str, Any]) -> bool:
    """Whether an entity that came is one that went, under another name.

    Rule: the same kind, and of all fields but name, title and namespace at least four fifths, and
    no fewer than four, agree. Values agree that are equal, or are once the old name, standing as
    a word of its own, is the new one.
    """
    if str(removed.get("kind")).lower() != str(added.get("kind")).lower():
        return False
    old, new = _name(removed), _name(added)
    left, right = dict(_content(removed)), dict(_content(added))
    common = sum(
        path in right and right[path] in (value, _renamed(value, old, new))
        for path, value in left.items()
    )
    return common >= _FEWEST and common >= _ALIKE * (len(left) + len(right) - common)


def renames(
    removed: Mapping[str, Mapping[str, Any]], added: Mapping[str, Mapping[str, Any]]
) -> dict[str, str]:
    """Old ref to new ref, for every pair that fits each other and nothing else."""
    fits = {
        old: [new for new, body in added.items() if is_rename(gone, body)]
        for old, gone in removed.items()
    }
    wooed = [new for found in fits.values() for new in found]
    return {
        old: found[0]
        for old, found in fits.items()
        if len(found) == 1 and wooed.count(found[0]) == 1
    }


def _changes(before: Any, after: Any, field: str) -> Iterator[FieldChange]:
    if _same(before, after, field):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*after, *(key for key in before if key not in after)]:
            inner = f"{field}.{key}" if field else str(key)
            yield from _changes(before.get(key, _ABSENT), after.get(key, _ABSENT), inner)
    elif _are_mappings(before) and _are_mappings(after):
        for index in range(max(len(before), len(after))):
            old, new = (one[index] if index < len(one) else _ABSENT for one in (before, after))
            yield from _changes(old, new, f"{field}.{index}")
    else:
        yield FieldChange(field, _shown(before), _shown(after))


def _same(before: Any, after: Any, field: str) -> bool:
    if field in UNORDERED and _are_texts(before) and _are_texts(after):
        return sorted(before) == sorted(after)
    return type(before) is type(after) and before == after and repr(before) == repr(after)


def _are_mappings(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _shown(value: Any) -> Any:
    """A value as the journal keeps it: small, whatever its size."""
    if value is _ABSENT:
        return None
    if isinstance(value, str) and len(value) > LONGEST:
        lines = value.count("\n") + 1
        return f"{value[:LONGEST]}… ({len(value):,} characters, {lines:,} lines)"
    if isinstance(value, dict | list) and len(text := repr(value)) > LONGEST * 5:
        return (
            f"{text[:LONGEST]}… ({len(value):,} {'fields' if isinstance(value, dict) else 'items'})"
        )
    return value


def _name(body: Mapping[str, Any]) -> str:
    return str((body.get("metadata") or {}).get("name", ""))


def _renamed(value: Any, old: str, new: str) -> Any:
    if not isinstance(value, str) or not old:
        return value
    return re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", lambda _: new, value)


def _content(body: Mapping[str, Any]) -> Iterator[Leaf]:
    return ((path, value) for path, value in _leaves(body, ()) if path not in _NAMES)


def _leaves(value: Any, path: tuple[str | int, ...]) -> Iterator[Leaf]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    else:
        yield path, str(value) if isinstance(value, dict | list) else value
