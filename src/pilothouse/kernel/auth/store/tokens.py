"""The SQL of API tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Row,
    and_,
    delete,
    insert,
    or_,
    select,
    update,
)

from pilothouse.kernel.auth.model import Person, Token
from pilothouse.kernel.auth.store.people import AND_PERSON, person_in
from pilothouse.kernel.auth.store.tables import people, tokens

_TOKEN = [tokens.c[name] for name in Token.__struct_fields__]


def _token(row: Row[Any], prefix: str = "") -> Token:
    values = {name: getattr(row, prefix + name) for name in Token.__struct_fields__}
    return Token(**{**values, "scopes": tuple(values["scopes"].split())})


_OF_TOKEN = select(*_TOKEN, *AND_PERSON).join_from(
    tokens, people, tokens.c.person_id == people.c.id, isouter=True
)


def token_of(conn: Connection, digest: str) -> tuple[Token, Person | None] | None:
    """The API token of a digest, and whose it is."""
    row = conn.execute(_OF_TOKEN.where(tokens.c.digest == digest)).first()
    if row is None:
        return None
    return _token(row), person_in(row, "p_") if row.p_id is not None else None


def touch_token(conn: Connection, token_id: str, now: datetime) -> None:
    """Note that a token is used."""
    conn.execute(update(tokens).where(tokens.c.id == token_id).values(used_at=now))


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
