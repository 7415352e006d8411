"""The watch on the command line: `pilothouse oncall who`, `pilothouse oncall import`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from cyclopts import App

from pilothouse.kernel import words
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.program import Program
from pilothouse.kernel.refs import EntityRef
from pilothouse.oncall.formats import ics
from pilothouse.oncall.model.watch import Span
from pilothouse.oncall.service import importing, rostering, showing_watch

FINDINGS = 1


def add(oncall: App, open_program: Callable[..., Program]) -> None:
    """Give `pilothouse oncall` the commands."""

    @oncall.command
    def who(service: str, *, data: Path | None = None) -> int:
        """Print who has the watch for a service or a team now. Exits with 1 when nobody has.

        Parameters
        ----------
        service
            component:default/checkout, just checkout, or group:default/payments.
        data
            Folder of the database.
        """
        program = open_program(data=data and str(data), log_level="warning")
        ref = str(EntityRef.parse(service, "component"))
        with program.db.read() as tx:
            found = showing_watch.has(tx, [ref])[ref]
        for one in found.people:
            until = found.on_call.until
            said = f" until {words.stamp(until)} UTC" if until else ""
            print(f"{one.title} ({one.ref}){said}")  # noqa: T201
        if found.on_call.fault:
            print(found.on_call.fault, file=sys.stderr)  # noqa: T201
        return 0 if found.people and not found.on_call.fault else FINDINGS

    @oncall.command(name="import")
    def import_(file: Path, *, schedule: str, data: Path | None = None) -> int:
        """Make the events of an iCalendar file overrides of a schedule, a year ahead.

        Who has the watch is who attends an event, else whom its title names: a mail address, a
        name, or both sides of a colon. Done again, it adds what is new.

        Parameters
        ----------
        file
            An .ics file.
        schedule
            schedule:default/payments, or just payments.
        data
            Folder of the database.
        """
        program = open_program(data=data and str(data), log_level="warning")
        ref = str(EntityRef.parse(schedule, "schedule"))
        body = _bytes(file)
        with program.db.begin() as tx:
            roster = rostering.roster(tx, ref, Span(tx.now, tx.now))
            span = Span(tx.now, tx.now + importing.AHEAD)
            read = ics.read(body, span, ZoneInfo(roster.watch.zone))
            found = importing.take(tx, ref, read.entries)
        for fault in read.faults:
            print(f"not understood: {fault}", file=sys.stderr)  # noqa: T201
        for title in found.unknown:
            print(f"nobody of the catalog: {title}", file=sys.stderr)  # noqa: T201
        made, known = words.counted(len(found.made), "override"), found.known
        print(f"{made} made, {known} there already")  # noqa: T201
        return FINDINGS if read.faults or found.unknown else 0


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from None
