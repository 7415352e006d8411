"""Putting documents into the index, taking them out, and asking it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.kernel.search import store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pilothouse.kernel.search.model import Document
    from pilothouse.kernel.tx import Tx


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
