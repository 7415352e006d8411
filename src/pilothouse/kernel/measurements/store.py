"""The tables of measurements: series, their labels, and a row for each series and day.

The day stands before the series in the keys, so that rows of a new day are appended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Table,
    delete,
    select,
    tuple_,
    update,
)

from pilothouse.kernel.db import key, metadata, upsert

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pilothouse.kernel.measurements.model import Series

LONGEST = 1000  # characters of a series' name and labels together
_MANY = 500  # series asked for in one query

series = Table(
    "measurement_series",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", key(LONGEST), nullable=False),  # name and labels, as JSON
    Column("part", Boolean, nullable=False),
    Column("last_day", Integer, nullable=False),
    Index("uq_measurement_series_key", "key", unique=True),
    Index("ix_measurement_series_last_day", "last_day"),
)
labels = Table(
    "measurement_labels",
    metadata,
    Column("label", key(LONGEST), primary_key=True),  # name of the series, label, value as JSON
    Column("series_id", Integer, primary_key=True),
    Index("ix_measurement_labels_series_id", "series_id"),
    sqlite_with_rowid=False,
)
hours = Table(
    "measurement_hours",
    metadata,
    Column("part", Boolean, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),  # since 1970
    Column("series_id", Integer, primary_key=True, autoincrement=False),
    Column("sketches", LargeBinary, nullable=False),  # of its 24 hours
    sqlite_with_rowid=False,
)
days = Table(
    "measurement_days",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("series_id", Integer, primary_key=True, autoincrement=False),
    Column("sketch", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)


class Day(NamedTuple):
    """A series on a day."""

    part: bool
    day: int
    series_id: int


class Known(NamedTuple):
    """A series as it is stored."""

    id: int
    part: bool
    last_day: int


def enrolled(
    conn: Connection, wanted: Collection[Series], last: Mapping[Series, int]
) -> dict[Series, Known]:
    """These series, held against other writers, and stored where they were not yet."""
    keys = {_key(one): one for one in wanted}
    found = _locked(conn, keys)
    if missing := [one for one in wanted if one not in found]:
        rows = [
            {"key": _key(one), "part": one.part, "last_day": last[one]} for one in sorted(missing)
        ]
        conn.execute(upsert(conn, series).on_conflict_do_nothing(index_elements=["key"]), rows)
        new = _locked(conn, {_key(one): one for one in missing})
        rows = [
            {"label": _label(one.name, *label), "series_id": known.id}
            for one, known in new.items()
            for label in (("", ""), *one.labels)
        ]
        conn.execute(upsert(conn, labels).on_conflict_do_nothing(), rows)
        found |= new
    return found


def _locked(conn: Connection, keys: Mapping[str, Series]) -> dict[Series, Known]:
    found: dict[Series, Known] = {}
    for chunk in _chunks(sorted(keys)):
        query = (
            select(series.c.key, series.c.id, series.c.part, series.c.last_day)
            .where(series.c.key.in_(chunk))
            .order_by(series.c.key)
            .with_for_update()
        )
        for row in conn.execute(query):
            found[keys[row.key]] = Known(row.id, row.part, row.last_day)
    return found


def told_until(conn: Connection, ids: Collection[int], day: int) -> None:
    """Note that these series have been measured on a day."""
    later = update(series).where(series.c.id.in_(ids), series.c.last_day < day)
    conn.execute(later.values(last_day=day))


def matching(conn: Connection, name: str, wanted: Mapping[str, str]) -> dict[int, Series]:
    """The series of a name that have these labels, by id."""
    query = select(series.c.id, series.c.key, series.c.part)
    for label in [("", "")] if not wanted else sorted(wanted.items()):
        having = select(labels.c.series_id).where(labels.c.label == _label(name, *label))
        query = query.where(series.c.id.in_(having))
    return {row.id: _series(row.key, row.part) for row in conn.execute(query)}


def hours_of(
    conn: Connection, ids: Mapping[int, bool], on: Collection[int]
) -> dict[tuple[int, int], bytes]:
    """The packed hours of series (which are parts or not) on these days, by (id, day)."""
    found: dict[tuple[int, int], bytes] = {}
    for part in sorted(set(ids.values())):
        for chunk in _chunks([one for one, is_part in ids.items() if is_part == part]):
            query = select(hours.c.series_id, hours.c.day, hours.c.sketches).where(
                hours.c.part == part, hours.c.day.in_(on), hours.c.series_id.in_(chunk)
            )
            found |= {(row.series_id, row.day): row.sketches for row in conn.execute(query)}
    return found


def days_of(
    conn: Connection, ids: Collection[int], on: Collection[int]
) -> dict[tuple[int, int], bytes]:
    """The packed sketches of series on these days, by (id, day)."""
    found: dict[tuple[int, int], bytes] = {}
    for chunk in _chunks(list(ids)):
        query = select(days.c.series_id, days.c.day, days.c.sketch).where(
            days.c.day.in_(on), days.c.series_id.in_(chunk)
        )
        found |= {(row.series_id, row.day): row.sketch for row in conn.execute(query)}
    return found


def write(conn: Connection, rows: Mapping[Day, tuple[bytes, bytes]]) -> None:
    """Store the hours of days, and the sketch of each whole day."""
    if not rows:
        return
    packed = upsert(conn, hours)
    whole = upsert(conn, days)
    conn.execute(
        packed.on_conflict_do_update(
            index_elements=["part", "day", "series_id"],
            set_={"sketches": packed.excluded.sketches},
        ),
        [{**day._asdict(), "sketches": found} for day, (found, _) in rows.items()],
    )
    conn.execute(
        whole.on_conflict_do_update(
            index_elements=["day", "series_id"], set_={"sketch": whole.excluded.sketch}
        ),
        [
            {"day": day.day, "series_id": day.series_id, "sketch": found}
            for day, (_, found) in rows.items()
        ],
    )


def forget(conn: Connection, oldest_part: int, oldest: int, limit: int) -> int:
    """Delete at most so many rows of each sort from before these days; how many there were."""
    gone = 0
    for part, day in ((True, oldest_part), (False, oldest)):
        chosen = (
            select(hours.c.part, hours.c.day, hours.c.series_id)
            .where(hours.c.part == part, hours.c.day < day)
            .limit(limit)
        )
        keys = tuple_(hours.c.part, hours.c.day, hours.c.series_id)
        gone += conn.execute(delete(hours).where(keys.in_(chosen))).rowcount
    chosen = select(days.c.day, days.c.series_id).where(days.c.day < oldest).limit(limit)
    keys = tuple_(days.c.day, days.c.series_id)
    gone += conn.execute(delete(days).where(keys.in_(chosen))).rowcount
    dead = select(series.c.id).where(series.c.last_day < oldest).limit(limit)
    if ids := list(conn.execute(dead).scalars()):
        conn.execute(delete(labels).where(labels.c.series_id.in_(ids)))
        gone += conn.execute(delete(series).where(series.c.id.in_(ids))).rowcount
    return gone


def _key(one: Series) -> str:
    return msgspec.json.encode([one.name, *one.labels]).decode()


def _series(text: str, part: bool) -> Series:
    from pilothouse.kernel.measurements.model import Series

    name, *pairs = msgspec.json.decode(text)
    return Series(name, tuple((label, value) for label, value in pairs), part)


def _label(name: str, label: str, value: str) -> str:
    return msgspec.json.encode([name, label, value]).decode()


def _chunks(found: list[Any]) -> Iterable[list[Any]]:
    for start in range(0, len(found), _MANY):
        yield found[start : start + _MANY]
