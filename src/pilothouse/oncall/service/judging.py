"""What is wrong with schedules, told where their documents stand, before it is 3 a.m."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.model import Path, Position, Problem, Severity
from pilothouse.catalog.service import declaring, reporting
from pilothouse.catalog.service.declaring import Declaration
from pilothouse.kernel import words
from pilothouse.oncall.model.watch import Span
from pilothouse.oncall.rules import turns
from pilothouse.oncall.service import rostering, watching

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx
    from pilothouse.oncall.service.rostering import Roster

BY = "oncall"  # whose problems these are
MOST_WORDS = 10  # about one calendar
Places = Mapping[str, Callable[[Path], Position]]  # of one file, by ref


class Faulty(msgspec.Struct, frozen=True):
    """A document, and one thing that is wrong with it."""

    declaration: Declaration
    code: str
    severity: Severity
    field: Path  # within the spec
    message: str


def faulty(tx: Tx, spec: str, calendars: Mapping[str, Sequence[str]]) -> list[Faulty] | None:
    """What is wrong with the schedules of a source; None for one that is none any more.

    `calendars` says what is wrong with those that schedules follow, by the schedule's ref.
    """
    source = declaring.source(tx, spec)
    if source is None:
        return None
    declared = declaring.of_kinds(tx, source.id, (rostering.KIND,))
    ahead = Span(tx.now, tx.now + watching.AHEAD)
    rosters = rostering.rosters(tx, [one.ref for one in declared], ahead)
    return [
        fault
        for one in declared
        if one.ref in rosters
        for fault in _of_one(one, rosters[one.ref], ahead, calendars)
    ]


def _of_one(
    one: Declaration, roster: Roster, ahead: Span, calendars: Mapping[str, Sequence[str]]
) -> list[Faulty]:
    found = [
        Faulty(one, "schedule-time", Severity.ERROR, _path(field), why)
        for field, why in turns.faulty(roster.spec)
    ]
    found += [
        Faulty(one, "schedule-person", Severity.WARNING, _place(roster, ref), _nobody(ref))
        for ref in roster.gone
    ]
    found += [
        Faulty(one, "schedule-calendar", Severity.WARNING, ("calendar",), words)
        for words in calendars.get(one.ref, ())[:MOST_WORDS]
    ]
    if roster.fault or roster.spec.optional:
        return found
    gaps = turns.gaps(turns.shifts(roster.watch, ahead))
    if gaps:
        first = gaps[0]
        message = (
            f"nobody has the watch from {words.stamp(first.start)} to {words.stamp(first.end)} UTC"
            + (f", and {len(gaps) - 1} times more in 14 days" if gaps[1:] else "")
            + "; optional: true says that this is meant"
        )
        found.append(Faulty(one, "schedule-gap", Severity.WARNING, ("layers",), message))
    return found


def _nobody(ref: str) -> str:
    return f"{ref} is not in the catalog: their turns have nobody"


def _place(roster: Roster, ref: str) -> Path:
    """Where a schedule names someone, as far as one can tell by the name."""
    name = ref.rpartition("/")[2]
    for number, layer in enumerate(roster.spec.layers):
        for place, written in enumerate(layer.people):
            if written.lower().rpartition("/")[2].rpartition(":")[2] == name:
                return ("layers", number, "people", place)
    return ("layers",)


def _path(field: str) -> Path:
    return tuple(int(part) if part.isdecimal() else part for part in field.split("."))


def settle(tx: Tx, spec: str, found: Sequence[Faulty], places: Mapping[str, Places]) -> None:
    """Tell of these, and of no others; `places` are those of files, by ref."""
    if (source := declaring.source(tx, spec)) is not None:
        reporting.report(tx, BY, source.id, [_problem(one, places) for one in found])


def _problem(one: Faulty, places: Mapping[str, Places]) -> Problem:
    locate = places.get(one.declaration.path, {}).get(one.declaration.ref)
    at = locate(("spec", *one.field)) if locate else Position(1)
    return Problem(
        code=one.code,
        severity=one.severity,
        message=one.message,
        file=one.declaration.path,
        line=at.line,
        column=at.column,
        ref=one.declaration.ref,
        field=".".join(map(str, ("spec", *one.field))),
    )


def concerned(tx: Tx, refs: Sequence[str] | None = None) -> list[str]:
    """Sources of schedules that are to be looked at: all, or when these entities changed.

    Schedules name people and groups of other sources.
    """
    if refs is not None and not any(
        ref.startswith((f"{rostering.KIND}:", "user:", "group:")) for ref in refs
    ):
        return []
    every = rostering.every(tx, Span(tx.now, tx.now))
    return declaring.specs_of(tx, sorted(every))
