"""What happens to an incident is written down; others are told, unless few may know of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pilothouse.incidents.model.incidents import SEVERITIES, Entry, Incident
from pilothouse.incidents.model.postmortems import POSTMORTEM_TYPES
from pilothouse.incidents.service import seeing
from pilothouse.incidents.store import lines, rows
from pilothouse.kernel import events, search
from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.errors import Conflict
from pilothouse.kernel.events import Event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.tx import Tx

MOST_TOLD = 100_000  # events of post-mortems
MOST_ENTRIES = 5000  # of one incident
SOURCE = "incidents"


def tell(
    tx: Tx,
    incident: Incident,
    kind: str,
    words: str,
    *,
    entities: Sequence[str] = (),
    **data: Any,
) -> Entry:
    """Write a line of its timeline, and the event of this type. Of a restricted one there is none.

    The event has the line's id: what becomes restricted later can be taken back.
    """
    entry = Entry(id=uuid7(), at=tx.now, kind=kind, by=seeing.me(tx), words=words)
    write(tx, incident, entry)
    if incident.restricted:
        return entry
    refs = rows.entities_of(tx.conn, [incident.id])[incident.id]
    about = tuple(dict.fromkeys(filter(None, (incident.entity, *refs, *entities))))
    said = {
        "incident": incident.id,
        "number": incident.number,
        "title": incident.title,
        "severity": incident.severity,
        "status": incident.status.value,
        "words": words,
        "drill": incident.drill,
    }
    tx.emit(Event(id=entry.id, type=kind, entities=about, data=said | data, source=SOURCE))
    return entry


def tell_anyhow(tx: Tx, incident: Incident, kind: str, words: str, **data: Any) -> None:
    """As `tell`, also where the timeline is full: what must happen does not wait for a line."""
    try:
        tell(tx, incident, kind, words, **data)
    except Conflict:
        emit(tx, incident, kind, words, **data)


def emit(tx: Tx, incident: Incident, kind: str, words: str, **data: Any) -> None:
    """The event alone, without a line of the timeline; none of a restricted one."""
    if incident.restricted:
        return
    refs = rows.entities_of(tx.conn, [incident.id])[incident.id]
    about = tuple(dict.fromkeys(filter(None, (incident.entity, *refs))))
    said = {"incident": incident.id, "number": incident.number, "words": words}
    said |= {"title": incident.title, "drill": incident.drill}
    tx.emit(Event(id=uuid7(), type=kind, entities=about, data=said | data, source=SOURCE))


def write(tx: Tx, incident: Incident, entry: Entry) -> None:
    """Write a line of its timeline, and no more. Raises Conflict where it has too many."""
    if lines.count_entries(tx.conn, incident.id) >= MOST_ENTRIES:
        raise Conflict(f"a timeline has at most {MOST_ENTRIES} lines; go on in another incident")
    lines.add_entry(tx.conn, incident.id, entry)


def untell(tx: Tx, incident: Incident) -> None:
    """Take back what was told of it: events of its lines and its post-mortem, what can be found."""
    asked = events.Asked(
        types=POSTMORTEM_TYPES,
        start=incident.opened_at,
        end=tx.now + timedelta(seconds=1),
        limit=MOST_TOLD,
    )
    about = [
        one.id for one in events.among(tx.conn, asked) if one.data.get("incident") == incident.id
    ]
    events.forget(tx.conn, [*lines.entry_ids(tx.conn, incident.id), *about])
    search.drop(tx, [key_of(incident), postmortem_key(incident)])


def postmortem_key(incident: Incident) -> str:
    return f"postmortem:{incident.id}"


def key_of(incident: Incident) -> str:
    return f"incidents:{incident.id}"


def index(tx: Tx, incident: Incident, text: str = "") -> None:
    """Have it found as it is now; not what few may know of, nor rehearsals."""
    if incident.restricted or incident.drill or incident.merged_into:
        search.drop(tx, [key_of(incident)])
        return
    told = lines.updates_of(tx.conn, [incident.id], 50)
    severity = SEVERITIES[incident.severity].word
    document = search.Document(
        key=key_of(incident),
        origin=SOURCE,
        kind="incident",
        title=incident.title,
        href=f"/incidents/{incident.number}",
        text="\n".join(filter(None, (text, *(one.text for one in told)))),
        ref=incident.entity,
        trail=f"{severity}, {incident.number}",
    )
    search.put(tx, [document])
