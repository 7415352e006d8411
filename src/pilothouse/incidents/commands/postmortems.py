"""Post-mortems on the command line: `pilothouse postmortem`, `pilothouse action`."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from datetime import date
from pathlib import Path

from cyclopts import App

from pilothouse.incidents.model.postmortems import State, Wanted
from pilothouse.incidents.service import (
    actions,
    keeping,
    postmortems,
    reading,
    showing_postmortems,
)
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.program import Program
from pilothouse.kernel.refs import EntityRef

Open = Callable[..., Program]
FINDINGS = 1


def register(cli: App, open_program: Open) -> None:
    """Give the program the commands."""
    postmortem = App(name="postmortem", help="Post-mortems: list, draft, read, publish.")
    action = App(name="action", help="Action items: at most three each, every one somebody's.")
    cli.command(postmortem)
    cli.command(action)
    _reading(postmortem, open_program)
    _writing(postmortem, open_program)
    _listing_items(action, open_program)
    _closing_items(action, open_program)


def _reading(postmortem: App, open_program: Open) -> None:
    @postmortem.command(name="list")
    def list_(*, data: Path | None = None) -> int:
        """List post-mortems; exits with 1 where some are to be written.

        Parameters
        ----------
        data
            Folder of the database.
        """
        with _program(open_program, data).db.read(_me()) as tx:
            found = showing_postmortems.listing(tx)
        for line in (*found.waiting, *found.others):
            due = f", due {line.postmortem.due_on}" if line in found.waiting else ""
            print(f"{line.incident.number} {line.state[1]}{due}: {line.incident.title}")  # noqa: T201
        return FINDINGS if found.waiting else 0

    @postmortem.command
    def show(number: int, *, data: Path | None = None) -> None:
        """Print one as Markdown.

        Parameters
        ----------
        number
            Of its incident.
        data
            Folder of the database.
        """
        with _program(open_program, data).db.read(_me()) as tx:
            print(keeping.markdown(tx, number))  # noqa: T201

    @postmortem.command
    def export(folder: Path, *, data: Path | None = None) -> None:
        """Write all published ones as Markdown files into a folder.

        Parameters
        ----------
        folder
            Where to; it is made if it is not there.
        data
            Folder of the database.
        """
        with _program(open_program, data).db.read(_me()) as tx:
            found = keeping.files(tx)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in found.items():
                (folder / name).write_text(text)
        except OSError as error:
            raise Invalid(f"{folder} cannot be written to: {error.strerror}") from None
        print(f"{len(found)} written to {folder}")  # noqa: T201


def _writing(postmortem: App, open_program: Open) -> None:
    @postmortem.command
    def draft(number: int, *, data: Path | None = None) -> None:
        """Draft one from what is known of an incident.

        Parameters
        ----------
        number
            Of the incident.
        data
            Folder of the database.
        """
        with _program(open_program, data).db.begin(_me()) as tx:
            made = postmortems.draft(tx, reading.incident(tx, number))
        print(f"/postmortems/{number}" + ("" if made else " was there already"))  # noqa: T201

    @postmortem.command
    def publish(number: int, *, data: Path | None = None) -> None:
        """Publish one: two sprints begin for its action items.

        Parameters
        ----------
        number
            Of its incident.
        data
            Folder of the database.
        """
        with _program(open_program, data).db.begin(_me()) as tx:
            found = postmortems.publish(tx, number)
        print(f"Published. What is not done by {found.postmortem.ends_on} is escalated.")  # noqa: T201

    @postmortem.command
    def waive(number: int, why: str, *, data: Path | None = None) -> None:
        """Say by name that one need not be written.

        Parameters
        ----------
        number
            Of its incident.
        why
            The reason; it stands on its page beside your name.
        data
            Folder of the database.
        """
        with _program(open_program, data).db.begin(_me()) as tx:
            postmortems.waive(tx, number, why)
        print("Waived.")  # noqa: T201


def _listing_items(action: App, open_program: Open) -> None:
    @action.command(name="list")
    def list_(*, owner: str = "", state: str = "", data: Path | None = None) -> int:
        """List action items that stand; exits with 1 where some are escalated.

        Parameters
        ----------
        owner
            Of one person: user:default/maya, or just maya.
        state
            open, done, escalated or deprioritized; without it what is open or escalated.
        data
            Folder of the database.
        """
        if state and state not in list(State):
            raise Invalid(f"{state[:40]!r} is no state; it is one of {', '.join(State)}")
        people = [str(EntityRef.parse(owner, "user"))] if owner else []
        states = [State(state)] if state else showing_postmortems.STANDING
        with _program(open_program, data).db.read(_me()) as tx:
            found = showing_postmortems.of(tx, states, people)
        for one in found:
            item = one.action
            words = f"{one.number}.{item.slot} {one.state[1]}, due {item.due_on}, {one.owner.title}"
            print(f"{words}: {item.title}")  # noqa: T201
        late = not state and any(one.action.state is State.ESCALATED for one in found)
        return FINDINGS if late else 0

    @action.command
    def add(
        number: int,
        title: str,
        *,
        owner: str,
        due: str,
        proof: str,
        data: Path | None = None,
    ) -> None:
        """Add an action item to a post-mortem; it has at most three.

        Parameters
        ----------
        number
            Of the incident.
        title
            What is to be done.
        owner
            Whose it is: exactly one person, user:default/maya or just maya.
        due
            A day before the two sprints are over: 2026-12-01.
        proof
            How one will see that it is done.
        data
            Folder of the database.
        """
        wanted = Wanted(
            title=title, proof=proof, owner=str(EntityRef.parse(owner, "user")), due_on=_day(due)
        )
        with _program(open_program, data).db.begin(_me()) as tx:
            made = actions.add(tx, number, wanted)
        print(f"{number}.{made.slot}")  # noqa: T201


def _closing_items(action: App, open_program: Open) -> None:
    @action.command
    def done(item: str, evidence: str, *, data: Path | None = None) -> None:
        """Say that an action item is done.

        Parameters
        ----------
        item
            The number of its incident and its place, as `action list` prints it: 7.2
        evidence
            A link, or what one sees.
        data
            Folder of the database.
        """
        with _program(open_program, data).db.begin(_me()) as tx:
            actions.done(tx, *_place(item), evidence)
        print(f"{item} is done.")  # noqa: T201

    @action.command
    def drop(item: str, why: str, *, data: Path | None = None) -> None:
        """Deprioritize an action item by name; it keeps its place.

        Parameters
        ----------
        item
            The number of its incident and its place, as `action list` prints it: 7.2
        why
            The reason; it stands on the page beside your name.
        data
            Folder of the database.
        """
        with _program(open_program, data).db.begin(_me()) as tx:
            actions.drop(tx, *_place(item), why)
        print(f"{item} is deprioritized.")  # noqa: T201


def _place(item: str) -> tuple[int, int]:
    number, _, slot = item.partition(".")
    if not (number.isdecimal() and slot.isdecimal() and len(item) <= 12):  # noqa: PLR2004
        raise Invalid(f"{item[:40]!r} names no action item; write 7.2: incident 7, the second item")
    return int(number), int(slot)


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise Invalid(f"{written[:40]!r} is no day; write 2026-12-01") from None


def _program(open_program: Open, data: Path | None) -> Program:
    return open_program(data=data and str(data), log_level="warning")


def _me() -> Actor:
    """Who has this shell."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "unknown"
    return Actor(f"cli:{name}", name, Role.ADMIN)
