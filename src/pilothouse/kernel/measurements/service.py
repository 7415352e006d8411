"""What can be done with measurements: put, add, read, forget.

Hours of totals are kept 13 months, hours of parts 35 days, days of both 13 months.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.measurements import store
from pilothouse.kernel.measurements.model import Bucket, Series, Step
from pilothouse.kernel.measurements.packing import pack, unpack
from pilothouse.kernel.measurements.sketch import Sketch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pilothouse.kernel.tx import Tx

HOURS_OF_PARTS = timedelta(days=35)
KEPT = timedelta(days=397)  # 13 months
STEP = 1000  # rows of each sort that are forgotten at once
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_HOURS = 24
_Found = dict[Series, dict[int, dict[int, Sketch]]]  # by day, by hour


def put(tx: Tx, found: Mapping[Series, Iterable[Bucket]]) -> None:
    """Say what these series were in these hours, in place of what was said before.

    So a roll-up that is done twice is as one. A few hundred series a transaction are well; hours
    that are too old to be kept are passed over. Raises Invalid for an instant that begins no hour.
    """
    _write(tx, found, adding=False)


def add(tx: Tx, found: Mapping[Series, Iterable[Bucket]]) -> None:
    """Merge numbers into what is known of these series in these hours, as `put` else."""
    _write(tx, found, adding=True)


def read(
    tx: Tx, name: str, labels: Mapping[str, str], start: datetime, end: datetime, step: Step
) -> dict[Series, list[Bucket]]:
    """The hours or days of all series of a name that have these labels, oldest first.

    Those that begin from `start` on and before `end`; where nothing was measured there is none.
    """
    chosen = store.matching(tx.conn, name, labels)
    on = range(_day(start), _day(end) + 1)
    found: dict[Series, list[Bucket]] = defaultdict(list)
    if not chosen or end <= start:
        return {}
    if step == "day":
        rows = store.days_of(tx.conn, chosen, on)
        buckets = ((one, _at(day), packed) for (one, day), packed in sorted(rows.items()))
    else:
        parts = {one: series.part for one, series in chosen.items()}
        rows = store.hours_of(tx.conn, parts, on)
        buckets = (
            (one, _at(day, hour), packed)
            for (one, day), whole in sorted(rows.items())
            for hour, packed in unpack(whole).items()
        )
    for one, at, packed in buckets:
        if start <= at < end:
            found[chosen[one]].append(Bucket(at, Sketch.from_bytes(packed)))
    return dict(found)


def forget(tx: Tx) -> bool:
    """Delete a little of what is too old; whether there may be more."""
    oldest_part, oldest = _day(tx.now - HOURS_OF_PARTS), _day(tx.now - KEPT)
    return bool(store.forget(tx.conn, oldest_part, oldest, STEP))


def _write(tx: Tx, found: Mapping[Series, Iterable[Bucket]], *, adding: bool) -> None:
    sorted_in = _by_day(found, tx.now)
    if not sorted_in:
        return
    last = {series: max(by_day) for series, by_day in sorted_in.items()}
    known = store.enrolled(tx.conn, sorted_in, last)
    on = {day for by_day in sorted_in.values() for day in by_day}
    before = store.hours_of(tx.conn, {one.id: one.part for one in known.values()}, on)
    rows: dict[store.Day, tuple[bytes, bytes]] = {}
    for series, by_day in sorted_in.items():
        one = known[series]
        for day, by_hour in by_day.items():
            packed = unpack(before.get((one.id, day), b""))
            for hour, sketch in by_hour.items():
                old = Sketch.from_bytes(packed.get(hour, b"")) if adding else Sketch()
                packed[hour] = Sketch.merged((old, sketch)).to_bytes()
            whole = Sketch.merged(map(Sketch.from_bytes, packed.values()))
            rows[store.Day(one.part, day, one.id)] = (pack(packed), whole.to_bytes())
    store.write(tx.conn, rows)
    for day in sorted(on):  # one or two
        late = [
            known[series].id for series, at in last.items() if at == day > known[series].last_day
        ]
        if late:
            store.told_until(tx.conn, late, day)


def _by_day(found: Mapping[Series, Iterable[Bucket]], now: datetime) -> _Found:
    """What is young enough, by series, day and hour."""
    oldest = {False: now - KEPT, True: now - HOURS_OF_PARTS}
    sorted_in: _Found = {}
    for series, buckets in found.items():
        for bucket in buckets:
            at = bucket.at.astimezone(UTC)
            if at.minute or at.second or at.microsecond:
                raise Invalid(f"{at} does not begin an hour")
            if _day(at) <= _day(oldest[series.part]):
                continue  # what else is known of that day may be gone, or be going
            by_hour = sorted_in.setdefault(series, {}).setdefault(_day(at), {})
            by_hour[at.hour] = Sketch.merged((by_hour.get(at.hour, Sketch()), bucket.sketch))
    return sorted_in


def _day(at: datetime) -> int:
    return (at - _EPOCH) // _DAY


def _at(day: int, hour: int = 0) -> datetime:
    return _EPOCH + timedelta(days=day, hours=hour)
