"""What everybody was told of incidents, on the public status pages."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.incidents.model.incidents import STATUS_WORDS, Incident, Update
from pilothouse.incidents.service import reading
from pilothouse.incidents.service.showing import status_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.tx import Tx

LATELY = timedelta(days=14)
MOST = 30  # incidents


class Told(msgspec.Struct, frozen=True):
    """One incident as the public knows it: not by its title, which is for us."""

    incident: Incident
    updates: list[Update]  # public ones, the newest first

    @property
    def state(self) -> str:
        return status_state(self.incident)

    @property
    def word(self) -> str:
        return STATUS_WORDS[self.incident.status]


def told(tx: Tx, refs: Sequence[str]) -> list[Told]:
    """Public updates about any of these entities: of what is open, and of the last two weeks.

    Nothing of restricted incidents and rehearsals. Two queries.
    """
    found = [
        one
        for one in reading.about(tx, refs, MOST)
        if not (one.drill or one.restricted)
        and (one.resolved_at is None or one.resolved_at > tx.now - LATELY)
    ]
    updates = reading.public_updates(tx, [one.id for one in found]) if found else {}
    return [Told(one, updates[one.id]) for one in found if one.id in updates]
