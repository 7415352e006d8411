"""Events of other modules as lines of a timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.incidents.model.incidents import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.kernel.changes import Change
    from pilothouse.kernel.events import Event

OWN, PRIVATE = "incidents.", ("auth.", "docs.", "apis.", "search.")
SAID = ("words", "summary", "title", "reason", "message")  # what data may call its sentence
LONGEST = 300


def lines(events: Sequence[Event], changes: Mapping[str, Sequence[Change]]) -> list[Entry]:
    """What events say, each in a sentence; those that say nothing to people are left out."""
    found: list[Entry] = []
    for event in events:
        if event.type.startswith((OWN, *PRIVATE)) or event.at is None:
            continue
        if told := changes.get(event.id):
            found += [_of_change(event, one) for one in told]
        elif entry := _of_event(event):
            found.append(entry)
    return found


def _of_change(event: Event, change: Change) -> Entry:
    return Entry(
        id=change.id,
        at=change.at,
        kind=event.type,
        by=change.by,
        words=change.title + (" failed" if change.failed else ""),
        href=change.href if change.href.startswith("/") else "",
        entity=next(iter(change.entities), ""),
    )


def _of_event(event: Event) -> Entry | None:
    said = _sentence(event.data)
    if not said:
        return None
    if event.type == "alerts.cleared":
        said = f"Over: {said}"
    href = event.data.get("href")
    return Entry(
        id=event.id,
        at=event.at,  # pyright: ignore[reportArgumentType]  (it was written)
        kind=event.type,
        by="" if event.actor == "system" else event.actor,
        words=said[:LONGEST],
        href=href if isinstance(href, str) and href.startswith("/") else "",
        entity=next(iter(event.entities), ""),
    )


def _sentence(data: Mapping[str, Any]) -> str:
    for name in SAID:
        if isinstance(said := data.get(name), str) and said.strip():
            return " ".join(said.split())
    return ""
