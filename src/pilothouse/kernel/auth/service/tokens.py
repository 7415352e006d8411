"""API tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pilothouse.kernel.actors import Role
from pilothouse.kernel.auth import rules, store
from pilothouse.kernel.auth.formats import HINT, digest, new_token
from pilothouse.kernel.auth.model import Person, Token
from pilothouse.kernel.auth.store.tokens import Owned
from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.errors import Conflict, Invalid, NotFound
from pilothouse.kernel.events import Event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.tx import Tx

MOST = 100  # tokens of one person


def create(
    tx: Tx, person: Person | None, name: str, scopes: Sequence[str], days: int, location: str = ""
) -> tuple[str, Token]:
    """Make a token: what it is, to be shown this once, and what is kept of it.

    With a `location`, it is an agent's, which speaks for no other.
    Raises Invalid for a name, scopes, days or a location that cannot be.
    """
    name = "".join(c for c in name.strip() if c.isprintable())
    if not 0 < len(name) <= 200:  # noqa: PLR2004  the column
        raise Invalid("a token needs a name of at most 200 characters: say what it is for")
    if not 1 <= days <= rules.LONGEST_TOKEN:
        raise Invalid(f"a token is valid for 1 to {rules.LONGEST_TOKEN} days, not for {days}")
    rules.check_scopes(scopes, Role(person.role) if person else Role.ADMIN)
    rules.check_location(location, scopes)
    if person and len(store.tokens.tokens_of(tx.conn, person.id)) >= MOST:
        raise Conflict(f"{MOST} tokens are enough for one person: revoke some first")
    secret = new_token()
    token = Token(
        id=uuid7(),
        person_id=person.id if person else None,
        name=name,
        hint=secret[:HINT],
        scopes=tuple(dict.fromkeys(scopes)),
        added_at=tx.now,
        expires_at=tx.now + timedelta(days=days),
        location=location.lower(),
    )
    store.tokens.add_token(tx.conn, digest(secret), token)
    _tell(tx, "auth.token_created", token)
    return secret, token


def of(tx: Tx, person: Person) -> list[Token]:
    """Someone's tokens."""
    return store.tokens.tokens_of(tx.conn, person.id)


def everybodys(tx: Tx) -> list[Owned]:
    """All tokens."""
    return store.tokens.all_tokens(tx.conn)


def revoke(tx: Tx, token_id: str, person: Person | None = None) -> Token:
    """Have a token taken no more. Raises NotFound when it is not this person's."""
    token = store.tokens.remove_token(tx.conn, token_id, person.id if person else None)
    if token is None:
        raise NotFound("that token is not one of yours, or it was revoked already")
    _tell(tx, "auth.token_revoked", token)
    return token


def revoke_named(tx: Tx, name: str) -> Token:
    """Revoke the one token with this name, id or beginning.

    Raises NotFound when there is none, Conflict when there are several.
    """
    found = store.tokens.find_tokens(tx.conn, name)
    if not found:
        raise NotFound(f"there is no token {name!r}: see pilothouse token list")
    if len(found) > 1:
        which = ", ".join(token.hint for token in found)
        raise Conflict(f"several tokens are called {name!r}: name it by its beginning: {which}")
    return revoke(tx, found[0].id)


def _tell(tx: Tx, kind: str, token: Token) -> None:
    data = {"token": token.name, "hint": token.hint, "scopes": " ".join(token.scopes)}
    if token.location:
        data["location"] = token.location
    tx.emit(Event(type=kind, data=data))
