"""Pages that are open and silences that last, as Now shows them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import views
from pilothouse.oncall.model.paging import Page, Silence, State
from pilothouse.oncall.service import reading, silencing

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

MOST = 20
STATES = {State.OPEN: "bad", State.ACKNOWLEDGED: "warn", State.SNOOZED: "info"}


class Line(msgspec.Struct, frozen=True):
    """One page."""

    page: Page
    state: str  # of its mark: "bad", "warn", "info"
    href: str  # of what is in trouble; "" where that is not known
    title: str
    fault: str  # the first one


class Quiet(msgspec.Struct, frozen=True):
    """One silence."""

    what: str
    href: str
    end: datetime
    why: str
    by: str
    silenced: int


class Shown(msgspec.Struct, frozen=True):
    """What the panel shows."""

    lines: tuple[Line, ...]
    silences: tuple[Quiet, ...]


def now(tx: Tx) -> Shown | None:
    """Open pages and lasting silences; None where there are none of either. Three queries."""
    pages = reading.open_pages(tx, limit=MOST)
    silences = silencing.lasting(tx, MOST)
    if not pages and not silences:
        return None
    refs = {one.entity for one in (*pages, *silences) if one.entity}
    names = views.name_all(tx, sorted(refs)) if refs else {}
    lines = [
        Line(
            page=one,
            state=STATES[one.state],
            href=views.href(one.entity) if one.entity in names else "",
            title=names[one.entity].title if one.entity in names else one.entity,
            fault=next(iter(one.plan.faults), ""),
        )
        for one in pages
    ]
    return Shown(tuple(lines), tuple(_quiet(one, names) for one in silences))


def _quiet(one: Silence, names: dict[str, views.Named]) -> Quiet:
    labels = ", ".join(f"{name}={value}" for name, value in sorted(one.labels.items()))
    known = names.get(one.entity)
    what = known.title if known else one.entity
    href = views.href(one.entity) if known else ""
    said = f"{what} with {labels}" if what and labels else what or labels
    return Quiet(said, href, one.end, one.why, one.by, one.silenced)


def note(shown: Shown) -> str:
    """Beside the panel's title."""
    return f"{len(shown.lines)} open" if shown.lines else ""
