"""The SQL of sign-in. Secrets are kept as digests, refresh tokens encrypted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    or_,
    select,
    union_all,
    update,
)

from pilothouse.kernel.auth.model import Attempt, Belonging, Person, Session, Token
from pilothouse.kernel.db import Instant, key, metadata
from pilothouse.kernel.events import events

if TYPE_CHECKING:
    from collections.abc import Sequence


people = Table(
    "auth_people",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("provider", key(40), nullable=False),
    Column("subject", key(255), nullable=False),
    Column("name", key(200), nullable=False),
    Column("title", String(200), nullable=False),
    Column("email", String(254), nullable=False),
    Column("ref", String(400)),
    Column("role", Integer, nullable=False),
    Column("teams", Text, nullable=False),  # JSON list of refs
    Column("groups", Text, nullable=False),  # JSON list, as the provider calls them
    Column("password", Text),  # argon2id, of local users
    Column("refresh", Text),  # encrypted by secret_key, of providers' people
    Column("added_at", Instant, nullable=False),
    Column("seen_at", Instant),
    Column("checked_at", Instant),
    Column("gone_at", Instant),
    UniqueConstraint("provider", "subject"),
)
sessions = Table(
    "auth_sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("person_id", String(32), ForeignKey("auth_people.id"), nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("address", String(64), nullable=False),
    Column("agent", String(300), nullable=False),
    Index("ix_auth_sessions_person_id", "person_id"),
    Index("ix_auth_sessions_expires_at", "expires_at"),
    sqlite_with_rowid=False,
    info={"passing": True},  # a restored backup does not bring back what was ended since
)
tokens = Table(
    "auth_tokens",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("person_id", String(32), ForeignKey("auth_people.id")),
    Column("name", String(200), nullable=False),
    Column("hint", String(16), nullable=False),
    Column("scopes", String(200), nullable=False),  # separated by spaces
    Column("added_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Index("ix_auth_tokens_person_id", "person_id"),
    sqlite_with_rowid=False,
)
attempts = Table(
    "auth_attempts",
    metadata,
    Column("state", String(64), primary_key=True),  # its digest
    Column("provider", String(40), nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("verifier", String(128), nullable=False),
    Column("browser", String(64), nullable=False),
    Column("next", String(2000), nullable=False),
    Column("added_at", Instant, nullable=False),
    Index("ix_auth_attempts_added_at", "added_at"),
    sqlite_with_rowid=False,
    info={"passing": True},
)

_PERSON = [people.c[name] for name in Person.__struct_fields__]
_SESSION = [sessions.c[name] for name in Session.__struct_fields__]
_TOKEN = [tokens.c[name] for name in Token.__struct_fields__]


def _person(row: Row[Any], prefix: str = "") -> Person:
    values = {name: getattr(row, prefix + name) for name in Person.__struct_fields__}
    return Person(**{**values, "teams": _list(values["teams"]), "groups": _list(values["groups"])})


def _list(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])


def _token(row: Row[Any], prefix: str = "") -> Token:
    values = {name: getattr(row, prefix + name) for name in Token.__struct_fields__}
    return Token(**{**values, "scopes": tuple(values["scopes"].split())})


# --- Who asks: one query a request ---

_AND_PERSON = [column.label(f"p_{column.name}") for column in _PERSON]
_OF_SESSION = select(*_SESSION, *_AND_PERSON).join_from(
    sessions, people, sessions.c.person_id == people.c.id
)
_OF_TOKEN = select(*_TOKEN, *_AND_PERSON).join_from(
    tokens, people, tokens.c.person_id == people.c.id, isouter=True
)


def session_of(conn: Connection, digest: str) -> tuple[Session, Person] | None:
    """The session of a cookie's digest, and whose it is."""
    row = conn.execute(_OF_SESSION.where(sessions.c.digest == digest)).first()
    if row is None:
        return None
    session = Session(**{name: getattr(row, name) for name in Session.__struct_fields__})
    return session, _person(row, "p_")


def token_of(conn: Connection, digest: str) -> tuple[Token, Person | None] | None:
    """The API token of a digest, and whose it is."""
    row = conn.execute(_OF_TOKEN.where(tokens.c.digest == digest)).first()
    if row is None:
        return None
    return _token(row), _person(row, "p_") if row.p_id is not None else None


def touch_session(conn: Connection, session_id: str, now: datetime) -> None:
    """Note that a session is used."""
    mine = and_(sessions.c.id == session_id, sessions.c.seen_at < now)
    conn.execute(update(sessions).where(mine).values(seen_at=now))


def touch_token(conn: Connection, token_id: str, now: datetime) -> None:
    """Note that a token is used."""
    conn.execute(update(tokens).where(tokens.c.id == token_id).values(used_at=now))


# --- People ---


def person(conn: Connection, person_id: str) -> Person | None:
    """One person."""
    row = conn.execute(select(*_PERSON).where(people.c.id == person_id)).first()
    return _person(row) if row else None


def person_of(conn: Connection, provider: str, subject: str) -> Person | None:
    """The person whom a provider calls so."""
    mine = and_(people.c.provider == provider, people.c.subject == subject)
    row = conn.execute(select(*_PERSON).where(mine)).first()
    return _person(row) if row else None


def all_people(conn: Connection, provider: str, limit: int = 10_000) -> list[Person]:
    """The people of a provider, by name."""
    query = select(*_PERSON).where(people.c.provider == provider).order_by(people.c.name)
    return [_person(row) for row in conn.execute(query.limit(limit))]


def add_person(conn: Connection, found: Person) -> None:
    """Keep someone new."""
    conn.execute(insert(people).values(_values(found)))


def change_person(conn: Connection, person_id: str, **known: Any) -> None:
    """Keep what is now known of someone: these fields of a Person, and no others."""
    conn.execute(update(people).where(people.c.id == person_id).values(_written(known)))


def _values(found: Person) -> dict[str, Any]:
    return _written(msgspec.structs.asdict(found))


def _written(known: dict[str, Any]) -> dict[str, Any]:
    lists = {name: _json(known[name]) for name in ("teams", "groups") if name in known}
    return {**known, **lists}


def _json(names: Sequence[str]) -> str:
    return msgspec.json.encode(list(names)).decode()


def put_belongings(conn: Connection, found: Sequence[Belonging]) -> None:
    """Keep who in the catalog people are now and their teams, unless that was changed since."""
    query = update(people).where(
        people.c.id == bindparam("of"),
        people.c.teams == bindparam("old_teams"),
        people.c.ref.is_not_distinct_from(bindparam("old_ref")),
    )
    rows = [
        {
            "of": one.person.id,
            "old_teams": _json(one.person.teams),
            "old_ref": one.person.ref,
            "new_teams": _json(one.teams),
            "new_ref": one.ref,
        }
        for one in found
    ]
    if rows:
        values = {"teams": bindparam("new_teams"), "ref": bindparam("new_ref")}
        conn.execute(query.values(values), rows)


def remove_person(conn: Connection, person_id: str) -> bool:
    """Forget someone, with all that is theirs."""
    end_sessions(conn, person_id)
    conn.execute(delete(tokens).where(tokens.c.person_id == person_id))
    return conn.execute(delete(people).where(people.c.id == person_id)).rowcount == 1


def password_of(conn: Connection, person_id: str) -> str | None:
    """The hash of a local user's password."""
    return conn.execute(select(people.c.password).where(people.c.id == person_id)).scalar()


def put_password(conn: Connection, person_id: str, hashed: str) -> None:
    """Keep the hash of a password."""
    conn.execute(update(people).where(people.c.id == person_id).values(password=hashed))


def refresh_of(conn: Connection, person_id: str) -> str | None:
    """The encrypted refresh token of someone."""
    return conn.execute(select(people.c.refresh).where(people.c.id == person_id)).scalar()


def put_refresh(conn: Connection, person_id: str, encrypted: str | None) -> None:
    """Keep an encrypted refresh token, or forget the one that was."""
    conn.execute(update(people).where(people.c.id == person_id).values(refresh=encrypted))


def swap_refresh(conn: Connection, person_id: str, asked: str, encrypted: str) -> bool:
    """Keep a refresh token in place of the one asked with; False when that is there no more."""
    mine = and_(people.c.id == person_id, people.c.refresh == asked, people.c.gone_at.is_(None))
    return conn.execute(update(people).where(mine).values(refresh=encrypted)).rowcount == 1


def mark_gone(conn: Connection, person_id: str, now: datetime, asked: str | None) -> bool:
    """Note that someone is gone; False when they were, or have another refresh token by now."""
    mine = and_(people.c.id == person_id, people.c.gone_at.is_(None))
    if asked is not None:
        mine = and_(mine, people.c.refresh == asked)
    query = update(people).where(mine).values(gone_at=now, refresh=None)
    return conn.execute(query).rowcount == 1


_GETS_IN = or_(
    exists().where(sessions.c.person_id == people.c.id),
    exists().where(tokens.c.person_id == people.c.id),
)


def gets_in(conn: Connection, person_id: str) -> bool:
    """Whether someone has a session or a token."""
    return bool(conn.execute(select(people.c.id).where(people.c.id == person_id, _GETS_IN)).first())


def who_gets_in(conn: Connection) -> list[Person]:
    """People with a session or a token, all of them."""
    return [_person(row) for row in conn.execute(select(*_PERSON).where(_GETS_IN))]


# --- Sessions ---


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


# --- Tokens ---


def add_token(conn: Connection, digest: str, token: Token) -> None:
    """Keep a token's digest."""
    values = {**msgspec.structs.asdict(token), "scopes": " ".join(token.scopes)}
    conn.execute(insert(tokens).values(digest=digest, **values))


def tokens_of(conn: Connection, person_id: str, limit: int = 200) -> list[Token]:
    """Someone's tokens, the newest first."""
    mine = select(*_TOKEN).where(tokens.c.person_id == person_id)
    return [_token(row) for row in conn.execute(mine.order_by(tokens.c.id.desc()).limit(limit))]


class Owned(msgspec.Struct, frozen=True):
    """A token, and what its person is called; "" for nobody's."""

    token: Token
    owner: str


def all_tokens(conn: Connection, limit: int = 1000) -> list[Owned]:
    """Everybody's tokens, the newest first."""
    query = _OF_TOKEN.order_by(tokens.c.id.desc()).limit(limit)
    return [Owned(_token(row), row.p_name or "") for row in conn.execute(query)]


def find_tokens(conn: Connection, name: str, limit: int = 10) -> list[Token]:
    """Tokens with this id, hint or name."""
    query = select(*_TOKEN).where(
        or_(tokens.c.id == name, tokens.c.hint == name, tokens.c.name == name)
    )
    return [_token(row) for row in conn.execute(query.limit(limit))]


def remove_token(conn: Connection, token_id: str, person_id: str | None = None) -> Token | None:
    """Revoke a token, of this person if one is named; None when there is no such."""
    mine = tokens.c.id == token_id
    if person_id is not None:
        mine = and_(mine, tokens.c.person_id == person_id)
    row = conn.execute(select(*_TOKEN).where(mine)).first()
    if row is None or conn.execute(delete(tokens).where(mine)).rowcount != 1:
        return None
    return _token(row)


# --- Attempts to sign in by a provider ---


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


# --- The audit ---


class Deed(msgspec.Struct, frozen=True):
    """A line of the audit."""

    id: str
    at: datetime
    type: str
    actor: str
    data: dict[str, Any]


def deeds(
    conn: Connection, types: Sequence[str], before: datetime | None, limit: int
) -> list[Deed]:
    """Events of these types, newest first: of each type the newest, by its index, then together."""
    names = ("id", "at", "type", "actor", "data")
    parts = []
    for kind in types:
        query = select(*(events.c[name] for name in names)).where(events.c.type == kind)
        if before is not None:
            query = query.where(events.c.at < before)
        newest = query.order_by(events.c.at.desc()).limit(limit).subquery()
        parts.append(select(newest))
    if not parts:
        return []
    together = union_all(*parts).subquery()
    found = select(together).order_by(together.c.at.desc(), together.c.id.desc()).limit(limit)
    return [
        Deed(row.id, row.at, row.type, row.actor, msgspec.json.decode(row.data))
        for row in conn.execute(found)
    ]
