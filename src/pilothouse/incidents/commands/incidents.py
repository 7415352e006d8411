"""Incidents on the command line: `pilothouse incident`, `pilothouse drill`."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from pilothouse.incidents.model.incidents import SEVERITIES, STATUS_WORDS
from pilothouse.incidents.service import drilling, opening, reading, showing, steering, writing
from pilothouse.incidents.service.asked import person_of, status_of
from pilothouse.kernel import clock, words
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.program import Program
from pilothouse.kernel.refs import EntityRef

if TYPE_CHECKING:
    from pilothouse.incidents.model.incidents import Incident
    from pilothouse.incidents.service.showing import Shown

Open = Callable[..., Program]
LAST = 20  # lines of a timeline
FIRST = 3  # suspects


def register(cli: App, open_program: Open) -> None:
    """Give the program the commands."""
    incident = App(name="incident", help="Incidents: open, read and steer them.")
    cli.command(incident)
    _reading(incident, open_program)
    _opening(cli, incident, open_program)
    _steering(incident, open_program)


def _reading(incident: App, open_program: Open) -> None:
    @incident.command(name="list")
    def list_(*, all: bool = False, drills: bool = False, data: Path | None = None) -> int:  # noqa: A002
        """List open incidents, the worst first. Exits with 1 when there are any.

        Parameters
        ----------
        all
            Also those that are over, the newest first.
        drills
            Also rehearsals that are over.
        data
            Folder of the database.
        """
        with _db(open_program, data).db.read(_me()) as tx:
            now = reading.open_incidents(tx)
            found = reading.recent(tx, drills=drills) if all or drills else now
        for one in found:
            print(_line(one))  # noqa: T201
        if not found:
            print("No incidents." if all else "No incident is open.")  # noqa: T201
        return 1 if any(not one.drill for one in now) else 0

    @incident.command
    def show(number: str, *, data: Path | None = None) -> None:
        """Show an incident: who works on it, the first suspects, the last of its timeline.

        Parameters
        ----------
        number
            Its number.
        data
            Folder of the database.
        """
        with _db(open_program, data).db.read(_me()) as tx:
            found = showing.page(tx, number)
        print("\n  ".join(_told(found)))  # noqa: T201


def _told(found: Shown) -> list[str]:
    """An incident in lines, the first of them what it is."""
    lines = [_line(found.incident)]
    lines += [f"{held.role}: {held.person}" for some in found.holders.values() for held in some]
    if found.drill:
        for name in ("acknowledged", "owner_found", "runbook_opened"):
            took = getattr(found.drill, name)
            said = "not yet" if took is None else f"after {words.span(took)}"
            lines.append(f"{name.replace('_', ' ')}: {said}")
    suspects = found.suspects.found.suspects if found.suspects.found else []
    for place, one in enumerate(suspects[:FIRST], 1):
        lines.append(f"suspect {place}: {one.change.title} ({one.word})")
    for entry in found.timeline[:LAST]:
        lines.append(f"{entry.at:%Y-%m-%d %H:%M:%S} {entry.words[:200]}")
    return lines


def _opening(cli: App, incident: App, open_program: Open) -> None:
    @incident.command(name="open")
    def open_(
        title: str,
        *,
        entity: str = "",
        severity: int = 3,
        restricted: bool = False,
        people: tuple[str, ...] = (),
        data: Path | None = None,
    ) -> None:
        """Open an incident.

        Parameters
        ----------
        title
            What is broken, in a sentence: thing, state, place.
        entity
            What it is mainly about: component:default/checkout, or just checkout.
        severity
            1 (most customers) to 4 (nobody outside notices yet).
        restricted
            Only those who are named know of it.
        people
            Who they are, beside you: user:default/maya.
        data
            Folder of the database.
        """
        wanted = opening.Wanted(
            title=title,
            entity=_ref(entity),
            severity=severity,
            restricted=restricted,
            people=tuple(str(EntityRef.parse(one, "user")) for one in people),
        )
        with _db(open_program, data).db.begin(_me()) as tx:
            found = opening.begin(tx, wanted)
        print(_line(found))  # noqa: T201

    @cli.command
    def drill(service: str, *, title: str = "", data: Path | None = None) -> None:
        """Rehearse: page whoever has the watch for a service, as if it were broken.

        It is marked as a rehearsal everywhere and counts nowhere. How long it took until it was
        acknowledged, an owner was found and a runbook opened stands on its page, and is printed by
        `pilothouse incident show`.

        Parameters
        ----------
        service
            component:default/checkout, or just checkout.
        title
            What is to look broken.
        data
            Folder of the database.
        """
        with _db(open_program, data).db.begin(_me()) as tx:
            found = drilling.begin(tx, _ref(service), title)
        print(_line(found))  # noqa: T201


def _steering(incident: App, open_program: Open) -> None:
    @incident.command
    def status(number: str, status: str, *, data: Path | None = None) -> None:
        """Say how far one is with it.

        Parameters
        ----------
        number
            Its number.
        status
            investigating, identified or monitoring; for what is over there is `resolve`.
        data
            Folder of the database.
        """
        wanted = status_of(status)
        with _db(open_program, data).db.begin(_me()) as tx:
            found = steering.set_status(tx, reading.incident(tx, number), wanted)
        print(_line(found))  # noqa: T201

    @incident.command
    def note(number: str, text: str, *, command: bool = False, data: Path | None = None) -> None:
        """Write a note into its timeline.

        Parameters
        ----------
        number
            Its number.
        text
            Markdown.
        command
            It is a command with what it printed.
        data
            Folder of the database.
        """
        with _db(open_program, data).db.begin(_me()) as tx:
            one = reading.incident(tx, number)
            writing.note(tx, one, text, "command" if command else "note")
        print(f"Noted in incident {one.number}.")  # noqa: T201

    @incident.command
    def update(
        number: str,
        text: str,
        *,
        public: bool = False,
        minutes: int | None = None,
        data: Path | None = None,
    ) -> None:
        """Tell people how it stands.

        Parameters
        ----------
        number
            Its number.
        text
            Markdown.
        public
            For everybody, not only for us.
        minutes
            Until the next one; else as the severity asks.
        data
            Folder of the database.
        """
        audience = "public" if public else "internal"
        with _db(open_program, data).db.begin(_me()) as tx:
            found = writing.update(tx, reading.incident(tx, number), text, audience, minutes)
        next_at = f"; the next one by {found.next_update_at:%H:%M} UTC" if found.open else ""
        print(f"Told{next_at}.")  # noqa: T201

    @incident.command
    def role(
        number: str, role: str, person: str, *, leave: bool = False, data: Path | None = None
    ) -> None:
        """Give somebody a role.

        Parameters
        ----------
        number
            Its number.
        role
            commander, communications, scribe or responder.
        person
            user:default/maya, or just maya.
        leave
            They lay it down.
        data
            Folder of the database.
        """
        with _db(open_program, data).db.begin(_me()) as tx:
            who = person_of(tx, str(EntityRef.parse(person, "user")))
            one = reading.incident(tx, number)
            (steering.let_go if leave else steering.take_role)(tx, one, role, who)
        print(f"{who} {'laid down' if leave else 'has'} the role {role}.")  # noqa: T201

    @incident.command
    def merge(number: str, into: str, *, data: Path | None = None) -> None:
        """Make it part of another incident.

        Parameters
        ----------
        number
            Its number.
        into
            The number of the other.
        data
            Folder of the database.
        """
        with _db(open_program, data).db.begin(_me()) as tx:
            target = reading.incident(tx, into)
            found = steering.merge(tx, reading.incident(tx, number), target)
        print(_line(found))  # noqa: T201

    @incident.command
    def reopen(number: str, why: str = "", *, data: Path | None = None) -> None:
        """Say that it is not over after all.

        Parameters
        ----------
        number
            Its number.
        why
            How one knows.
        data
            Folder of the database.
        """
        with _db(open_program, data).db.begin(_me()) as tx:
            found = steering.reopen(tx, reading.incident(tx, number), why[:500])
        print(_line(found))  # noqa: T201

    @incident.command
    def resolve(number: str, fix: str, *, data: Path | None = None) -> None:
        """Say that it is over, with its pages.

        Parameters
        ----------
        number
            Its number.
        fix
            What fixed it.
        data
            Folder of the database.
        """
        with _db(open_program, data).db.begin(_me()) as tx:
            found = steering.resolve(tx, reading.incident(tx, number), fix)
        print(_line(found))  # noqa: T201


def _db(open_program: Open, data: Path | None) -> Program:
    return open_program(data=data and str(data), log_level="warning")


def _ref(written: str) -> str:
    return str(EntityRef.parse(written, "component")) if written else ""


def _me() -> Actor:
    """Who has this shell; restricted incidents are theirs where `cli:<name>` opened them."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "unknown"
    return Actor(f"cli:{name}", name, Role.ADMIN)


def _line(one: Incident) -> str:
    marks = "".join([" DRILL" if one.drill else "", " RESTRICTED" if one.restricted else ""])
    state = STATUS_WORDS[one.status] if not one.merged_into else "Part of another"
    severity = SEVERITIES[one.severity].word
    end = one.resolved_at or clock.now()
    return f"{one.number} {severity} {state}{marks}: {one.title} ({words.span(end - one.onset_at)})"
