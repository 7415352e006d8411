"""Changes that others told of: CloudEvents marked as a change, PagerDuty's change events.

Whoever takes such a message writes an event of the type `changes.reported` whose data are the
fields of kernel.changes.Change, each as it is there or left out; the event is about its entities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import msgspec
import structlog

from pilothouse.kernel.changes import Change, Kind
from pilothouse.kernel.markup import safe_url
from pilothouse.kernel.module import Changing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.kernel.events import Event
    from pilothouse.kernel.tx import Tx

REPORTED = "changes.reported"
KINDS: tuple[Kind, ...] = get_args(Kind)
LONGEST = 300

log = structlog.get_logger("pilothouse.incidents")


def read(tx: Tx, events: Sequence[Event]) -> list[Change]:
    """No query: the event says all. What cannot be read is left out, and logged."""
    del tx
    found: list[Change] = []
    for event in events:
        try:
            found.append(msgspec.convert(_fields(event), Change, strict=False))
        except msgspec.ValidationError as error:
            log.warning("changes.not_read", event_id=event.id, error=str(error))
    return found


def _fields(event: Event) -> Mapping[str, Any]:
    """Its data, made safe to show: what it calls itself is kept apart by `same`."""
    names = Change.__struct_fields__
    said = {name: value for name, value in event.data.items() if name in names}
    said = {name: value for name, value in said.items() if value is not None}
    return said | {
        "id": event.id,
        "at": said.get("at") or event.at,
        "kind": said.get("kind") if said.get("kind") in KINDS else "other",
        "entities": event.entities,
        "title": str(said.get("title") or "A change without a name")[:LONGEST],
        "by": str(said.get("by") or event.actor),
        "href": _address(said.get("href")),
        "back_href": _address(said.get("back_href")),
    }


def _address(said: object) -> str:
    """An address that a page may lead to: one of ours, or of the web; "" for others."""
    text = str(said or "")
    if text.startswith("/") and not text.startswith(("//", "/\\")):
        return text
    return safe_url(text) or ""


CHANGING = Changing((REPORTED,), read)
