"""What was done by those who may: read out of the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.kernel.auth import store
from pilothouse.kernel.auth.store.deeds import Deed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pilothouse.kernel.tx import Tx


def deeds(tx: Tx, types: Sequence[str], before: datetime | None, limit: int) -> list[Deed]:
    """The newest deeds of these types before an instant."""
    return store.deeds.deeds(tx.conn, types, before, limit)
