"""Users and API tokens on the command line. Whoever can run it here has the database anyway."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from pilothouse.kernel.actors import Actor, Identity, Role
from pilothouse.kernel.auth import rules
from pilothouse.kernel.auth.formats import hashed
from pilothouse.kernel.auth.model import LOCAL, NARROW_SCOPES, ROLE_SCOPES
from pilothouse.kernel.auth.service import people, tokens
from pilothouse.kernel.errors import Invalid, NotFound
from pilothouse.kernel.program import Program
from pilothouse.kernel.words import utc

Open = Callable[..., Program]
RoleName = Literal["viewer", "responder", "editor", "admin"]
Data = Annotated[Path | None, Parameter(help="Folder for the database.")]
DAYS = 90
SCOPES = ", ".join([*ROLE_SCOPES, *NARROW_SCOPES])
Scopes = Annotated[list[str], Parameter(negative=(), help=f"What it may do: {SCOPES}.")]


def _operator() -> Actor:
    """Who runs the command, as the journal calls them."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = str(os.getuid())
    return Actor(f"terminal:{name}", name, Role.ADMIN)


def register(cli: App, open_program: Open) -> None:
    """Add the commands of sign-in to the program's."""
    users = App(name="user", help="People who sign in with a name and a password.")
    for adds in (_add_user, _list_users, _remove_user, _change_password):
        adds(users, open_program)
    secrets = App(name="token", help="API tokens: what programs sign in with.")
    for adds in (_create_token, _list_tokens, _revoke_token):
        adds(secrets, open_program)
    cli.command(users)
    cli.command(secrets)


def _add_user(app: App, open_program: Open) -> None:
    @app.command
    def add(
        name: str,
        *,
        role: RoleName = "viewer",
        title: str = "",
        email: str = "",
        data: Data = None,
    ) -> None:
        """Let someone sign in; the password is asked for, or read from standard input.

        Parameters
        ----------
        name
            What they type to sign in; where the catalog has a User of this name, it is them.
        role
            What they may do.
        title
            How pages call them: "Maya Okafor".
        email
            Their address, by which the catalog's User can be found as well.
        """
        program = _quiet(open_program, data)
        name = rules.check_name(name)
        identity = Identity(LOCAL, name, name, title, email.strip().lower())
        kept = hashed(_password(name))
        with program.db.begin(_operator()) as tx:
            added = people.add_local(tx, identity, Role[role.upper()], kept)
        as_whom = f", as {added.ref} of the catalog" if added.ref else ""
        _say(f"{added.name} may sign in and is {role}{as_whom}")
        if not program.settings.local_users:
            _say("Set local_users = true and start Pilothouse again, so that they can.")


def _list_users(app: App, open_program: Open) -> None:
    @app.command(name="list")
    def list_(*, data: Data = None) -> None:
        """Print who may sign in with a password."""
        program = _quiet(open_program, data)
        with program.db.read() as tx:
            found = people.local_users(tx)
        for one in found:
            seen = f"signed in {utc(one.seen_at)}" if one.seen_at else "never signed in"
            _say(f"{one.name}\t{Role(one.role).name.lower()}\t{one.ref or '-'}\t{seen}")


def _remove_user(app: App, open_program: Open) -> None:
    @app.command
    def remove(name: str, *, data: Data = None) -> None:
        """Let someone sign in no more; their sessions and tokens end at once."""
        program = _quiet(open_program, data)
        with program.db.begin(_operator()) as tx:
            removed = people.remove_local(tx, name)
        _say(f"{removed.name} is removed, with their sessions and API tokens")


def _change_password(app: App, open_program: Open) -> None:
    @app.command
    def password(name: str, *, data: Data = None) -> None:
        """Give someone another password; where they are signed in, they are no more."""
        program = _quiet(open_program, data)
        with program.db.read() as tx:
            found = _user(people.local_user(tx, name), name)
        kept = hashed(_password(found.name))
        with program.db.begin(_operator()) as tx:
            people.change_password(tx, found, kept)
        _say(f"{found.name} has another password; their sessions have ended")


def _create_token(app: App, open_program: Open) -> None:
    @app.command
    def create(  # noqa: PLR0913  one for each word of the command
        name: str = "",
        *,
        scope: Scopes | None = None,
        days: int = DAYS,
        user: str | None = None,
        location: str = "",
        kind: str = "api",
        entity: str = "",
        data: Data = None,
    ) -> None:
        """Make an API token and print it, this once.

        Parameters
        ----------
        name
            What it is for: "deployments of the shop".
        days
            How long it is valid.
        user
            The local user whose it is: it may do no more than they may, and ends with them.
        location
            With the scope agent: the only location that the agent may speak for.
        kind
            api; or events: a routing key of PagerDuty's Events API v2, which takes alerts for an
            entity and has neither scopes nor an end.
        entity
            With the kind events: whose alerts come with it, component:default/checkout.
        """
        program = _quiet(open_program, data)
        if kind != "api":
            makes = {n: make for one in program.modules for n, make in one.token_kinds.items()}
            if kind not in makes:
                raise Invalid(f"there is no kind {kind!r} of token: {', '.join(['api', *makes])}")
            with program.db.begin(_operator()) as tx:
                _say(makes[kind](tx, name, entity))
            return
        with program.db.begin(_operator()) as tx:
            owner = _user(people.local_user(tx, user), user) if user else None
            secret, made = tokens.create(tx, owner, name, scope or (), days, location)
        print(f"{made.name}: valid until {utc(made.expires_at)}", file=sys.stderr)  # noqa: T201
        _say(secret)


def _list_tokens(app: App, open_program: Open) -> None:
    @app.command(name="list")
    def list_(*, data: Data = None) -> None:
        """Print all API tokens, without what they are."""
        program = _quiet(open_program, data)
        with program.db.read() as tx:
            found, now = tokens.everybodys(tx), tx.now
        for one in found:
            token = one.token
            used = f"used {utc(token.used_at)}" if token.used_at else "never used"
            may = " ".join(token.scopes) + (f" at {token.location}" if token.location else "")
            parts = (token.hint, token.name, may, one.owner or "-")
            _say("\t".join((*parts, _until(token.expires_at, now), used)))


def _revoke_token(app: App, open_program: Open) -> None:
    @app.command
    def revoke(name: str, *, data: Data = None) -> None:
        """Have a token taken no more, at once.

        Parameters
        ----------
        name
            Its name, or its beginning as `pilothouse token list` prints it.
        """
        program = _quiet(open_program, data)
        with program.db.begin(_operator()) as tx:
            revoked = tokens.revoke_named(tx, name)
        _say(f"{revoked.name} ({revoked.hint}…) is revoked")


def _until(expires_at: datetime, now: datetime) -> str:
    return f"expired {utc(expires_at)}" if expires_at <= now else f"until {utc(expires_at)}"


def _quiet(open_program: Open, data: Path | None) -> Program:
    return open_program(data=data and str(data), log_level="warning")


def _user(found: people.Person | None, name: str) -> people.Person:
    if found is None:
        raise NotFound(f"there is no user {name!r}: see pilothouse user list")
    return found


def _password(name: str) -> str:
    """A new password: typed twice, or a line of standard input. Raises Invalid for a weak one."""
    if sys.stdin.isatty():
        first = getpass.getpass(f"Password for {name}: ")
        if getpass.getpass("Again: ") != first:
            raise Invalid("the two are not the same")
    else:
        first = sys.stdin.readline().rstrip("\n")
    rules.check_password(first, name)
    return first


def _say(text: str) -> None:
    print(text)  # noqa: T201
