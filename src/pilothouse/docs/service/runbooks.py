"""Runbooks: which there are for what, and who says that they are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import views
from pilothouse.catalog.service.views import Named
from pilothouse.docs.model import Fault, Review, Role, Step
from pilothouse.docs.rules import paths, reviewing
from pilothouse.docs.store import pages, runbooks, sources
from pilothouse.kernel import actors
from pilothouse.kernel.auth.service import owning
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.events import Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pilothouse.docs.model import Kept
    from pilothouse.kernel.refs import EntityRef
    from pilothouse.kernel.tx import Tx

CONFIRMED = "docs.runbook_confirmed"
MOST = 100


class Runbook(msgspec.Struct, frozen=True):
    """A runbook in a list, or in an incident."""

    page_id: int
    title: str
    href: str
    ref: str  # of the docs that it stands in
    review: Review
    owner: Named | None = None
    about: tuple[Named, ...] = ()
    steps: tuple[Step, ...] = ()
    checks: tuple[str, ...] = ()


def _runbook(tx: Tx, row: runbooks.Row) -> Runbook:
    confirmed = (row.confirmed_at, row.confirmed_by) if row.confirmed_at else None
    return Runbook(
        page_id=row.page_id,
        title=row.title,
        href=paths.href(row.ref, row.slug),
        ref=row.ref,
        review=reviewing.review(tx.now, row.touched_at, confirmed),
        steps=row.steps,
        checks=row.checks,
    )


def runbooks_for(tx: Tx, refs: Sequence[str]) -> dict[str, list[Runbook]]:
    """The runbooks of each of these entities, with their steps."""
    found: dict[str, list[Runbook]] = {}
    for row in runbooks.of_refs(tx.conn, refs, MOST):
        found.setdefault(row.about, []).append(_runbook(tx, row))
    return found


class Listed(msgspec.Struct, frozen=True):
    """A page of the list of runbooks."""

    items: list[Runbook]
    total: int
    stale: int  # of all


def listed(tx: Tx, *, owner: str, stale: bool, limit: int, offset: int) -> Listed:
    """Runbooks, those nobody saw to for longest first."""
    before = tx.now - reviewing.FRESH
    _, due = runbooks.listed(tx.conn, owner=owner, before=before, limit=1)
    rows, total = runbooks.listed(
        tx.conn, owner=owner, before=before if stale else None, limit=limit, offset=offset
    )
    about = runbooks.refs_of(tx.conn, [row.page_id for row in rows])
    refs = {ref for found in about.values() for ref in found} | {row.owner for row in rows}
    names = views.name_all(tx, sorted(refs - {""}))
    items = [
        msgspec.structs.replace(
            _runbook(tx, row),
            owner=names.get(row.owner),
            about=tuple(names[ref] for ref in about.get(row.page_id, ())),
        )
        for row in rows
    ]
    return Listed(items, total, due)


def of_page(tx: Tx, page_id: int) -> Runbook | None:
    """What makes a page a runbook."""
    row = runbooks.one(tx.conn, page_id)
    if row is None:
        return None
    refs = runbooks.refs_of(tx.conn, [page_id]).get(page_id, [])
    names = views.name_all(tx, refs)
    return msgspec.structs.replace(_runbook(tx, row), about=tuple(names[ref] for ref in refs))


def may_confirm(tx: Tx, ref: EntityRef) -> bool:
    """Whether the actor may say that a runbook of these docs is right.

    Those who are on call may, and those who own what the docs are of.
    """
    return tx.actor.role >= actors.Role.RESPONDER or owning.may_edit(tx, tx.actor, str(ref))


def confirm(tx: Tx, ref: EntityRef, slug: str) -> str:
    """Write down that a runbook is still right, as the actor says; its address.

    Raises Denied when they may not say so, NotFound when there is no such runbook.
    """
    if not may_confirm(tx, ref):
        owning.require_edit(tx, tx.actor, str(ref))
    site = sources.site_of(tx.conn, str(ref))
    page = pages.by_slug(tx.conn, site.id, slug) if site else None
    if page is None:
        raise NotFound(f"There is no runbook {slug} in the docs of {ref}")
    said = runbooks.Said(
        page.source_id, page.path, page.id, page.digest, tx.actor.id, tx.actor.name
    )
    if not runbooks.confirm(tx.conn, said, tx.now):
        raise NotFound(f"{page.title} is no runbook any more")
    refs = runbooks.refs_of(tx.conn, [page.id]).get(page.id, [])
    href = paths.href(str(ref), slug)
    data = {"title": page.title, "href": href, "path": page.path}
    tx.emit(Event(type=CONFIRMED, entities=tuple(dict.fromkeys([str(ref), *refs])), data=data))
    return href


def concerned(tx: Tx, known: Iterable[Kept]) -> list[tuple[str, Fault]]:
    """Runbooks that are for entities which nobody declares: file, fault."""
    found = {page.id: page.path for page in known if page.role is Role.RUNBOOK}
    about = runbooks.refs_of(tx.conn, list(found))
    names = views.name_all(tx, sorted({ref for refs in about.values() for ref in refs}))
    return [
        (found[page_id], Fault("docs-unknown-entity", f"for: names {ref}, which is not there"))
        for page_id, refs in about.items()
        for ref in refs
        if not names[ref].exists
    ]


def linked(tx: Tx, ref: EntityRef, urls: Sequence[str]) -> dict[str, str]:
    """Addresses of our pages for those links of an entity that name files read here."""
    wanted = [url.rstrip("/") for url in urls]
    site = tx.once(("docs.site", str(ref)), lambda: sources.site_of(tx.conn, str(ref)))
    if not wanted or site is None:
        return {}
    rows = pages.of_role(tx.conn, site.id, Role.RUNBOOK)
    return {
        url: paths.href(str(ref), row.slug)
        for url in urls
        for row in rows
        if url.rstrip("/").endswith(f"/{row.path}")
    }
