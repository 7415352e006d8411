"""Pages and silences in lists: on Now, on the page of a service, on pages of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import relating, views
from pilothouse.catalog.service.views import Named
from pilothouse.kernel.module import Exported, Headline
from pilothouse.oncall.model.paging import Page, Silence, State
from pilothouse.oncall.service import asking, handling, reading, showing_page, silencing

if TYPE_CHECKING:
    from pilothouse.kernel.actors import Actor
    from pilothouse.kernel.tx import Tx

MOST = 20  # on panels
MOST_LISTED = 50
MOST_OPEN = 200
MOST_PAST = 3  # on the page of a service
MOST_COPIED = 100


class Line(msgspec.Struct, frozen=True):
    """One page."""

    page: Page
    state: str  # of its mark: "bad", "warn", "info", "ok"
    word: str
    entity: Named | None  # what is in trouble, where that is known
    has: str  # who has it; "" for nobody
    unreached: bool  # people were to be told, and for a while nobody was
    fault: str  # the first one

    @property
    def href(self) -> str:
        return showing_page.href(self.page.number)


class Quiet(msgspec.Struct, frozen=True):
    """One silence."""

    id: str
    what: str
    href: str
    start: datetime
    end: datetime
    ended: datetime | None  # None: it lasts
    why: str
    by: str
    silenced: int
    may: bool = False


class Shown(msgspec.Struct, frozen=True):
    """What a panel shows."""

    lines: tuple[Line, ...]
    silences: tuple[Quiet, ...]


class Listing(msgspec.Struct, frozen=True):
    """The page of all pages: those that are open, and a part of those that are over."""

    open: tuple[Line, ...]
    past: tuple[Line, ...]
    before: int | None  # the number below which there are more
    first: bool  # the newest are shown
    silences: int
    may: bool


def now(tx: Tx) -> Shown | None:
    """Open pages and lasting silences; None where there are none of either."""
    pages = reading.open_pages(tx, limit=MOST)
    silences = silencing.lasting(tx, MOST)
    if not pages and not silences:
        return None
    lines = _lines(tx, pages, silences)
    return Shown(lines, tuple(_quiet(tx, one) for one in silences))


def of_entity(tx: Tx, ref: str) -> Shown | None:
    """Open pages of an entity and of its systems, the last ones that are over, its silences."""
    if ref.partition(":")[0] not in asking.KINDS:
        return None
    systems = relating.targets(tx, [ref], "partOf")[ref]
    open_now = reading.open_pages(tx, [ref, *systems], MOST)
    known = {one.number for one in open_now}
    past = [one for one in reading.recent(tx, [ref], limit=MOST_PAST) if one.number not in known]
    silences = [one for one in silencing.lasting(tx, MOST_OPEN) if one.entity == ref]
    if not (open_now or past or silences):
        return None
    lines = _lines(tx, [*open_now, *past], silences)
    return Shown(lines, tuple(_quiet(tx, one) for one in silences))


def listing(tx: Tx, actor: Actor, before: int | None) -> Listing:
    """All open pages, and a part of those that are over, the newest first."""
    open_now = reading.open_pages(tx, limit=MOST_OPEN) if before is None else []
    recent = reading.recent(tx, before=before, limit=MOST_LISTED + 1)
    shown = recent[:MOST_LISTED]
    past = [one for one in shown if one.state is State.RESOLVED]
    lines = _lines(tx, [*open_now, *past], [])
    return Listing(
        open=lines[: len(open_now)],
        past=lines[len(open_now) :],
        before=shown[-1].number if len(recent) > MOST_LISTED else None,
        first=before is None,
        silences=len(silencing.lasting(tx)),
        may=handling.may(tx, actor, ""),
    )


def silences(tx: Tx, actor: Actor) -> list[Quiet]:
    """Silences: those that last, the first to end before others; then those that are over."""
    found = silencing.recent(tx)
    views.name_all(tx, sorted(_named(found)))
    shown = [_quiet(tx, one, actor) for one in found]
    lasting = sorted((one for one in shown if one.ended is None), key=lambda one: one.end)
    return lasting + [one for one in shown if one.ended is not None]


def _lines(tx: Tx, pages: Sequence[Page], silences: Sequence[Silence]) -> tuple[Line, ...]:
    """Lines of pages: two queries for all, and what silences name is asked for with them."""
    refs = _named(silences) | {one.entity for one in pages if one.entity}
    refs |= {one.acknowledged_by for one in pages if one.acknowledged_by.startswith("user:")}
    refs |= {one.resolved_by for one in pages if one.resolved_by.startswith("user:")}
    names = views.name_all(tx, sorted(refs)) if refs else {}
    responders = reading.responders_of(tx, [one.id for one in pages]) if pages else {}
    lost = {one.id for one in pages if showing_page.is_unreached(one, responders[one.id], tx.now)}
    return tuple(_line(one, names, unreached=one.id in lost) for one in pages)


def _line(page: Page, names: Mapping[str, Named], *, unreached: bool) -> Line:
    state, word = showing_page.STATES[page.state]
    over = page.state is State.RESOLVED
    return Line(
        page=page,
        state=state,
        word=word,
        entity=names.get(page.entity),
        has=showing_page.called(page.resolved_by if over else page.acknowledged_by, names),
        unreached=unreached,
        fault=showing_page.plain(next(iter(page.plan.faults), ""), names),
    )


def _named(silences: Sequence[Silence]) -> set[str]:
    return {
        ref
        for one in silences
        for ref in (one.entity, one.by)
        if ref and (ref == one.entity or ref.startswith("user:"))
    }


def _quiet(tx: Tx, one: Silence, actor: Actor | None = None) -> Quiet:
    names = views.name_all(tx, sorted(_named([one])))
    labels = ", ".join(f"{name}={value}" for name, value in sorted(one.labels.items()))
    known = names.get(one.entity)
    what = known.title if known else one.entity
    over = one.ended_at or (one.end if one.end <= tx.now else None)
    return Quiet(
        id=one.id,
        what=f"{what} with {labels}" if what and labels else what or labels,
        href=known.href if known and known.exists else "",
        start=one.start,
        end=one.end,
        ended=over,
        why=one.why,
        by=showing_page.called(one.by, names),
        silenced=one.silenced,
        may=actor is not None and over is None and handling.may(tx, actor, one.entity),
    )


def note(shown: Shown) -> str:
    """Beside the panel's title."""
    open_now = sum(line.page.state is not State.RESOLVED for line in shown.lines)
    return f"{open_now} open" if open_now else ""


def headline(tx: Tx) -> Headline | None:
    """What the top of Now says of open pages: the worst of them. Rehearsals count nowhere."""
    real = [one for one in reading.open_pages(tx) if not one.drill]
    lines = _lines(tx, real, []) if real else ()
    lost = [one for one in lines if one.unreached]
    free = [one for one in lines if one.page.state is State.OPEN]
    had = [one for one in lines if one.page.state is not State.OPEN]
    for found, say in ((lost, _lost), (free, _free), (had, _had)):
        if found:
            return say(found[0], len(found) - 1)
    return None


def _lost(one: Line, more: int) -> Headline:
    words = one.fault or "No provider has taken a notification yet."
    return _said(one, 90, "bad", f"{_called(one, more)} {'have' if more else 'has'}"
                 " reached nobody", words)  # fmt: skip


def _free(one: Line, more: int) -> Headline:
    weight = 60 if one.page.urgency == "high" else 30
    text = f"{_called(one, more)} {'wait' if more else 'waits'} for someone"
    return _said(one, weight, "warn", text, one.page.summary)


def _had(one: Line, more: int) -> Headline:
    has = f"{one.has} has it" if one.has and one.page.state is State.ACKNOWLEDGED else "It waits"
    verb = "are" if more else "is"
    return _said(one, 20, "info", f"{_called(one, more)} {verb} not over", f"{has}.")


def _called(one: Line, more: int) -> str:
    return f"Page {one.page.number}" + (f" and {more} more" if more else "")


def _said(one: Line, weight: int, state: str, text: str, detail: str) -> Headline:
    action = f"Open page {one.page.number}"
    return Headline(weight, state, text, detail[:300], one.href, action)


def exported(tx: Tx) -> list[Exported]:
    """Pages that belong in the copy: the newest ones."""
    found = reading.recent(tx, limit=MOST_COPIED)
    pages = [
        Exported(showing_page.href(one.number), version=f"{one.id} {one.version}") for one in found
    ]
    return [Exported("/oncall/pages"), *pages]
