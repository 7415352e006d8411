"""Contact methods on the command line, for first set-up: `pilothouse oncall method`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from cyclopts import App

from pilothouse.kernel import clock
from pilothouse.kernel.auth.outside import keys
from pilothouse.kernel.errors import Invalid, NotFound
from pilothouse.kernel.program import Program
from pilothouse.kernel.refs import EntityRef
from pilothouse.oncall.outside import providers, sending
from pilothouse.oncall.rules import contacts
from pilothouse.oncall.service import methods, noticing

Open = Callable[..., Program]


def add(oncall: App, open_program: Open) -> None:
    """Give `pilothouse oncall` the commands."""
    method = App(name="method", help="How people are reached.")
    oncall.command(method)
    _changing(method, open_program)
    _looking(method, open_program)


def _person(written: str) -> str:
    return str(EntityRef.parse(written, "user"))


def _changing(method: App, open_program: Open) -> None:
    @method.command(name="add")
    def add_(  # noqa: PLR0913  one for each channel
        *,
        person: str,
        email: str = "",
        ntfy: str = "",
        slack: str = "",
        sms: str = "",
        voice: str = "",
        webhook: str = "",
        apprise: str = "",
        inbox: bool = False,
        after: int = 0,
        urgency: Literal["both", "high", "low"] = "both",
        data: Path | None = None,
    ) -> None:
        """Give a person one more way to be reached, behind those they have.

        Parameters
        ----------
        person
            user:default/maya, or just maya.
        email
            A mail address.
        ntfy
            https://ntfy.sh/topic; where it wants one, a token behind a space.
        slack
            The ID of a member or channel.
        sms
            A telephone number for text messages: +49 151 23456789.
        voice
            A telephone number for calls.
        webhook
            An address that messages are posted to.
        apprise
            An Apprise URL.
        inbox
            The inbox of the demo.
        after
            Minutes after the page that it is used, unless somebody has the page by then.
        urgency
            Which pages it is for.
        data
            Folder of the database.
        """
        asked = {
            "email": email,
            "ntfy": ntfy,
            "slack": slack,
            "sms": sms,
            "voice": voice,
            "webhook": webhook,
            "apprise": apprise,
            "inbox": "inbox" if inbox else "",
        }
        program = open_program(data=data and str(data), log_level="warning")
        key, delay = keys.secret_key(program.settings), contacts.after(str(after))
        named = [(channel, address) for channel, address in asked.items() if address]
        if not named:
            raise Invalid("say how: --email, --ntfy, --slack, --sms, --voice, --webhook, --apprise")
        with program.db.begin() as tx:
            for channel, address in named:
                wanted = methods.wanted(channel, address, delay, urgency)
                made = methods.add(tx, key, _person(person), wanted)
                print(f"{made.id} {made.channel} {made.hint}")  # noqa: T201

    @method.command
    def remove(id: str, *, data: Path | None = None) -> None:  # noqa: A002
        """Take a method away.

        Parameters
        ----------
        id
            As `list` prints it.
        data
            Folder of the database.
        """
        program = open_program(data=data and str(data), log_level="warning")
        with program.db.begin() as tx:
            found = methods.remove(tx, id)
        print(f"{found.channel} {found.hint} of {found.person} removed")  # noqa: T201


def _looking(method: App, open_program: Open) -> None:
    @method.command(name="list")
    def list_(person: str, *, data: Path | None = None) -> int:
        """List a person's methods in their order. Exits with 1 when there is none.

        Parameters
        ----------
        person
            user:default/maya, or just maya.
        data
            Folder of the database.
        """
        program = open_program(data=data and str(data), log_level="warning")
        with program.db.read() as tx:
            found = methods.of(tx, [_person(person)])[_person(person)]
        for one in found:
            tested = "tested" if one.tested_at else "never tested"
            failing = f", failing: {one.answer}" if one.failing_since else ""
            delay = f" after {one.after // 60} min" if one.after else ""
            print(f"{one.id} {one.channel} {one.hint}{delay}, {tested}{failing}")  # noqa: T201
        return 0 if found else 1

    @method.command
    def test(id: str, *, data: Path | None = None) -> int:  # noqa: A002
        """Send a test by a method, and print what the provider answered. Exits with 1 if it failed.

        Parameters
        ----------
        id
            As `list` prints it.
        data
            Folder of the database.
        """
        program = open_program(data=data and str(data), log_level="warning")
        to = providers.of(program.settings, keys.secret_key(program.settings))
        with program.db.read() as tx:
            known = methods.find(tx, id)
            found = methods.opened(tx, to.key, known.id, known.person)
        if found is None:
            raise NotFound("there is no such contact method")
        now = clock.now()
        message = noticing.test_message(to.home, found.person, clock.uuid7(), now)
        answer = sending.send(found, message, to)
        with program.db.begin() as tx:
            methods.answered(tx, found.id, answer)
        said = f"{answer.status or ''} {answer.words}".strip()
        print(said, file=sys.stdout if answer.fine else sys.stderr)
        return 0 if answer.fine else 1
