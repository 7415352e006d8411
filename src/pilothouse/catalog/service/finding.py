"""What the search box finds in the catalog: services, APIs, teams, people by name, by word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.catalog.service import views
from pilothouse.catalog.store import finding
from pilothouse.kernel.search import Hit, rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.catalog.service.views import Item
    from pilothouse.catalog.store.queries import Row
    from pilothouse.kernel.tx import Tx

MOST = 30  # entities of one way to find them


def finds(tx: Tx, text: str, kind: str) -> list[Hit]:
    """Entities that a text finds, of one kind or all, each with how well it fits.

    When nothing is called so, what was probably meant is sought instead.
    """
    term = " ".join(text.lower().split())
    words = term.split()
    rows = _found(tx, term, words, kind)
    if not rows and (meant := rules.mended(words, finding.vocabulary(tx.conn))):
        words, near = list(meant), True
        rows = _found(tx, " ".join(words), words, kind)
    else:
        near = False
    return [_hit(item, term, words, near=near) for item in views.items(tx, rows)]


def _found(tx: Tx, term: str, words: Sequence[str], kind: str) -> list[Row]:
    rows = finding.beginning(tx.conn, term, kind, MOST)
    if len(rows) < MOST:
        rows += finding.containing(tx.conn, words, kind, MOST)
    return list({row.ref: row for row in rows}.values())


def _hit(item: Item, term: str, words: Sequence[str], *, near: bool) -> Hit:
    name, title = item.ref.rpartition("/")[2], item.title.lower()
    if near:
        score = rules.NEAR
    elif term in (name, title):
        score = rules.EXACT
    elif name.startswith(term) or title.startswith(term):
        score = rules.BEGINS
    elif all(word in name or word in title for word in words):
        score = rules.HAS_ALL
    else:
        score = rules.HAS_SOME
    owner = item.owner.title if item.owner else ""
    return Hit(
        kind=item.kind.lower(),
        title=item.title,
        href=item.href,
        trail=", ".join(filter(None, (item.type, item.lifecycle, owner))),
        snippet=rules.snippet(item.description, words) or ((item.description[:200], False),),
        ref=item.ref,
        owner=item.owner.ref if item.owner else "",
        score=score,
    )
