"""Results as they come in: kept once each, and what every location last said."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import bindparam, insert, select, tuple_, update

from pilothouse.checks.model.kept import OUTCOMES, Check
from pilothouse.checks.model.results import Outcome, Result
from pilothouse.checks.model.verdicts import Standing, State
from pilothouse.checks.store.packing import hundredths, pack_phases, pack_result
from pilothouse.checks.store.reading import CHECK, check_of, parts, standing_of
from pilothouse.checks.store.tables import (
    again,
    checks,
    details,
    newest,
    pauses,
    results,
    series,
    states,
)
from pilothouse.kernel.db import upsert

if TYPE_CHECKING:
    from sqlalchemy import Connection

NUMBERS = {outcome: number for number, outcome in enumerate(OUTCOMES)}
_IDS = 300  # pairs in one query


class Series(msgspec.Struct, kw_only=True):
    """One check at one location, as it is while results are taken."""

    id: int
    check_id: int
    last_id: int
    standing: Standing | None
    kept_id: int
    rolled: int
    newest: Result | None = None  # what was taken last of it


def locked(conn: Connection, location: str, check_ids: Collection[int]) -> dict[int, Series]:
    """The series of a location by check, made where there were none, held until the end.

    In the order of their ids, so that nobody waits for someone who waits for them.
    """
    found = _locked(conn, location, check_ids)
    if missing := sorted(set(check_ids) - found.keys()):
        rows = [
            {
                "check_id": one,
                "location": location,
                "last_id": 0,
                "state": State.UNKNOWN.value,
                "outcome": 0,
                "fault": "",
                "reason": "",
                "total": 0.0,
                "standing": "",
                "look_at": 0,
                "kept_id": 0,
                "rolled": 0,
            }
            for one in missing
        ]
        conn.execute(upsert(conn, series).on_conflict_do_nothing(), rows)
        found |= _locked(conn, location, missing)
    return found


def _locked(conn: Connection, location: str, check_ids: Collection[int]) -> dict[int, Series]:
    found: dict[int, Series] = {}
    for part in parts(sorted(check_ids)):
        query = (
            select(
                series.c.id,
                series.c.check_id,
                series.c.last_id,
                series.c.standing,
                series.c.kept_id,
                series.c.rolled,
            )
            .where(series.c.location == location, series.c.check_id.in_(part))
            .order_by(series.c.id)
            .with_for_update()
        )
        for row in conn.execute(query):
            found[row.check_id] = Series(
                id=row.id,
                check_id=row.check_id,
                last_id=row.last_id,
                standing=standing_of(row.standing),
                kept_id=row.kept_id,
                rolled=row.rolled,
            )
    return found


def known(conn: Connection, pairs: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Which of these results (series, id) are kept already."""
    found: set[tuple[int, int]] = set()
    for start in range(0, len(pairs), _IDS):
        part = pairs[start : start + _IDS]
        query = select(results.c.series_id, results.c.id).where(
            tuple_(results.c.series_id, results.c.id).in_(part)
        )
        found |= {(row.series_id, row.id) for row in conn.execute(query)}
    return found


def keep(conn: Connection, found: Sequence[tuple[Series, Result]]) -> None:
    """Keep results that are not known yet."""
    if not found:
        return
    conn.execute(
        insert(results),
        [
            {
                "series_id": one.id,
                "id": result.id,
                "outcome": NUMBERS[result.outcome],
                "total": hundredths(result.total),
                "phases": pack_phases(result.phases, result.steps),
            }
            for one, result in found
        ],
    )


def keep_details(conn: Connection, found: Sequence[tuple[Series, Result]]) -> None:
    """Keep all of some results."""
    if not found:
        return
    rows = [
        {
            "check_id": one.check_id,
            "result_id": result.id,
            "series_id": one.id,
            "size": len(packed),
            "body": packed,
        }
        for one, result in found
        for packed in [pack_result(result)]
    ]
    conn.execute(upsert(conn, details).on_conflict_do_nothing(), rows)


def milliseconds(at: datetime) -> int:
    """An instant as a number."""
    return round(at.timestamp() * 1000)


def _since(standing: Standing | None) -> int | None:
    """Since when its visits fail; a good one tells at once that the location reaches it."""
    if standing is None or standing.bad_since is None or standing.outcome != Outcome.FAILED:
        return None
    return milliseconds(standing.bad_since)


_STAND = (
    update(series)
    .where(series.c.id == bindparam("number"))
    .values(
        last_id=bindparam("last_id"),
        state=bindparam("state"),
        outcome=bindparam("outcome"),
        fault=bindparam("fault"),
        reason=bindparam("reason"),
        total=bindparam("total"),
        standing=bindparam("standing"),
        look_at=bindparam("look_at"),
        bad_since=bindparam("bad_since"),
        kept_id=bindparam("kept_id"),
    )
)


def stand(conn: Connection, found: Collection[Series]) -> None:
    """Write down what series last said."""
    told = [(one, one.newest) for one in found if one.newest is not None]
    if not told:
        return
    conn.execute(
        _STAND,
        [
            {
                "number": one.id,
                "last_id": one.last_id,
                "state": (one.standing.state if one.standing else State.UNKNOWN).value,
                "outcome": NUMBERS[last.outcome],
                "fault": last.fault,
                "reason": last.reason,
                "total": last.total,
                "standing": msgspec.json.encode(one.standing).decode() if one.standing else "",
                "look_at": milliseconds(one.standing.at) if one.standing else 0,
                "bad_since": _since(one.standing),
                "kept_id": one.kept_id,
            }
            for one, last in told
        ],
    )
    put = upsert(conn, newest)
    put = put.on_conflict_do_update(
        index_elements=["series_id"],
        set_={"result_id": put.excluded.result_id, "body": put.excluded.body},
    )
    conn.execute(
        put,
        [
            {"series_id": one.id, "result_id": last.id, "body": pack_result(last)}
            for one, last in told
        ],
    )


def roll_again(conn: Connection, hours: Collection[tuple[int, int]]) -> None:
    """These hours of series had results after they were made into sketches."""
    if hours:
        rows = [{"series_id": one, "hour": hour, "number": 1} for one, hour in sorted(hours)]
        put = upsert(conn, again)
        more = {"number": again.c.number + 1}
        conn.execute(
            put.on_conflict_do_update(index_elements=["series_id", "hour"], set_=more), rows
        )


def standings(conn: Connection, check_ids: Collection[int]) -> dict[int, list[Standing]]:
    """What all locations last said of checks, those that ever could look."""
    found: dict[int, list[Standing]] = {one: [] for one in check_ids}
    for part in parts(check_ids):
        query = select(series.c.check_id, series.c.standing).where(
            series.c.check_id.in_(part), series.c.standing != ""
        )
        for row in conn.execute(query.order_by(series.c.location)):
            if (one := standing_of(row.standing)) is not None:
                found[row.check_id].append(one)
    return found


def troubled(conn: Connection, check_ids: Collection[int]) -> set[int]:
    """Those of some checks of which any location says else than that all is well."""
    found: set[int] = set()
    for part in parts(check_ids):
        query = select(series.c.check_id).where(
            series.c.check_id.in_(part),
            (series.c.outcome.not_in((NUMBERS[Outcome.OK], NUMBERS[Outcome.UNABLE])))
            | (series.c.state != State.HEALTHY.value),
        )
        found |= set(conn.execute(query.distinct()).scalars())
    return found


def healthy_at(conn: Connection, locations: Collection[str]) -> dict[str, dict[str, Check]]:
    """By location and ref, the checks that it visits and that are healthy."""
    found: dict[str, dict[str, Check]] = {}
    if not locations:
        return found
    query = (
        select(series.c.location, *CHECK)
        .join(checks, checks.c.id == series.c.check_id)
        .join(states, states.c.check_id == checks.c.id)
        .where(
            series.c.location.in_(sorted(locations)),
            series.c.state == State.HEALTHY.value,
            states.c.state == State.HEALTHY.value,
            checks.c.gone_at.is_(None),
            checks.c.id.not_in(select(pauses.c.check_id)),
        )
    )
    for row in conn.execute(query):
        found.setdefault(row.location, {})[row.ref] = check_of(row)
    return found
