"""Putting documents into the index, taking them out, and asking it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.kernel.search import rules, store
from pilothouse.kernel.search.model import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pilothouse.kernel.actors import Actor
    from pilothouse.kernel.module import Module
    from pilothouse.kernel.search.model import Document
    from pilothouse.kernel.tx import Tx

ENOUGH = 5  # documents with every word, below which those with any are shown as well
LONGEST = 200  # characters of a question
AT_ONCE, MOST = 100, 150  # documents that are weighed


def put(tx: Tx, found: Sequence[Document]) -> None:
    """Have documents found from now on, each in place of the one that had its key."""
    store.put(tx.conn, found)


def drop(tx: Tx, keys: Sequence[str]) -> None:
    """Have documents found no more, by their keys; unknown ones are passed over."""
    store.drop(tx.conn, keys)


def drop_of(tx: Tx, origin: str) -> None:
    """Have all documents of an origin found no more."""
    store.drop_of(tx.conn, origin)


def everything(tx: Tx, letters: int) -> Iterator[Document]:
    """All documents, by their keys, each with the first letters of its text."""
    return store.everything(tx.conn, letters)


def look_up(tx: Tx, modules: Sequence[Module], actor: Actor, text: str, kind: str) -> list[Hit]:
    """All that a text finds, of one kind or all, the best first.

    What is on fire and what the actor or their teams own come before what fits as well.
    """
    text = text.replace("\0", " ").strip()[:LONGEST]
    if not text:
        return []
    hits = [hit for module in modules if module.finds for hit in module.finds(tx, text, kind)]
    hits += find(tx, text, kind=kind)
    refs = list(dict.fromkeys(hit.ref for hit in hits if hit.ref))
    burning = {ref for module in modules if module.burning for ref in module.burning(tx, refs)}
    return rules.ranked(hits, {*actor.teams, *filter(None, [actor.ref])}, burning)


def find(tx: Tx, text: str, *, kind: str = "", limit: int = 50) -> list[Hit]:
    """Documents that a text finds, of one kind or all, the best first.

    Where few have every word (an error message holds numbers that no runbook does) those with any
    of its rarer words are shown as well; where none has any, what was probably meant.
    """
    words = rules.terms(text)
    found = _found(tx, words, kind)
    if not found and (meant := rules.mended(words, store.vocabulary(tx.conn))):
        words, text = meant, " ".join(meant)
        found = _found(tx, words, kind)
    weighed = [(document, rules.weight(document, words, text)) for document in found]
    weighed.sort(key=lambda pair: (-pair[1], pair[0].key))
    return [_hit(document, score, words) for document, score in weighed[:limit]]


def _found(tx: Tx, words: Sequence[str], kind: str) -> list[Document]:
    ids = _with(tx, words, kind, every=True)
    if len(ids) < ENOUGH and len(words) > 1:
        ids = list(dict.fromkeys([*ids, *_with(tx, _rare(tx, words, kind), kind, every=False)]))
    return store.documents_of(tx.conn, ids)


def _rare(tx: Tx, words: Sequence[str], kind: str) -> Sequence[str]:
    """Those that are in some documents and not in very many; all of them, where none is."""
    asked = {"every": True, "title": False, "kind": kind, "limit": AT_ONCE}
    found = [word for word in words if 0 < len(store.matching(tx.conn, [word], **asked)) < AT_ONCE]
    return found or words


def _with(tx: Tx, words: Sequence[str], kind: str, *, every: bool) -> list[int]:
    """Documents with all of these words or any, bounded; those with them in their title first."""
    asked = {"every": every, "kind": kind, "limit": AT_ONCE}
    titles = store.matching(tx.conn, words, title=True, **asked)
    texts = store.matching(tx.conn, words, title=False, **asked)
    return list(dict.fromkeys([*titles, *texts]))[:MOST]


def _hit(document: Document, score: float, words: Sequence[str]) -> Hit:
    return Hit(
        kind=document.kind,
        title=document.title,
        href=document.href,
        trail=document.trail,
        snippet=rules.snippet(document.text, words),
        ref=document.ref,
        owner=document.owner,
        score=score,
    )
