"""Reading what objectives count, and judging them by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.kernel.faults import crash_point
from pilothouse.kernel.measurements.model import Count
from pilothouse.objectives.model.objectives import (
    Hour,
    Judged,
    Measured,
    Ratio,
    Sum,
)
from pilothouse.objectives.rules import budgets, burning, counting, windows
from pilothouse.objectives.service.turning import turn
from pilothouse.objectives.store import counts
from pilothouse.objectives.store import objectives as store
from pilothouse.objectives.store.objectives import Kept, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pilothouse.kernel.module import Measure
    from pilothouse.kernel.tx import Tx
    from pilothouse.objectives.model.objectives import Objective
    from pilothouse.objectives.store.counts import Row

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LATE = timedelta(minutes=10)  # read again each time: what came late
VERY_LATE = DAY  # read again each half hour: what an agent kept while we were away
PIECE = 2 * DAY  # read at once
RECENT = timedelta(hours=74)  # the longest usual rule, and a little
KEPT = timedelta(days=2)  # beyond the window
STEP = 2000  # hours that are forgotten at once


class Piece(msgspec.Struct, frozen=True):
    """A time for which an objective is to be read."""

    kept: Kept
    start: datetime
    end: datetime

    @property
    def objective(self) -> Objective:
        return self.kept.objective


class Read(msgspec.Struct, frozen=True):
    """What was read."""

    piece: Piece
    counts: Sequence[Count]


def minute_of(at: datetime) -> datetime:
    """The minute that an instant is in."""
    return at.replace(second=0, microsecond=0)


def due(tx: Tx) -> list[Piece]:
    """What is to be read next, of each objective that can be measured."""
    end = minute_of(tx.now)
    found = []
    for kept in store.every(tx.conn):
        if kept.objective.metric is None:
            continue
        start = _start(kept, end)
        found.append(Piece(kept, start, min(end, start + PIECE)))
    return found


def _start(kept: Kept, end: datetime) -> datetime:
    first = counting.hour_of(windows.period(kept.objective.window, end).start)
    first = max(first, counting.hour_of(end - windows.LONGEST))
    longest = max((one.long for one in kept.objective.rules), default=HOUR)
    first = min(first, counting.hour_of(end - longest))
    if kept.read_until is None:
        return first
    again = VERY_LATE if not end.minute % 30 and kept.read_until > end - LATE else LATE
    return max(first, kept.read_until - again)


def is_ours(objective: Objective) -> bool:
    """Whether its numbers are measures of our own."""
    return isinstance(objective.metric, Ratio) and isinstance(objective.metric.total, Measured)


def read_ours(tx: Tx, piece: Piece, measures: Mapping[str, Measure]) -> list[Count]:
    """What modules counted."""
    metric = piece.objective.metric
    if not isinstance(metric, Ratio) or not isinstance(metric.total, Measured):
        return []
    part = metric.good or metric.bad
    total = _asked(tx, metric.total, piece, measures)
    if not isinstance(part, Measured) or part == metric.total:
        chosen = total
    else:
        by_minute = {one.at: one.good for one in _asked(tx, part, piece, measures)}
        chosen = [msgspec.structs.replace(one, good=by_minute.get(one.at, 0.0)) for one in total]
    if metric.bad is None:
        return chosen
    return [msgspec.structs.replace(one, good=one.total - one.good) for one in chosen]


def _asked(tx: Tx, source: Measured, piece: Piece, measures: Mapping[str, Measure]) -> list[Count]:
    measure = measures.get(source.measure)
    if measure is None:
        return []
    labels = dict(source.labels)
    return list(measure.counts(tx, labels, piece.start, piece.end, source.below))


def record(tx: Tx, found: Sequence[Read]) -> None:
    """Keep what was read in place of what was there for that time."""
    if not found:
        return
    ids = [one.piece.kept.id for one in found]
    first = min(counts.number(one.piece.start) for one in found)
    last = max(counts.number(one.piece.end) for one in found)
    before = counts.between(tx.conn, ids, first, last)
    counts.write(tx.conn, _renewed(found, before))
    store.note_read(tx.conn, [(one.piece.kept.id, one.piece.end) for one in found])


def _renewed(
    found: Sequence[Read], before: Mapping[int, Sequence[Row]]
) -> Iterable[tuple[int, Hour]]:
    for one in found:
        piece, number = one.piece, one.piece.kept.id
        start, end = counting.hour_of(piece.start), piece.end
        old = [row.whole for row in before.get(number, ()) if start <= row.at <= end]
        known = {hour.at: hour for hour in old}
        minutes = counting.renewed(old, one.counts, piece.start, end)
        for at, by_minute in minutes.items():
            hour = counting.counted(at, by_minute.values(), piece.objective.slices, end)
            if hour != known.get(at):
                yield number, hour


def away(tx: Tx, errors: Sequence[tuple[int, str]]) -> None:
    """Note whose sources did not answer."""
    store.note_error(tx.conn, errors, tx.now)


class Finding(msgspec.Struct, frozen=True):
    """An objective, and what it was judged to be."""

    kept: Kept
    judged: Judged


def judge_all(tx: Tx) -> list[Finding]:
    """What every objective is now. Four queries, however many there are."""
    return judge(tx, store.every(tx.conn))


def judge(tx: Tx, chosen: Sequence[Kept]) -> list[Finding]:
    """What these objectives are now."""
    now = minute_of(tx.now)
    recent = counts.number(now - RECENT)
    periods = {one.id: windows.period(one.objective.window, now) for one in chosen}
    rows = counts.between(tx.conn, list(periods), recent, counts.number(now))
    older: dict[tuple[int, int], list[int]] = defaultdict(list)
    edges: dict[int, list[int]] = defaultdict(list)
    for one, period in periods.items():
        first = counts.number(period.start)
        if first < recent:
            older[first, recent].append(one)
            edges[first].append(one)
    sums = counts.sums(tx.conn, older)
    at_start = counts.at_hours(tx.conn, edges)
    found = []
    for kept in chosen:
        view = View(kept.objective, rows.get(kept.id, []), now)
        period = periods[kept.id]
        if counts.number(period.start) < recent:
            total = sums.get(kept.id, Sum()) + view.whole()
            if (edge := at_start.get(kept.id)) is not None:
                total += view.within(edge, period.start)
        else:
            total = view.since(period.start)
        budget = budgets.budget(kept.objective, total, period)
        burns = burning.burns(kept.objective, view.over)
        found.append(Finding(kept, burning.judged(burns, budget, kept.state)))
    return found


class View:
    """The newest hours of an objective, summed up to now."""

    def __init__(self, objective: Objective, rows: Sequence[Row], now: datetime) -> None:
        self.objective, self.rows, self.now = objective, rows, now

    def whole(self) -> Sum:
        """All of them."""
        return Sum(sum(row.good for row in self.rows), sum(row.total for row in self.rows))

    def over(self, length: timedelta) -> Sum:
        """The last so long."""
        return self.since(self.now - length)

    def since(self, start: datetime) -> Sum:
        """From an instant on; of the hour that it is in, the minutes after it."""
        first = counts.number(start)
        found = Sum()
        good = total = 0.0
        for row in self.rows:
            if row.hour > first:
                good += row.good
                total += row.total
            elif row.hour == first:
                found = self.within(row, start)
        return found + Sum(good, total)

    def within(self, row: Row, start: datetime) -> Sum:
        """Of one hour, what begins from an instant on."""
        if start <= row.at:
            return Sum(row.good, row.total)
        span = (start, row.at + HOUR)
        return counting.summed(row.at, row.minutes, self.objective.slices, span, self.now)


def settle(tx: Tx, found: Sequence[Finding]) -> None:
    """Keep what objectives were judged to be, and tell of those that changed."""
    standing = [
        Standing(
            one.kept.id,
            one.judged.budget.left if one.judged.budget else None,
            one.judged.burn,
            one.judged.budget.share_good if one.judged.budget else None,
        )
        for one in found
    ]
    store.note_standing(tx.conn, standing, tx.now)
    for one in found:
        if turn(tx, one.kept, one.judged):
            crash_point("objectives.turning")


def forget(tx: Tx) -> bool:
    """Delete a little of what no budget needs any more; whether there may be more."""
    oldest = [
        (one.id, counts.number(windows.period(one.objective.window, tx.now).start - RECENT - KEPT))
        for one in store.every(tx.conn)
    ]
    return bool(counts.forget(tx.conn, oldest, STEP))
