"""Problems that other modules find in the files of a source, beside the catalog's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.catalog.model import Scope
from pilothouse.catalog.rules.problems import capped
from pilothouse.catalog.store import problems
from pilothouse.kernel.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.catalog.model import Problem
    from pilothouse.kernel.tx import Tx

MOST_PROBLEMS = 2000  # of one source, by one module


def report(tx: Tx, by: str, source_id: int, found: Sequence[Problem]) -> None:
    """Make these all the problems that module `by` knows in a source, in place of those before.

    One that was known already keeps its time.
    """
    if by in set(Scope) or len(by) > 20:  # noqa: PLR2004  as its column
        raise Invalid(f"{by!r} cannot name whose problems these are")
    kept = list(dict.fromkeys(capped(found)))[:MOST_PROBLEMS]
    known = problems.of_scope(tx.conn, by, source_id)
    gone = [number for number, problem in known.items() if problem not in set(kept)]
    fresh = [problem for problem in kept if problem not in set(known.values())]
    problems.remove(tx.conn, gone)
    problems.add(tx.conn, by, ((source_id, problem) for problem in fresh), tx.now)


def sources(tx: Tx, by: str) -> set[int]:
    """The sources in which module `by` knows problems."""
    return problems.sources_of(tx.conn, by)
