"""The measure of deployments that objectives can be about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.deploys.store.ended import ended
from pilothouse.kernel.measurements.model import Count
from pilothouse.kernel.refs import EntityRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from pilothouse.kernel.tx import Tx


def finished(
    tx: Tx, labels: Mapping[str, str], start: datetime, end: datetime, below: float | None = None
) -> Iterable[Count]:
    """Deployments to production by the minute they ended; good are those that succeeded.

    The label `service` is an entity's ref, of a component where no kind is said.
    """
    del below
    service = labels.get("service")
    entity = str(EntityRef.parse(service, "component")) if service else None
    found: dict[datetime, tuple[int, int]] = {}
    for at, succeeded in ended(tx.conn, start, end, entity):
        minute = at.replace(second=0, microsecond=0)
        good, total = found.get(minute, (0, 0))
        found[minute] = (good + succeeded, total + 1)
    return [Count(at, good, total) for at, (good, total) in sorted(found.items())]
