"""Breaking changes of APIs, for whoever asks what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.kernel.changes import Change
from pilothouse.kernel.module import Changing
from pilothouse.kernel.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.events import Event
    from pilothouse.kernel.tx import Tx

TOLD = "apis.changed"


def read(tx: Tx, events: Sequence[Event]) -> list[Change]:
    """No query: the event says all. What breaks nobody is the catalog's to tell."""
    del tx
    return [
        _change(one) for one in events if one.at is not None and int(one.data.get("breaking") or 0)
    ]


def _change(event: Event) -> Change:
    api, data = str(event.data.get("api", "")), event.data
    breaking, findings = int(data.get("breaking") or 0), data.get("findings") or [""]
    # Who consumes it feels it, but what was changed is the API.
    own = tuple(ref for ref in event.entities if ref == api) or event.entities
    return Change(
        id=event.id,
        at=event.at,  # pyright: ignore[reportArgumentType]  (read left out those without)
        kind="config",
        entities=own,
        title=f"API {api.rpartition('/')[2]}: {counted(breaking, 'breaking change')}",
        by=event.actor,
        href=str(data.get("href", "")),
        detail=str(findings[0]),
        size=None,
    )


CHANGING = Changing((TOLD,), read)
