"""What an entity can be found by: rows for filters, text for full-text search.

Source: npm @backstage/plugin-catalog-backend 4.0.0, buildEntitySearch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from pilothouse.kernel.refs import DEFAULT_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

LONGEST: Final = 200  # a longer key has no row, a longer value none but null
_SAID_APART = frozenset(
    ("attachments", "relations", "status", "metadata.name", "metadata.namespace", "metadata.uid",
     "metadata.etag")
)  # fmt: skip
_MOST_TEXT = 10_000
_LONG = frozenset(("definition", "steps", "parameters"))  # of a spec; no words of the entity itself


class SearchRow(msgspec.Struct, frozen=True):
    """A key in lower case, its value in lower case, and as it was written (facets show that)."""

    key: str
    value: str | None
    original: str | None = None


def traverse(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every plain value under its dotted key; a text in a list also as `key.text` = true."""
    return _visit(body, "", set())


def search_rows(
    body: Mapping[str, Any], relations: Iterable[tuple[str, str]] = (), uid: str | None = None
) -> list[SearchRow]:
    """The rows of an entity; `relations` are (type, target ref) in both directions.

    Name, namespace and uid always have a row; `metadata.etag` has none.
    """
    meta = body.get("metadata") or {}
    pairs = [
        *traverse(body),
        ("metadata.name", meta.get("name")),
        ("metadata.namespace", meta.get("namespace") or DEFAULT_NAMESPACE),
        ("metadata.uid", uid or meta.get("uid")),
        *((f"relations.{kind}", target) for kind, target in relations),
    ]
    rows: dict[tuple[str, str | None], SearchRow] = {}
    for key, value in pairs:
        if (row := _row(key, value)) is not None:
            rows.setdefault((row.key, row.value), row)
    return list(rows.values())


def entity_text(body: Mapping[str, Any]) -> str:
    """The words that people seek an entity by: what it is called, says of itself, and points to.

    At most 10,000 characters; definitions and steps are left out.
    """
    meta, spec = body.get("metadata") or {}, body.get("spec") or {}
    parts = [
        meta.get("title"),
        meta.get("name"),
        meta.get("description"),
        body.get("kind"),
        *_words(meta.get("tags")),
        *_words(meta.get("labels")),
        *_words(meta.get("links")),
        *_words(meta.get("annotations")),
        *(
            word
            for key, value in (spec.items() if isinstance(spec, dict) else ())
            if key not in _LONG
            for word in _words(value)
        ),
    ]
    words = dict.fromkeys(part.strip() for part in parts if isinstance(part, str))
    return "\n".join(filter(None, words))[:_MOST_TEXT]


def _visit(value: Any, path: str, seen: set[str]) -> Iterator[tuple[str, Any]]:
    if path in _SAID_APART:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _visit(item, f"{path}.{key}" if path else key, seen)
    elif isinstance(value, list):
        for item in value:
            yield from _visit(item, path, seen)
            if isinstance(item, str) and (lower := f"{path}.{item}".lower()) not in seen:
                seen.add(lower)
                yield f"{path}.{item}", True
    else:
        yield path, value


def _row(key: str, value: Any) -> SearchRow | None:
    key = key.lower()
    if _length(key) > LONGEST:
        return None
    if value is None:
        return SearchRow(key, None)
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    lower = text.lower()
    return SearchRow(key, None) if _length(lower) > LONGEST else SearchRow(key, lower, text)


def _length(text: str) -> int:
    """As JavaScript counts: letters beyond the basic plane are two."""
    if text.isascii() or len(text) * 2 <= LONGEST:
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _words(item)
    elif isinstance(value, list):
        for item in value:
            yield from _words(item)
