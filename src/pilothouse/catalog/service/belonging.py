"""Who is who, and whose is what: what sign-in asks of the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.catalog.store import people, relations
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.kernel.actors import Identity
    from pilothouse.kernel.tx import Tx

ANNOTATION = "pilothouse/sign-in"  # "<provider>:<name or subject there>", or an e-mail address
ANNOTATED = f"metadata.annotations.{ANNOTATION}"
MOST = 500  # teams of one person, owners of one entity


def users(tx: Tx, identities: Sequence[Identity]) -> list[str | None]:
    """The Users whom those are who signed in: by annotation, by verified e-mail, by name.

    One that two Users claim is neither's.
    """
    called = [_called(identity) for identity in identities]
    mails = [identity.email.lower() for identity in identities]
    names = [_named(identity) for identity in identities]
    annotated = people.with_value(tx.conn, ANNOTATED, {one for ones in called for one in ones})
    reached = people.with_value(tx.conn, "spec.profile.email", set(mails) - {""})
    there = people.there(tx.conn, {name for name in names if name})
    found: list[str | None] = []
    for ways, mail, name in zip(called, mails, names, strict=True):
        claims = {ref for way in ways for ref in annotated.get(way, ())} or reached.get(mail, set())
        if claims:
            found.append(claims.pop() if len(claims) == 1 else None)
        else:
            found.append(name if name in there else None)
    return found


def _called(identity: Identity) -> list[str]:
    """What an annotation may call someone, in lower case."""
    called = [f"{identity.provider}:{identity.name}", f"{identity.provider}:{identity.subject}"]
    return [one.lower() for one in (*called, identity.email) if one]


def _named(identity: Identity) -> str | None:
    try:
        return str(EntityRef.parse(f"user:default/{identity.name}"))
    except Invalid:
        return None


def members(tx: Tx, refs: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """The teams that people are in, directly."""
    found = people.teams(tx.conn, set(refs))
    return {ref: teams[:MOST] for ref, teams in found.items()}


def owners(tx: Tx, ref: str) -> Sequence[str]:
    """Who owns an entity. A team owns itself, and a person too."""
    found = relations.targets_of(tx.conn, ref, "ownedBy", MOST)
    return [*found, ref] if ref.startswith(("group:", "user:")) else found
