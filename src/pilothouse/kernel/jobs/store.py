"""The SQL of jobs. On PostgreSQL due times and leases are read off the database's clock."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Index,
    Integer,
    String,
    Table,
    Text,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)

from pilothouse.kernel import clock
from pilothouse.kernel.db import Instant, metadata, read, upsert
from pilothouse.kernel.jobs.model import DeadLetter, Job

jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(100), nullable=False),
    Column("key", String(400)),
    Column("payload", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_until", Instant),
    Column("lease_token", String(32)),
    Column("again_at", Instant),  # asked for once more while it was being done: when
    Column("dead_at", Instant),
    Column("error", Text),
    Index("uq_jobs_kind_key", "kind", "key", unique=True),
    Index("ix_jobs_due_at", "due_at"),
)
_COLUMNS = (
    jobs.c.id,
    jobs.c.kind,
    jobs.c.key,
    jobs.c.payload,
    jobs.c.due_at,
    jobs.c.attempts,
    jobs.c.lease_token,
)
RECURRING = "every"  # the key of a recurring kind's one job
_FREE: dict[str, Any] = {"lease_until": None, "lease_token": None}


def moment(conn: Connection, after: timedelta = timedelta(0)) -> ColumnElement[datetime]:
    """Now plus `after`, by the clock that all workers of this database share."""
    if conn.dialect.name == "sqlite":
        return literal(clock.now() + after, Instant)
    if not after:
        return func.clock_timestamp(type_=DateTime(timezone=True))
    seconds = float(after.total_seconds())
    return literal_column(
        f"clock_timestamp() + interval '{seconds:.6f} seconds'", DateTime(timezone=True)
    )


def enqueue(
    conn: Connection, kind: str, payload: str, key: str | None, after: timedelta = timedelta(0)
) -> None:
    """Add a job, or bring the one with this key forward; see `Tx.enqueue`."""
    values: dict[str, Any] = {
        "kind": kind,
        "key": key,
        "payload": payload,
        "due_at": moment(conn, after),
        "attempts": 0,
    }
    if key is None:
        conn.execute(insert(jobs).values(values))
        return
    statement = upsert(conn, jobs).values(values)
    new = statement.excluded
    done_now = jobs.c.lease_token.is_not(None)
    asked = case((jobs.c.again_at < new.due_at, jobs.c.again_at), else_=new.due_at)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=[jobs.c.kind, jobs.c.key],
            set_={
                "payload": new.payload,
                "due_at": case(
                    (jobs.c.dead_at.is_not(None), new.due_at),
                    # Its own time, by which it is taken again should its worker end, stays.
                    (done_now | (jobs.c.due_at < new.due_at), jobs.c.due_at),
                    else_=new.due_at,
                ),
                "again_at": case((done_now, asked), else_=jobs.c.again_at),
                "attempts": case((jobs.c.dead_at.is_not(None), 0), else_=jobs.c.attempts),
                "dead_at": None,
            },
        )
    )


def seed(conn: Connection, kind: str, every: timedelta) -> None:
    """See that a recurring job exists, due within `every`; one that waits is left as it is."""
    values = {
        "kind": kind,
        "key": RECURRING,
        "payload": "{}",
        "due_at": moment(conn),
        "attempts": 0,
    }
    latest = moment(conn, every)
    conn.execute(
        upsert(conn, jobs)
        .values(values)
        .on_conflict_do_update(
            index_elements=[jobs.c.kind, jobs.c.key],
            set_={"due_at": latest, "dead_at": None},
            where=or_(jobs.c.due_at > latest, jobs.c.dead_at.is_not(None)),
        )
    )


def set_back(conn: Connection, by: timedelta) -> int:
    """Bring due times and leases back to where they were meant, after the clock was set back.

    For SQLite, whose due times are this machine's: they would all be late by so much.
    """
    columns = (jobs.c.id, jobs.c.due_at, jobs.c.lease_until, jobs.c.again_at)
    rows = conn.execute(select(*columns).where(jobs.c.dead_at.is_(None))).all()
    moved = [
        {
            "job": row.id,
            "due": row.due_at - by,
            "lease": row.lease_until and row.lease_until - by,
            "again": row.again_at and row.again_at - by,
        }
        for row in rows
    ]
    if moved:
        later = {
            "due_at": bindparam("due"),
            "lease_until": bindparam("lease"),
            "again_at": bindparam("again"),
        }
        conn.execute(update(jobs).where(jobs.c.id == bindparam("job")).values(later), moved)
    return len(moved)


def _claimable(conn: Connection, kinds: Collection[str]) -> ColumnElement[bool]:
    now = moment(conn)
    return and_(
        jobs.c.kind.in_(sorted(kinds)),
        jobs.c.due_at <= now,
        jobs.c.dead_at.is_(None),
        or_(jobs.c.lease_until.is_(None), jobs.c.lease_until < now),
    )


def anything_due(conn: Connection, kinds: Collection[str]) -> bool:
    """Whether a claim would find something; cheap, and takes no lock."""
    return (
        conn.execute(select(jobs.c.id).where(_claimable(conn, kinds)).limit(1)).first() is not None
    )


def unsettled(conn: Connection, within: timedelta) -> int:
    """How many jobs are being done, or are due soon and did not fail before; not recurring ones."""
    query = select(func.count()).where(
        jobs.c.dead_at.is_(None),
        or_(jobs.c.key.is_(None), jobs.c.key != RECURRING),
        or_(
            jobs.c.lease_token.is_not(None),
            and_(jobs.c.due_at <= moment(conn, within), jobs.c.error.is_(None)),
        ),
    )
    return conn.execute(query).scalar_one()


def waiting(conn: Connection, kinds: Collection[str], most_attempts: int) -> int:
    """Jobs of these kinds that are not done, but for those that failed so often already."""
    here = jobs.c.kind.in_(kinds) & jobs.c.dead_at.is_(None) & (jobs.c.attempts <= most_attempts)
    return conn.execute(select(func.count()).select_from(jobs).where(here)).scalar_one()


def claim(conn: Connection, leases: Mapping[str, timedelta], limit: int) -> list[Job]:
    """Take up to `limit` due jobs of these kinds, each for its kind's lease.

    No other worker gets them until it has passed.
    """
    due = (
        select(jobs.c.id, jobs.c.kind)
        .where(_claimable(conn, leases))
        .order_by(jobs.c.due_at, jobs.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = conn.execute(due).all()
    if not found:
        return []
    token = clock.uuid7()
    later = case((jobs.c.again_at > moment(conn), jobs.c.again_at))  # by now: this is that time
    for lease in {leases[row.kind] for row in found}:  # one or two
        conn.execute(
            update(jobs)
            .where(jobs.c.id.in_([row.id for row in found if leases[row.kind] == lease]))
            .values(
                attempts=jobs.c.attempts + 1,
                lease_until=moment(conn, lease),
                lease_token=token,
                again_at=later,
            )
        )
    ids = [row.id for row in found]
    rows = conn.execute(select(*_COLUMNS).where(jobs.c.id.in_(ids)).order_by(jobs.c.due_at))
    return [read(Job, row) for row in rows]


def _held(job: Job) -> ColumnElement[bool]:
    return and_(jobs.c.id == job.id, jobs.c.lease_token == job.lease_token)


def renew(conn: Connection, job: Job, lease: timedelta) -> bool:
    """Hold a job for another `lease`; False when another worker has it."""
    changed = conn.execute(update(jobs).where(_held(job)).values(lease_until=moment(conn, lease)))
    return changed.rowcount == 1


def finish(conn: Connection, job: Job, every: timedelta | None = None) -> bool:
    """End a job that was done; False when another worker has it, so nothing was ended.

    One that was asked for again meanwhile is due when it was asked for, a recurring one after
    `every`.
    """
    # Locked before it is judged: who asks again between a look and a delete would ask in vain.
    held = conn.execute(select(jobs.c.again_at).where(_held(job)).with_for_update()).first()
    if held is None:
        return False
    if held.again_at is None and every is None:
        conn.execute(delete(jobs).where(_held(job)))
        return True
    done: dict[str, Any] = {**_FREE, "attempts": 0, "error": None, "again_at": None}
    done["due_at"] = held.again_at or moment(conn, every or timedelta(0))
    conn.execute(update(jobs).where(_held(job)).values(done))
    return True


def postpone(conn: Connection, job: Job, error: str, after: timedelta) -> bool:
    """Put a job that failed back, due `after` from now."""
    values = {**_FREE, "error": error[:2000], "due_at": moment(conn, after)}
    return conn.execute(update(jobs).where(_held(job)).values(values)).rowcount == 1


def give_back(conn: Connection, job: Job) -> bool:
    """Let another worker have a job that this one cannot end, as if it had not been claimed."""
    values = {**_FREE, "attempts": jobs.c.attempts - 1}
    return conn.execute(update(jobs).where(_held(job)).values(values)).rowcount == 1


def bury(conn: Connection, job: Job, error: str) -> bool:
    """Give a job up: it is kept and shown, and not tried again by itself.

    One that was asked for again meanwhile is due then instead, from the first attempt on.
    """
    asked = jobs.c.again_at.is_not(None)
    values = {
        **_FREE,
        "error": error[:2000],
        "dead_at": case((asked, None), else_=moment(conn)),
        "attempts": case((asked, 0), else_=jobs.c.attempts),
        "due_at": func.coalesce(jobs.c.again_at, jobs.c.due_at),
        "again_at": None,
    }
    return conn.execute(update(jobs).where(_held(job)).values(values)).rowcount == 1


def revive(conn: Connection, job_id: int) -> bool:
    """Have a dead letter tried again, from the first attempt on."""
    dead = and_(jobs.c.id == job_id, jobs.c.dead_at.is_not(None))
    values = {"dead_at": None, "attempts": 0, "again_at": None, "due_at": moment(conn)}
    return conn.execute(update(jobs).where(dead).values(**values)).rowcount == 1


def dead_letters(conn: Connection, limit: int = 100) -> list[DeadLetter]:
    """Jobs that were given up, newest first."""
    columns = [jobs.c[name] for name in DeadLetter.__struct_fields__]
    query = select(*columns).where(jobs.c.dead_at.is_not(None)).order_by(jobs.c.dead_at.desc())
    return [read(DeadLetter, row) for row in conn.execute(query.limit(limit))]


class Backlog(msgspec.Struct, frozen=True):
    """How much waits, for metrics."""

    kind: str
    waiting: int
    dead: int


def backlog(conn: Connection) -> list[Backlog]:
    """Jobs by kind."""
    dead = func.sum(case((jobs.c.dead_at.is_not(None), 1), else_=0)).label("dead")
    total = func.count().label("total")
    rows = conn.execute(
        select(jobs.c.kind, total, dead).group_by(jobs.c.kind).order_by(jobs.c.kind)
    )
    return [Backlog(row.kind, row.total - row.dead, row.dead) for row in rows]
