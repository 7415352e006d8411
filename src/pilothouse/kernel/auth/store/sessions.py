"""The SQL of sessions, and of attempts to sign in at a provider."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import (
    Connection,
    and_,
    delete,
    insert,
    select,
    update,
)

from pilothouse.kernel.auth.model import Attempt, Person, Session
from pilothouse.kernel.auth.store.people import AND_PERSON, person_in
from pilothouse.kernel.auth.store.tables import attempts, people, sessions

_SESSION = [sessions.c[name] for name in Session.__struct_fields__]


_OF_SESSION = select(*_SESSION, *AND_PERSON).join_from(
    sessions, people, sessions.c.person_id == people.c.id
)


def session_of(conn: Connection, digest: str) -> tuple[Session, Person] | None:
    """The session of a cookie's digest, and whose it is."""
    row = conn.execute(_OF_SESSION.where(sessions.c.digest == digest)).first()
    if row is None:
        return None
    session = Session(**{name: getattr(row, name) for name in Session.__struct_fields__})
    return session, person_in(row, "p_")


def touch_session(conn: Connection, session_id: str, now: datetime) -> None:
    """Note that a session is used."""
    mine = and_(sessions.c.id == session_id, sessions.c.seen_at < now)
    conn.execute(update(sessions).where(mine).values(seen_at=now))


def add_session(conn: Connection, digest: str, session: Session) -> None:
    """Begin a session."""
    conn.execute(insert(sessions).values(digest=digest, **msgspec.structs.asdict(session)))


def sessions_of(
    conn: Connection, person_id: str, now: datetime, idle: timedelta, limit: int = 100
) -> list[Session]:
    """Someone's sessions that have not ended, the one used last first."""
    mine = select(*_SESSION).where(
        sessions.c.person_id == person_id,
        sessions.c.expires_at > now,
        sessions.c.seen_at > now - idle,
    )
    rows = conn.execute(mine.order_by(sessions.c.seen_at.desc(), sessions.c.id).limit(limit))
    return [
        Session(**{name: getattr(row, name) for name in Session.__struct_fields__}) for row in rows
    ]


def end_session(conn: Connection, session_id: str, person_id: str) -> bool:
    """End one of someone's sessions; False when it is not theirs, or is over."""
    mine = and_(sessions.c.id == session_id, sessions.c.person_id == person_id)
    return conn.execute(delete(sessions).where(mine)).rowcount == 1


def end_sessions(conn: Connection, person_id: str, keep: str | None = None) -> int:
    """End all of someone's sessions, or all but one; how many there were."""
    theirs = sessions.c.person_id == person_id
    if keep is not None:
        theirs = and_(theirs, sessions.c.id != keep)
    return conn.execute(delete(sessions).where(theirs)).rowcount


def clean(conn: Connection, now: datetime, attempt: timedelta) -> None:
    """Forget sessions that are too old, and who never came back."""
    conn.execute(delete(sessions).where(sessions.c.expires_at <= now))
    conn.execute(delete(attempts).where(attempts.c.added_at <= now - attempt))


def add_attempt(conn: Connection, state: str, attempt: Attempt) -> None:
    """Remember that someone was sent away, by the digest of `state`."""
    conn.execute(insert(attempts).values(state=state, **msgspec.structs.asdict(attempt)))


def take_attempt(conn: Connection, state: str) -> Attempt | None:
    """What is remembered, once: a second call finds nothing."""
    columns = [attempts.c[name] for name in Attempt.__struct_fields__]
    row = conn.execute(
        delete(attempts).where(attempts.c.state == state).returning(*columns)
    ).first()
    return Attempt(**row._asdict()) if row else None
