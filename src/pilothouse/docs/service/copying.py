"""What docs give to the copy as plain files: every page, every image, the lists in all parts."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pilothouse.docs.rules import reviewing
from pilothouse.docs.service import showing
from pilothouse.docs.store import decisions, runbooks, sources
from pilothouse.kernel.module import Exported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.kernel.tx import Tx


def exported(tx: Tx) -> Iterator[Exported]:
    """The pages of the copy. Left out: lists narrowed by owner, by status, by what they are of."""
    for path, ref in showing.addresses(tx):
        yield Exported(path, (ref,))
    for path in showing.pictures(tx):
        yield Exported(path, page=False, version=path)
    before = tx.now - reviewing.FRESH
    _, docs = sources.listed(tx.conn, limit=1)
    _, decided = decisions.listed(tx.conn, decisions.Wanted(), 1)
    _, books = runbooks.listed(tx.conn, limit=1)
    _, stale = runbooks.listed(tx.conn, before=before, limit=1)
    yield from _parts("/docs", {}, docs)
    yield from _parts("/runbooks", {}, books)
    if stale:  # else nothing leads there
        yield from _parts("/runbooks", {"stale": "1"}, stale)
    yield from _parts("/rfcs", {}, decided)
    yield from _parts("/rfcs/timeline", {}, decided)


def _parts(path: str, asked: dict[str, str], total: int) -> Iterator[Exported]:
    """The parts of a list; its first one is also asked for by an offset of 0."""
    first = f"{path}?{urlencode(asked)}" if asked else path
    yield Exported(first, also=(f"{path}?{urlencode({**asked, 'offset': 0})}",))
    for offset in range(showing.LIST, total, showing.LIST):
        yield Exported(f"{path}?{urlencode({**asked, 'offset': offset})}")
