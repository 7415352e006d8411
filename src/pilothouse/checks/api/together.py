"""Posts of agents that come in at once are kept in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from pilothouse.checks.model.plans import Taken
from pilothouse.checks.service import taking
from pilothouse.checks.service.taking import Batch
from pilothouse.kernel.group_commit import GroupCommit
from pilothouse.kernel.tx import Tx

MOST = 500  # results of one transaction, which others wait for


def _write(tx: Tx, batches: Sequence[Batch]) -> list[tuple[Taken, set[str]]]:
    """Of each its answer, and the locations of which visits are wanted after all of them."""
    taken, wanted = taking.take(tx, batches)
    return [(one, wanted) for one in taken]


def _weigh(batch: Batch) -> float:
    return len(batch.posted.results) / MOST


POSTS = GroupCommit(_write, _weigh)
