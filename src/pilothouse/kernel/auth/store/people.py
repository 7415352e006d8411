"""The SQL of people: who may sign in, their passwords, their teams."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import (
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    or_,
    select,
    update,
)

from pilothouse.kernel.actors import Role
from pilothouse.kernel.auth.model import Belonging, Person
from pilothouse.kernel.auth.store.tables import people, sessions, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence


PERSON = [people.c[name] for name in Person.__struct_fields__]
AND_PERSON = [column.label(f"p_{column.name}") for column in PERSON]


def person_in(row: Row[Any], prefix: str = "") -> Person:
    values = {name: getattr(row, prefix + name) for name in Person.__struct_fields__}
    return Person(**{**values, "teams": _list(values["teams"]), "groups": _list(values["groups"])})


def _list(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])


def person(conn: Connection, person_id: str) -> Person | None:
    """One person."""
    row = conn.execute(select(*PERSON).where(people.c.id == person_id)).first()
    return person_in(row) if row else None


def person_of(conn: Connection, provider: str, subject: str) -> Person | None:
    """The person whom a provider calls so."""
    mine = and_(people.c.provider == provider, people.c.subject == subject)
    row = conn.execute(select(*PERSON).where(mine)).first()
    return person_in(row) if row else None


def all_people(conn: Connection, provider: str, limit: int = 10_000) -> list[Person]:
    """The people of a provider, by name."""
    query = select(*PERSON).where(people.c.provider == provider).order_by(people.c.name)
    return [person_in(row) for row in conn.execute(query.limit(limit))]


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
    conn.execute(delete(sessions).where(sessions.c.person_id == person_id))
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
    return [person_in(row) for row in conn.execute(select(*PERSON).where(_GETS_IN))]


def admins(conn: Connection, limit: int = 20) -> list[Person]:
    """Those who are admins and still get in, the first of them first."""
    here = (people.c.role == int(Role.ADMIN)) & people.c.gone_at.is_(None)
    query = select(*PERSON).where(here).order_by(people.c.added_at).limit(limit)
    return [person_in(row) for row in conn.execute(query)]
