"""Sessions: signing in, staying, signing out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.kernel.auth import rules, store
from pilothouse.kernel.auth.formats import digest, new_secret
from pilothouse.kernel.auth.model import Asked, Attempt, Person, Session
from pilothouse.kernel.auth.service.asking import actor_of
from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.errors import Denied, NotFound
from pilothouse.kernel.events import Event

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx


class Browser(msgspec.Struct, frozen=True):
    """What is known of a browser that someone signs in with."""

    address: str = ""
    agent: str = ""
    cookie: str = ""  # of a session it had before: that one ends


def begin(tx: Tx, person: Person, browser: Browser, lifetime: timedelta, how: str) -> str:
    """Begin a session; returns its secret, which only the browser keeps.

    It is always a new one, whatever the browser showed before: nobody can hand one out that they
    know and wait until someone signs in with it.
    """
    if browser.cookie and (before := store.sessions.session_of(tx.conn, digest(browser.cookie))):
        store.sessions.end_session(tx.conn, before[0].id, before[1].id)
    secret = new_secret()
    address, agent = _line(browser.address, 64), _line(browser.agent, 300)
    session = Session(
        uuid7(), person.id, tx.now, tx.now, tx.now + lifetime, address=address, agent=agent
    )
    store.sessions.add_session(tx.conn, digest(secret), session)
    store.people.change_person(tx.conn, person.id, seen_at=tx.now, gone_at=None)
    tx.actor = actor_of(person)
    refs = (person.ref,) if person.ref else ()
    tx.emit(Event(type="auth.signed_in", entities=refs, data={"how": how, "address": address}))
    return secret


def _line(text: str, most: int) -> str:
    return "".join(c for c in text if c.isprintable())[:most]


class Failure(msgspec.Struct, frozen=True):
    """Someone did not get in."""

    how: str
    why: str
    address: str
    person: Person | None = None  # a name that nobody here has is not kept
    before: int = 0  # others from that address since the last that was written down


def failed(tx: Tx, failure: Failure) -> None:
    """Write down that someone did not get in.

    A name that nobody here has is not kept: people type passwords there by mistake.
    """
    who = failure.person.actor_id if failure.person else "an unknown name"
    data: dict[str, object] = {"how": failure.how, "person": who, "why": failure.why}
    data["address"] = _line(failure.address, 64)
    if failure.before:
        data["others before"] = failure.before
    tx.emit(Event(type="auth.sign_in_failed", data=data))


def sessions(tx: Tx, person: Person, idle: timedelta) -> list[Session]:
    """Where someone is signed in."""
    return store.sessions.sessions_of(tx.conn, person.id, tx.now, idle)


def end(tx: Tx, asked: Asked) -> None:
    """Sign out of the session that asks."""
    if asked.session and asked.person:
        store.sessions.end_session(tx.conn, asked.session.id, asked.person.id)
        tx.emit(Event(type="auth.signed_out", data={"session": asked.session.id}))


def end_one(tx: Tx, person: Person, session_id: str) -> None:
    """Sign out of one of one's sessions. Raises NotFound when it is not one's own."""
    if not store.sessions.end_session(tx.conn, session_id, person.id):
        raise NotFound("that session is not one of yours, or it is over already")
    tx.emit(Event(type="auth.sessions_ended", data={"sessions": 1}))


def end_all(tx: Tx, person: Person) -> int:
    """Sign out everywhere; how many sessions that were."""
    ended = store.sessions.end_sessions(tx.conn, person.id)
    tx.emit(Event(type="auth.sessions_ended", data={"sessions": ended}))
    return ended


def clean(tx: Tx) -> None:
    """Forget sessions that are too old, and who never came back from a provider."""
    store.sessions.clean(tx.conn, tx.now, rules.ATTEMPT)


# --- On the way to a provider and back ---


def send_away(tx: Tx, state: str, attempt: Attempt) -> None:
    """Remember someone who is sent to a provider."""
    store.sessions.add_attempt(tx.conn, digest(state), attempt)


def come_back(tx: Tx, state: str, browser: str, provider: str) -> Attempt:
    """What is remembered of who comes back; a second time there is nothing.

    Raises Denied when nobody was sent away with this `state`, by this browser, to this provider.
    """
    attempt = store.sessions.take_attempt(tx.conn, digest(state))
    if (
        attempt is None
        or attempt.provider != provider
        or attempt.browser != digest(browser)
        or tx.now - attempt.added_at >= rules.ATTEMPT
    ):
        raise Denied(
            "this way back from the provider was used already, is too old, or began in another "
            "browser. Sign in again."
        )
    return attempt
