"""Who asks: one query for each request that shows something."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.auth import rules, store
from pilothouse.kernel.auth.formats import digest
from pilothouse.kernel.auth.model import Asked, Person

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx


def by_session(tx: Tx, secret: str, idle: timedelta, providers: frozenset[str]) -> Asked | None:
    """Who has a session; None when there is no such, or it has ended.

    `providers` are those that are set up: people of others are not let in.
    """
    found = store.sessions.session_of(tx.conn, digest(secret))
    if found is None:
        return None
    session, person = found
    if person.gone_at or person.provider not in providers:
        return None
    if rules.session_ends(tx.now, session.seen_at, session.expires_at, idle):
        return None
    return Asked(actor_of(person), person, session=session)


def by_token(tx: Tx, secret: str, providers: frozenset[str]) -> Asked | str:  # noqa: PLR0911  one for each answer
    """Who has an API token; words when it is none, expired, or rests."""
    found = store.tokens.token_of(tx.conn, digest(secret))
    if found is None:
        return "this API token is not known here, or it was revoked"
    token, person = found
    if token.expires_at <= tx.now:
        return "this API token has expired"
    if person is None:
        role = rules.role_of(token.scopes, Role.ADMIN)
        narrow = rules.narrow_of(token.scopes, Role.ADMIN)
        program = Actor(
            f"token:{token.name}", token.name, role, scopes=narrow, location=token.location
        )
        return Asked(program, token=token)
    if person.gone_at or person.provider not in providers:
        return "the person whose API token this is was not found at their provider any more"
    if rules.token_rests(tx.now, person):
        return "this API token rests until the person whose it is signs in again"
    actor = actor_of(person)
    role = rules.role_of(token.scopes, actor.role)
    narrow = rules.narrow_of(token.scopes, actor.role)
    # Being of the owning team gives editing rights, so a token that may only read has no team.
    if not {"write", "admin"}.isdisjoint(token.scopes):
        return Asked(msgspec.structs.replace(actor, role=role, scopes=narrow), person, token=token)
    program = Actor(actor.id, actor.name, role, scopes=narrow, location=token.location)
    return Asked(program, person, token=token)


def actor_of(person: Person) -> Actor:
    """A person as the one who does something."""
    return Actor(person.actor_id, person.shown, Role(person.role), person.ref, person.teams)


def stale(tx: Tx, asked: Asked) -> bool:
    """Whether "last used" should be written anew."""
    if asked.session:
        return tx.now - asked.session.seen_at >= rules.TOUCH
    used = asked.token.used_at if asked.token else tx.now
    return used is None or tx.now - used >= rules.TOUCH


def touch(tx: Tx, asked: Asked) -> None:
    """Note that what was shown is in use."""
    if asked.session:
        store.sessions.touch_session(tx.conn, asked.session.id, tx.now)
    elif asked.token:
        store.tokens.touch_token(tx.conn, asked.token.id, tx.now)
