"""Routing keys of Events v2: each takes alerts for one entity."""

from __future__ import annotations

import hashlib
import secrets
import string
from typing import TYPE_CHECKING

from pilothouse.catalog.service import annotated, browsing
from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.events import Event
from pilothouse.kernel.refs import EntityRef
from pilothouse.oncall.model.intake import Key
from pilothouse.oncall.store import keys as store

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

ANNOTATION = "pagerduty.com/integration-key"
KINDS = ("component", "api", "resource", "system", "domain", "group")
LENGTH, HINT = 32, 8
MOST = 1000
MADE, REVOKED = "oncall.key_made", "oncall.key_revoked"
_LETTERS = string.ascii_lowercase + string.digits  # 165 bits of chance in 32 of them


def make(tx: Tx, name: str, entity: str) -> str:
    """A new key, shown this once. Raises NotFound for an entity that is not in the catalog."""
    ref = str(EntityRef.parse(entity, "component"))
    if ref not in browsing.rows_of(tx, [ref]):
        raise NotFound(f"{ref} is not in the catalog: its alerts would page nobody who knows it")
    secret = "".join(secrets.choice(_LETTERS) for _ in range(LENGTH))
    key = Key(id=uuid7(), hint=secret[:HINT], name=(name.strip() or ref)[:200], entity=ref)
    store.add(tx.conn, key, digest(secret), tx.actor.id, tx.now)
    data = {"key": key.name, "hint": key.hint, "entity": ref}
    tx.emit(Event(type=MADE, entities=(ref,), data=data))
    return secret


def whose(tx: Tx, routing_key: str) -> Key | None:
    """Whose alerts come with a key: one that was made, or that an entity's annotation is."""
    if found := store.find(tx.conn, digest(routing_key)):
        return found
    said = annotated.annotated(tx, ANNOTATION, [routing_key.lower()], KINDS)
    if not said:
        return None
    ref = said[0].ref
    return Key(id="", hint=routing_key[:HINT], name=ref, entity=ref)


def valid(tx: Tx) -> list[Key]:
    """All that were made and not revoked."""
    return store.valid(tx.conn, MOST)


def revoke(tx: Tx, hint: str) -> None:
    """Have a key taken no more, by its first characters. Raises NotFound."""
    if not store.revoke(tx.conn, hint[:HINT], tx.now):
        raise NotFound(f"there is no routing key that begins with {hint[:HINT]!r}")
    tx.emit(Event(type=REVOKED, data={"hint": hint[:HINT]}))


def digest(routing_key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(routing_key.encode()).hexdigest()
