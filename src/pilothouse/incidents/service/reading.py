"""Incidents as they are, for those who may know of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.incidents.service import seeing
from pilothouse.incidents.store import lines, rows
from pilothouse.kernel.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pilothouse.incidents.model.incidents import Entry, Holder, Incident, Update
    from pilothouse.kernel.tx import Tx

MOST_OPEN = 200
LONGEST_NUMBER = 9


def incident(tx: Tx, which: str | int) -> Incident:
    """One by its id or number. Raises NotFound, also for what the actor may not know of."""
    who = seeing.names(tx)
    text = str(which)
    found = rows.find(tx.conn, text, who)
    if found is None and text.isdecimal() and len(text) <= LONGEST_NUMBER:
        found = rows.numbered(tx.conn, int(text), who)
    if found is None:
        raise NotFound(f"there is no incident {text[:40]}")
    return found


def whole(tx: Tx, incident_id: str) -> Incident | None:
    """One for the program's own work, whoever may know of it: tell nobody else of it."""
    return rows.lock(tx.conn, incident_id)


def open_incidents(tx: Tx) -> list[Incident]:
    """Those that are open, the worst first."""
    return rows.open_ones(tx.conn, seeing.names(tx), MOST_OPEN)


def recent(
    tx: Tx, *, before: datetime | None = None, drills: bool = False, limit: int = 50
) -> list[Incident]:
    """All, the newest first."""
    return rows.recent(tx.conn, seeing.names(tx), before, limit, drills=drills)


def about(tx: Tx, refs: Sequence[str], limit: int = 20) -> list[Incident]:
    """Those about any of these entities, the newest first."""
    return rows.of_refs(tx.conn, refs, seeing.names(tx), limit)


def of_ids(tx: Tx, ids: Sequence[str]) -> list[Incident]:
    return rows.of_ids(tx.conn, ids, seeing.names(tx))


def of_page(tx: Tx, page_id: str) -> list[Incident]:
    """The one that a page belongs to, as far as the actor may know of it."""
    found = rows.incident_of_page(tx.conn, page_id)
    return of_ids(tx, [found]) if found else []


def entities_of(tx: Tx, ids: Sequence[str]) -> dict[str, list[str]]:
    """Of each incident the entities that it is about, the main one first."""
    return rows.entities_of(tx.conn, ids)


def family(tx: Tx, one: Incident) -> list[str]:
    """Ids of an incident and of those that were merged into it."""
    return [one.id, *(other.id for other in rows.merged(tx.conn, one.id))]


def pages_of(tx: Tx, ids: Sequence[str]) -> dict[str, str]:
    """The pages of incidents, and why each belongs there."""
    return dict(rows.pages_of(tx.conn, ids))


def entries(tx: Tx, ids: Sequence[str], limit: int = 500) -> list[Entry]:
    """What was written down of these incidents, the newest first."""
    return lines.entries_of(tx.conn, ids, limit)


def public_updates(tx: Tx, ids: Sequence[str], limit: int = 200) -> dict[str, list[Update]]:
    """Of each incident what everybody was told, the newest first; without those that told none."""
    return lines.public_updates(tx.conn, ids, limit)


def holders(tx: Tx, ids: Sequence[str]) -> dict[str, list[Holder]]:
    """Who has which role, of each of these."""
    return lines.holders(tx.conn, ids)


def people(tx: Tx, one: Incident) -> list[str]:
    """Who may know of a restricted one."""
    return rows.people_of(tx.conn, one.id) if one.restricted else []
