"""What waits to be asked of agents, at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.checks.store import asking, planned

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx


def glance(tx: Tx) -> tuple[set[str], int]:
    """Locations of which visits are wanted, and the number of the plan: two queries."""
    return asking.waiting(tx.conn, tx.now), planned.note(tx.conn, planned.PLAN)


def is_empty(tx: Tx, location: str) -> bool:
    """Whether nothing is wanted of a location that an agent could take."""
    return location not in asking.waiting(tx.conn, tx.now)
