"""Pages on the command line. They are written into the database of the settings."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from pilothouse.kernel import clock, durations
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import Invalid, NotFound
from pilothouse.kernel.program import Program
from pilothouse.oncall.rules.words import lasted, short
from pilothouse.oncall.service import asking, handling, paging, reading, silencing

if TYPE_CHECKING:
    from pilothouse.oncall.model.paging import Page

Open = Callable[..., Program]


def register(oncall: App, open_program: Open) -> None:
    """Give `pilothouse oncall` what can be done with pages."""
    _reading(oncall, open_program)
    _steering(oncall, open_program)
    _asking(oncall, open_program)
    _silencing(oncall, open_program)


def _reading(oncall: App, open_program: Open) -> None:
    @oncall.command(name="list")
    def list_(*, all: bool = False, data: Path | None = None) -> int:  # noqa: A002
        """List open pages, the newest first. Exits with 1 when there are any.

        Parameters
        ----------
        all
            Also those that are over.
        data
            Folder of the database.
        """
        with _db(open_program, data).db.read() as tx:
            found = reading.recent(tx) if all else reading.open_pages(tx)
            waiting = sum(reading.counts(tx).values())
        for page in found:
            print(_line(page))  # noqa: T201
        if not found:
            print("No pages." if all else "No open pages.")  # noqa: T201
        return 1 if waiting else 0

    @oncall.command
    def show(page: str, *, data: Path | None = None) -> None:
        """Show a page: its alerts, whom it told, and what is next.

        Parameters
        ----------
        page
            Its number.
        data
            Folder of the database.
        """
        with _db(open_program, data).db.read() as tx:
            found = reading.page(tx, page)
            alerts = reading.alerts(tx, found.id, 10)
            told = reading.notifications(tx, found.id)
        print(_line(found))  # noqa: T201
        print(f"  policy: {found.plan.policy or 'none, only the last resort'}")  # noqa: T201
        for fault in found.plan.faults:
            print(f"  fault: {fault}")  # noqa: T201
        if found.next_at:
            print(f"  next step: {found.next_at:%Y-%m-%d %H:%M:%S} UTC")  # noqa: T201
        for alert in alerts:
            over = ", over" if alert.cleared_at else ""
            print(f"  alert: {short(alert.signal.summary)} ({alert.count}x{over})")  # noqa: T201
        for one in told:
            said = f": {one.status or ''} {one.answer}".rstrip(": ")
            print(f"  {one.progress}: {one.person} by {one.channel} {one.to}{said}")  # noqa: T201


def _steering(oncall: App, open_program: Open) -> None:
    @oncall.command
    def ack(page: str, *, by: str = "", data: Path | None = None) -> None:
        """Acknowledge a page: nobody else is told.

        Parameters
        ----------
        page
            Its number.
        by
            Who has it: user:default/maya. Default: you, by the name on this machine.
        data
            Folder of the database.
        """
        with _db(open_program, data).db.begin() as tx:
            which = reading.page(tx, page).id
            done = paging.acknowledge(tx, which, by or _person(), "cli")
        print(_line(done.page) if done.changed else f"It was {done.page.state} already.")  # noqa: T201
        for one in done.in_flight:
            print(f"  on its way already: {one.person} by {one.channel}")  # noqa: T201

    @oncall.command
    def snooze(page: str, until: str, *, by: str = "", data: Path | None = None) -> None:
        """Let a page wait.

        Parameters
        ----------
        page
            Its number.
        until
            How long, as 2h, or until when, as 2026-11-24T08:00Z.
        by
            Who says so. Default: you.
        data
            Folder of the database.
        """
        end = _moment(until)
        with _db(open_program, data).db.begin() as tx:
            found = paging.snooze(tx, reading.page(tx, page).id, end, by or _person())
        print(_line(found))  # noqa: T201

    @oncall.command
    def resolve(page: str, *, by: str = "", data: Path | None = None) -> None:
        """Say that a page is over, with all its alerts.

        Parameters
        ----------
        page
            Its number.
        by
            Who says so. Default: you.
        data
            Folder of the database.
        """
        with _db(open_program, data).db.begin() as tx:
            found = paging.resolve(tx, reading.page(tx, page).id, by or _person(), "cli")
        print(_line(found))  # noqa: T201


def _asking(oncall: App, open_program: Open) -> None:
    @oncall.command
    def page(
        entity: str, *, why: str, low: bool = False, by: str = "", data: Path | None = None
    ) -> None:
        """Page whoever has the watch of a service or a team.

        Parameters
        ----------
        entity
            What for: checkout, group:payments.
        why
            What you need from them.
        low
            It can wait for the end of quiet hours.
        by
            Who asks. Default: you.
        data
            Folder of the database.
        """
        asks = Actor(by or _person(), by or _person(), Role.ADMIN)
        with _db(open_program, data).db.begin() as tx:
            asked = asking.ask(tx, asks, entity, why, "low" if low else "high")
        print(_line(asked.page))  # noqa: T201
        if asked.joined:
            print("It joined this page, which was open: nobody is told anew.")  # noqa: T201

    @oncall.command
    def reassign(
        page: str, to: str, *, why: str = "", by: str = "", data: Path | None = None
    ) -> None:
        """Give a page to others: they are told now.

        Parameters
        ----------
        page
            Its number.
        to
            A person, a team or a schedule: maya, group:payments, schedule:payments.
        why
            Why, for those who read it.
        by
            Who says so. Default: you.
        data
            Folder of the database.
        """
        with _db(open_program, data).db.begin() as tx:
            which, ref = reading.page(tx, page).id, handling.whom(tx, to)
            found = paging.reassign(tx, which, [ref], by or _person(), handling.reason(why))
        print(_line(found))  # noqa: T201

    @oncall.command(name="add")
    def add_responder(
        page: str, person: str, *, why: str = "", by: str = "", data: Path | None = None
    ) -> None:
        """Ask one more person to help with a page, also when somebody has it.

        Parameters
        ----------
        page
            Its number.
        person
            Who: maya.
        why
            What you need from them.
        by
            Who says so. Default: you.
        data
            Folder of the database.
        """
        with _db(open_program, data).db.begin() as tx:
            which, ref = reading.page(tx, page).id, handling.whom(tx, person, ("user",))
            found = paging.add_responder(tx, which, ref, by or _person(), handling.reason(why))
        print(_line(found))  # noqa: T201


def _silencing(oncall: App, open_program: Open) -> None:
    @oncall.command
    def silence(
        *labels: str,
        entity: str = "",
        until: str,
        why: str,
        by: str = "",
        data: Path | None = None,
    ) -> None:
        """Keep alerts from paging for a while. What lasts longer pages then.

        Parameters
        ----------
        labels
            Labels that an alert must have, as name=value.
        entity
            What it must be about: component:default/checkout.
        until
            How long, as 2h, or until when, as 2026-11-24T08:00Z.
        why
            The reason, which others see.
        by
            Who says so. Default: you.
        data
            Folder of the database.
        """
        if wrong := [one for one in labels if "=" not in one]:
            raise Invalid(f"{wrong[0]!r} is no label; write name=value")
        pairs = dict(one.split("=", 1) for one in labels)
        wanted = silencing.Wanted(entity=entity, labels=pairs, end=_moment(until), why=why)
        with _db(open_program, data).db.begin() as tx:
            made = silencing.silence(tx, wanted, by or _person())
        print(f"Silence {made.id} until {made.end:%Y-%m-%d %H:%M} UTC.")  # noqa: T201

    @oncall.command
    def unsilence(silence: str, *, by: str = "", data: Path | None = None) -> None:
        """End a silence now. What it kept back pages.

        Parameters
        ----------
        silence
            Its id, as `pilothouse oncall silence` printed it.
        by
            Who says so. Default: you.
        data
            Folder of the database.
        """
        with _db(open_program, data).db.begin() as tx:
            silencing.end(tx, silence, by or _person())
        print("Ended.")  # noqa: T201


def _db(open_program: Open, data: Path | None) -> Program:
    return open_program(data=data and str(data))


def _line(page: Page) -> str:
    since = lasted(page.opened_at, clock.now())
    drill = " DRILL" if page.drill else ""
    head = f"{page.number} {page.state} {page.urgency}{drill} {page.entity or '-'}"
    return f"{head}: {short(page.summary, 100)} ({since})"


def _moment(text: str) -> datetime:
    """The instant that `2h` from now, or a time as people write it, is. Raises Invalid."""
    if text[:1].isdigit() and text[-1:].isalpha() and "T" not in text:
        length: timedelta = durations.parse(text)
        return clock.now() + length
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text!r} is no time; write 2h, or 2026-11-24T08:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _person() -> str:
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError) as error:
        raise NotFound("say who you are with --by") from error
