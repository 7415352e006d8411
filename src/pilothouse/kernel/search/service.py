"""Putting documents into the index, taking them out, and asking it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.kernel.search import rules, store
from pilothouse.kernel.search.model import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pilothouse.kernel.search.model import Document
    from pilothouse.kernel.tx import Tx

ENOUGH = 5  # documents with every word, below which those with any are shown as well


def put(tx: Tx, found: Sequence[Document]) -> None:
    """Have documents found from now on, each in place of the one that had its key."""
    store.put(tx.conn, found)


def drop(tx: Tx, keys: Sequence[str]) -> None:
    """Have documents found no more, by their keys; unknown ones are passed over."""
    store.drop(tx.conn, keys)


def drop_of(tx: Tx, origin: str) -> None:
    """Have all documents of an origin found no more."""
    store.drop_of(tx.conn, origin)


def everything(tx: Tx) -> Iterator[Document]:
    """All documents, by their keys."""
    return store.everything(tx.conn)


def find(tx: Tx, text: str, *, kind: str = "", limit: int = 50) -> list[Hit]:
    """Documents that a text finds, of one kind or all; those with every word come first.

    Where few have them all (an error message holds numbers that no runbook does) those with any
    of them follow.
    """
    words = rules.terms(text)
    found = store.matching(tx.conn, words, every=True, kind=kind, limit=limit)
    if len(found) < ENOUGH and len(words) > 1:
        known = {match.document.key for match in found}
        others = store.matching(tx.conn, words, every=False, kind=kind, limit=limit)
        found += [match for match in others if match.document.key not in known]
    return [_hit(match, place, words, text) for place, match in enumerate(found[:limit])]


def _hit(match: store.Match, place: int, words: Sequence[str], text: str) -> Hit:
    document = match.document
    return Hit(
        kind=document.kind,
        title=document.title,
        href=document.href,
        trail=document.trail,
        snippet=rules.parts(match.marked),
        ref=document.ref,
        owner=document.owner,
        score=rules.weight(document, place, words, text),
    )
