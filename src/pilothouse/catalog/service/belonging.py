"""Who is who, and whose is what: what sign-in asks of the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.catalog.service import browsing
from pilothouse.catalog.store import queries, relations
from pilothouse.catalog.store.conditions import AllOf, Clause, Test, Wanted
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.actors import Identity
    from pilothouse.kernel.tx import Tx

ANNOTATION = "pilothouse/sign-in"  # "<provider>:<name or subject there>", or an e-mail address
MOST = 500  # teams of one person, owners of one entity


def person(tx: Tx, identity: Identity) -> str | None:
    """The User whom someone is who signed in: by annotation, by verified e-mail, by name.

    One that two Users claim is neither's.
    """
    called = [f"{identity.provider}:{identity.name}", f"{identity.provider}:{identity.subject}"]
    if identity.email:
        called.append(identity.email)
    keys = [(f"metadata.annotations.{ANNOTATION}", called)]
    if identity.email:
        keys.append(("spec.profile.email", [identity.email]))
    for key, values in keys:
        lower = tuple(value.lower() for value in values)
        if found := _users(tx, Test(key, lower)):
            return found[0] if len(found) == 1 else None
    try:
        ref = str(EntityRef.parse(f"user:default/{identity.name}"))
    except Invalid:
        return None
    return ref if queries.present(tx.conn, ref) else None


def _users(tx: Tx, condition: Clause) -> list[str]:
    clause = AllOf((Test("kind", ("user",)), condition))
    return [row.ref for row in browsing.find(tx, Wanted(clause=clause, limit=2)).rows]


def members(tx: Tx, ref: str) -> Sequence[str]:
    """The teams that someone is in, directly."""
    return relations.targets_of(tx.conn, ref, "memberOf", MOST)


def owners(tx: Tx, ref: str) -> Sequence[str]:
    """Who owns an entity. A team owns itself, and a person too."""
    found = relations.targets_of(tx.conn, ref, "ownedBy", MOST)
    return [*found, ref] if ref.startswith(("group:", "user:")) else found
