"""Pages in the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilothouse.kernel.events import Event
from pilothouse.oncall.model.paging import Said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.tx import Tx
    from pilothouse.oncall.model.paging import Page


def say(  # noqa: PLR0913  what a sentence is made of
    tx: Tx,
    kind: str,
    page: Page,
    words: str,
    *,
    person: str = "",
    way: str = "",
    entities: Sequence[str] = (),
) -> None:
    """Write an event about a page and its entities."""
    data = Said(
        page=page.id,
        number=page.number,
        entity=page.entity,
        summary=page.summary,
        urgency=page.urgency,
        person=person,
        way=way,
        words=words,
        drill=page.drill,
    )
    about = dict.fromkeys((page.entity, *entities))
    tx.emit(
        Event(
            type=kind,
            entities=tuple(ref for ref in about if ref and not ref.startswith("mailto:")),
            data=msgspec.to_builtins(data),
        )
    )
