"""The SQL of alerts as they came in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, delete, func, select, update

from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.db import upsert
from pilothouse.oncall.model.paging import Arrived, Signal
from pilothouse.oncall.store.tables import alerts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

_NAMES = ("id", "signal", "page", "silence", "count", "first_at", "last_at", "cleared_at")
_COLUMNS = [alerts.c[name] for name in _NAMES]


def _arrived(row: Any) -> Arrived:
    values: dict[str, Any] = {
        name: getattr(row, f"_{name}" if name == "count" else name) for name in _NAMES
    }
    values["signal"] = msgspec.json.decode(row.signal, type=Signal)
    return Arrived(**values)


_READ = [column.label("_count") if column.name == "count" else column for column in _COLUMNS]


def take(
    conn: Connection, signals: Mapping[str, tuple[Signal, int]], now: datetime
) -> list[tuple[Arrived, bool]]:
    """Keep alerts, one row for each open key; whether each is new. In the order of their keys."""
    rows: list[dict[str, Any]] = [
        {
            "id": uuid7(),
            "key": key,
            "open_key": key,
            "page": None,
            "silence": "",
            "entity": signal.entity,
            "urgency": signal.urgency,
            "signal": msgspec.json.encode(signal).decode(),
            "count": count,
            "first_at": signal.at if signal.at and signal.at < now else now,
            "last_at": now,
        }
        for key, (signal, count) in sorted(signals.items())
    ]
    statement = upsert(conn, alerts)
    new = statement.excluded
    said = statement.on_conflict_do_update(
        index_elements=[alerts.c.open_key],
        set_={
            "count": alerts.c.count + new["count"],
            "last_at": new.last_at,
            "signal": new.signal,
            "urgency": new.urgency,
        },
    )
    fresh = {row["id"] for row in rows}
    found = [_arrived(row) for row in conn.execute(said.returning(*_READ), rows)]
    return sorted(((one, one.id in fresh) for one in found), key=lambda pair: pair[0].signal.key)


def join(conn: Connection, ids: Sequence[str], page_id: str) -> None:
    """Make alerts a page's."""
    here = alerts.c.id.in_(list(ids))
    conn.execute(update(alerts).where(here).values(page=page_id, silence=""))


def silence(conn: Connection, ids: Sequence[str], silence_id: str) -> None:
    conn.execute(update(alerts).where(alerts.c.id.in_(list(ids))).values(silence=silence_id))


def find_open(conn: Connection, key: str, *, hold: bool = False) -> Arrived | None:
    """The alert of a key that is not over; with `hold` nobody changes it now."""
    query = select(*_READ).where(alerts.c.open_key == key)
    row = conn.execute(query.with_for_update() if hold else query).one_or_none()
    return None if row is None else _arrived(row)


def clear(conn: Connection, alert_id: str, now: datetime) -> bool:
    """An alert is over; False where it was."""
    still = (alerts.c.id == alert_id) & alerts.c.open_key.is_not(None)
    values = {"open_key": None, "cleared_at": now}
    return conn.execute(update(alerts).where(still).values(values)).rowcount == 1


def is_urgent(conn: Connection, page_id: str) -> bool:
    """Whether an alert of high urgency of this page is not over."""
    mine = (alerts.c.page == page_id) & alerts.c.open_key.is_not(None)
    query = select(alerts.c.id).where(mine & (alerts.c.urgency == "high")).limit(1)
    return conn.execute(query).first() is not None


def hold_page(conn: Connection, page_id: str) -> None:
    """Nobody changes the open alerts of a page now."""
    mine = (alerts.c.page == page_id) & alerts.c.open_key.is_not(None)
    conn.execute(select(alerts.c.id).where(mine).order_by(alerts.c.open_key).with_for_update())


def clear_page(conn: Connection, page_id: str, now: datetime) -> int:
    """All alerts of a page are over; how many there were."""
    mine = (alerts.c.page == page_id) & alerts.c.open_key.is_not(None)
    values = {"open_key": None, "cleared_at": now}
    return conn.execute(update(alerts).where(mine).values(values)).rowcount


def of_page(conn: Connection, page_id: str, limit: int) -> list[Arrived]:
    """The alerts of a page, as they came."""
    query = select(*_READ).where(alerts.c.page == page_id).order_by(alerts.c.first_at, alerts.c.id)
    return [_arrived(row) for row in conn.execute(query.limit(limit))]


def silenced(conn: Connection, silence_id: str, limit: int) -> list[Arrived]:
    """Alerts that a silence kept from paging and that are open, which nobody changes now."""
    held = (alerts.c.silence == silence_id) & alerts.c.open_key.is_not(None)
    query = select(*_READ).where(held, alerts.c.page.is_(None)).order_by(alerts.c.open_key)
    return [_arrived(row) for row in conn.execute(query.limit(limit).with_for_update())]


def counts(conn: Connection, page_id: str) -> list[tuple[str, int]]:
    """A page's open alerts by entity, the most first."""
    total = func.count()
    query = (
        select(alerts.c.entity, total)
        .where(alerts.c.page == page_id, alerts.c.open_key.is_not(None))
        .group_by(alerts.c.entity)
        .order_by(total.desc(), alerts.c.entity)
    )
    return [(row[0], row[1]) for row in conn.execute(query)]


def forget(conn: Connection, before: datetime, limit: int) -> int:
    """Drop alerts that are over and were last heard of before."""
    old = (
        select(alerts.c.id)
        .where(alerts.c.last_at < before, alerts.c.open_key.is_(None))
        .order_by(alerts.c.last_at)
        .limit(limit)
    )
    ids = list(conn.execute(old).scalars())
    if ids:
        conn.execute(delete(alerts).where(alerts.c.id.in_(ids)))
    return len(ids)
