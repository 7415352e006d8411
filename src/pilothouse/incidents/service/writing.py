"""What people add to an incident: notes, pictures, status updates, ticked steps, links."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from pilothouse.docs.service import runbooks
from pilothouse.incidents.model.incidents import (
    NOTED,
    TICKED,
    UPDATED,
    Entry,
    Incident,
    Link,
    Status,
    Tick,
    Update,
)
from pilothouse.incidents.rules import pictures, stepping
from pilothouse.incidents.rules import steering as rules
from pilothouse.incidents.service import seeing, steering, telling
from pilothouse.incidents.service.asked import text_of
from pilothouse.incidents.store import lines, rows
from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.errors import Conflict, Invalid, NotFound
from pilothouse.kernel.events import Event
from pilothouse.kernel.markup import safe_url

if TYPE_CHECKING:
    from pilothouse.incidents.model.incidents import Kept
    from pilothouse.kernel.tx import Tx

LONGEST_UPDATE, LONGEST_LINK_TITLE, LONGEST_URL = 4000, 300, 2000
LARGEST_IMAGE, MOST_IMAGES, MOST_LINKS = 5_242_880, 50, 50
LATEST = timedelta(days=7)  # the next update can be promised for


def note(tx: Tx, incident: Incident, text: str, kind: Literal["note", "command"] = "note") -> Entry:
    """Write a note, in Markdown, or paste a command with what it printed."""
    words = text_of(text, f"the {kind}")
    entry = Entry(id=uuid7(), at=tx.now, kind=kind, by=seeing.me(tx), words=words)
    return _noted(tx, incident, entry)


def picture(tx: Tx, incident: Incident, body: bytes, text: str = "") -> Entry:
    """Add a picture. Raises Invalid for what is none, or too large."""
    kind = pictures.kind_of(body)
    if not kind:
        raise Invalid("that is no picture: PNG, JPEG, GIF and WebP can be shown")
    if len(body) > LARGEST_IMAGE:
        raise Invalid(f"a picture has at most {LARGEST_IMAGE // 1_048_576} MiB")
    if lines.count_images(tx.conn, incident.id) >= MOST_IMAGES:
        raise Conflict(f"a timeline has at most {MOST_IMAGES} pictures; link to the others")
    image = uuid7()
    lines.add_image(tx.conn, incident.id, image, kind, body)
    words = text_of(text, "the words", LONGEST_LINK_TITLE) if text.strip() else "A picture"
    entry = Entry(id=uuid7(), at=tx.now, kind="image", by=seeing.me(tx), words=words, image=image)
    return _noted(tx, incident, entry)


def _noted(tx: Tx, incident: Incident, entry: Entry) -> Entry:
    telling.write(tx, incident, entry)
    if not incident.restricted:
        refs = rows.entities_of(tx.conn, [incident.id])[incident.id]
        data = {
            "incident": incident.id,
            "number": incident.number,
            "kind": entry.kind,
            "drill": incident.drill,
        }
        about = tuple(dict.fromkeys(filter(None, (incident.entity, *refs))))
        tx.emit(Event(id=entry.id, type=NOTED, entities=about, data=data, source=telling.SOURCE))
    return entry


def shown_picture(tx: Tx, incident: Incident, image: str) -> Kept:
    """A picture of an incident, or of one that is part of it. Raises NotFound."""
    ids = [incident.id, *(one.id for one in rows.merged(tx.conn, incident.id))]
    found = lines.image(tx.conn, ids, image)
    if found is None:
        raise NotFound("there is no such picture")
    return found


def update(
    tx: Tx,
    incident: Incident,
    text: str,
    audience: str = "internal",
    minutes: int | None = None,
    status: Status | None = None,
) -> Incident:
    """Tell people how it stands, and when they hear more; with a new status, if there is one."""
    words = text_of(text, "the update", LONGEST_UPDATE)
    if audience not in ("internal", "public"):
        raise Invalid(f"{audience[:40]!r} is neither internal nor public")
    if minutes is not None and not 0 < minutes <= LATEST.total_seconds() / 60:
        raise Invalid("the next update can be promised for a time within a week")
    if status is Status.RESOLVED:
        incident = steering.resolve(tx, incident, words[: steering.LONGEST_FIX])
    elif status is not None and status is not incident.status:
        incident = steering.set_status(tx, incident, status)
    after = tx.now + timedelta(minutes=minutes) if minutes else None
    due = (after or rules.due(incident.severity, tx.now)) if incident.open else None
    incident = steering.change(tx, incident, next_update_at=due)
    said = Update(
        id=uuid7(),
        at=tx.now,
        audience="public" if audience == "public" else "internal",
        status=incident.status,
        text=words,
        by=seeing.me(tx),
        next_at=due,
    )
    lines.add_update(tx.conn, incident.id, said)
    line = f"{'Public' if said.audience == 'public' else 'Internal'} update: {words}"
    telling.tell(tx, incident, UPDATED, line, audience=said.audience, text=words, update=said.id)
    telling.index(tx, incident)
    return incident


def tick(tx: Tx, incident: Incident, runbook: str, step: str, *, done: bool) -> None:
    """A step of a runbook was done, or was not after all. Raises NotFound."""
    refs = rows.entities_of(tx.conn, [incident.id])[incident.id]
    found = runbooks.runbooks_for(tx, refs)
    book = next((one for some in found.values() for one in some if one.href == runbook), None)
    if book is None:
        raise NotFound("this incident has no such runbook")
    texts = [(one.section, one.text) for one in book.steps]
    place = {key: n for n, key in enumerate(stepping.digests(texts))}.get(step)
    if place is None:
        raise NotFound("the runbook has no such step any more: it was edited. Load the page again.")
    said = texts[place][1]
    if not done:
        if lines.untick(tx.conn, incident.id, runbook, step):
            words = f"Took back step {place + 1} “{said[:200]}”."
            telling.tell(tx, incident, TICKED, words, runbook=runbook, step=place + 1, done=False)
        return
    if lines.tick(
        tx.conn, incident.id, Tick(runbook=runbook, step=step, by=seeing.me(tx), at=tx.now)
    ):
        words = f"Finished step {place + 1} “{said[:200]}” of {book.title}."
        telling.tell(tx, incident, TICKED, words, runbook=runbook, step=place + 1, done=True)
    opened(tx, incident)


def opened(tx: Tx, incident: Incident) -> None:
    """Somebody opened a runbook: a rehearsal measures when."""
    if incident.drill:
        lines.measure(tx.conn, incident.id, "runbook_opened_at", tx.now)


def link(tx: Tx, incident: Incident, href: str, title: str = "") -> None:
    """Add a link: the call, a dashboard, a ticket. Raises Invalid."""
    found = safe_url(href.strip()[: LONGEST_URL + 1])
    if found is None or len(found) > LONGEST_URL:
        raise Invalid("a link begins with https:// or http://, and is not too long")
    if len(lines.links_of(tx.conn, [incident.id])) >= MOST_LINKS:
        raise Conflict(f"an incident has at most {MOST_LINKS} links")
    name = " ".join(title.replace("\0", "").split())[:LONGEST_LINK_TITLE] or found[:100]
    kept = Link(id=uuid7(), title=name, href=found, by=seeing.me(tx), at=tx.now)
    lines.add_link(tx.conn, incident.id, kept)
    telling.tell(tx, incident, "incidents.linked", f"Linked {name}.")


def unlink(tx: Tx, incident: Incident, link_id: str) -> None:
    """Take a link away."""
    if lines.drop_link(tx.conn, incident.id, link_id):
        telling.tell(tx, incident, "incidents.linked", "Took a link away.")
