"""What of error budgets was spent in a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.objectives.rules import counting
from pilothouse.objectives.service import measuring
from pilothouse.objectives.store import counts
from pilothouse.objectives.store import objectives as store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pilothouse.kernel.tx import Tx

LEAST = 0.001  # of a budget


def between(tx: Tx, refs: Sequence[str], start: datetime, end: datetime) -> list[tuple[str, float]]:
    """Titles of the objectives of entities, and the share of each budget that was spent then.

    By whole minutes; the greatest first. What nobody counted is left out.
    """
    chosen = store.about(tx.conn, refs) if refs else []
    if not chosen:
        return []
    first, last = start.replace(second=0, microsecond=0), end
    rows = counts.between(
        tx.conn, [one.id for one in chosen], counts.number(first), counts.number(last)
    )
    found: list[tuple[str, float]] = []
    for one in measuring.judge(tx, chosen):
        budget = one.judged.budget
        if budget is None or budget.allowed <= 0:
            continue
        slices = one.kept.objective.slices
        sums = [
            counting.summed(row.at, row.minutes, slices, (first, last), tx.now)
            for row in rows.get(one.kept.id, [])
        ]
        bad = sum(each.total - each.good for each in sums)
        if bad / budget.allowed >= LEAST:
            found.append((one.kept.objective.title, bad / budget.allowed))
    return sorted(found, key=lambda each: -each[1])
