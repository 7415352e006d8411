"""What calendars of others are fed with: shifts and names, nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pilothouse.catalog.service import views
from pilothouse.kernel.errors import NotFound
from pilothouse.oncall.formats.ics import Entry
from pilothouse.oncall.model.watch import Span
from pilothouse.oncall.rules import turns
from pilothouse.oncall.service import rostering

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

BACK, AHEAD = timedelta(days=30), timedelta(days=180)


def of_schedule(tx: Tx, ref: str) -> tuple[str, list[Entry]]:
    """The title of a schedule, and its shifts. Raises NotFound."""
    span = Span(tx.now - BACK, tx.now + AHEAD)
    roster = rostering.roster(tx, ref, span)
    names = views.name_all(tx, roster.people)
    found = [
        Entry(
            key=f"{ref}/{one.start:%Y%m%dT%H%M}",
            start=one.start,
            end=one.end,
            title=f"{', '.join(names[who].title for who in one.people)}: {roster.title}",
        )
        for one in turns.shifts(roster.watch, span)
        if one.people
    ]
    return roster.title, found


def of_person(tx: Tx, ref: str) -> tuple[str, list[Entry]]:
    """The name of a person, and their shifts of all schedules. Raises NotFound."""
    name = views.name_all(tx, [ref])[ref]
    if not name.exists:
        raise NotFound(f"there is no {ref}")
    span = Span(tx.now - BACK, tx.now + AHEAD)
    found = [
        Entry(
            key=f"{roster.ref}/{ref}/{one.start:%Y%m%dT%H%M}",
            start=one.start,
            end=one.end,
            title=roster.title,
        )
        for roster in rostering.every(tx, span).values()
        if ref in roster.people
        for one in turns.shifts(roster.watch, span)
        if ref in one.people
    ]
    return f"On call: {name.title}", sorted(found, key=lambda one: (one.start, one.key))
