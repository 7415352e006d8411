"""Deployments and what runs where."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from pilothouse.deploys.model import WRONG, Change, Deployment, Running, Status
from pilothouse.deploys.store.tables import asked, commits, deployments, running
from pilothouse.kernel.db import read, upsert

_COLUMNS = [deployments.c[name] for name in Deployment.__struct_fields__]
_RUNNING = [running.c[name] for name in Running.__struct_fields__]
_PART = 400  # values in one IN
PER_STATUS = 20


def parts(values: Collection[Any]) -> Iterable[list[Any]]:
    """A long list in parts that one statement takes."""
    whole = list(values)
    return (whole[start : start + _PART] for start in range(0, len(whole), _PART))


def by_keys(conn: Connection, keys: Collection[str]) -> list[Deployment]:
    return _all(conn, deployments.c.key, keys)


def by_ids(conn: Connection, ids: Collection[int]) -> list[Deployment]:
    return _all(conn, deployments.c.id, ids)


def _all(conn: Connection, column: Any, values: Collection[Any]) -> list[Deployment]:
    found: list[Deployment] = []
    for part in parts(values):
        rows = conn.execute(select(*_COLUMNS).where(column.in_(part)))
        found += [read(Deployment, row) for row in rows]
    return found


def not_recovered(conn: Connection, places: Collection[tuple[str, str]]) -> list[Deployment]:
    """What went wrong in these places and was not recovered from."""
    if not places:
        return []
    entities = sorted({entity for entity, _ in places})
    found: list[Deployment] = []
    for part in parts(entities):
        query = select(*_COLUMNS).where(
            deployments.c.entity.in_(part),
            deployments.c.environment.in_(sorted({place for _, place in places})),
            # Not the column itself: there are far more that went wrong than these places have.
            func.coalesce(deployments.c.status, "").in_(sorted(WRONG)),
            deployments.c.recovered_at.is_(None),
        )
        found += [read(Deployment, row) for row in conn.execute(query)]
    return [one for one in found if (one.entity, one.environment) in places]


def running_of(conn: Connection, entities: Collection[str]) -> list[Running]:
    """What runs of these entities, in all environments."""
    found: list[Running] = []
    for part in parts(entities):
        query = select(*_RUNNING).where(running.c.entity.in_(part))
        found += [read(Running, row) for row in conn.execute(query)]
    return found


def add(conn: Connection, found: Sequence[Deployment]) -> list[int]:
    """Write new deployments; their ids, in the same order."""
    rows = [_values(one) for one in found]
    statement = insert(deployments).returning(deployments.c.id, sort_by_parameter_order=True)
    return list(conn.execute(statement, rows).scalars()) if rows else []


def change(conn: Connection, found: Sequence[Deployment]) -> None:
    """Write deployments that are known already."""
    if not found:
        return
    names = [name for name in Deployment.__struct_fields__ if name not in {"id", "key", "entity"}]
    statement = (
        update(deployments)
        .where(deployments.c.id == bindparam("of_id"))
        .values({name: bindparam(f"to_{name}") for name in names})
    )
    rows = [
        {"of_id": one.id, **{f"to_{name}": getattr(one, name) for name in names}} for one in found
    ]
    conn.execute(statement, rows)


def _values(one: Deployment) -> dict[str, Any]:
    values = {name: getattr(one, name) for name in Deployment.__struct_fields__}
    del values["id"]
    return values


def stand(conn: Connection, found: Sequence[Running]) -> None:
    """Write what runs in these places."""
    if not found:
        return
    statement = upsert(conn, running)
    new = statement.excluded
    names = [n for n in Running.__struct_fields__ if n not in {"entity", "environment"}]
    statement = statement.on_conflict_do_update(
        index_elements=[running.c.entity, running.c.environment],
        set_={name: new[name] for name in names},
    )
    conn.execute(statement, [msgspec.structs.asdict(one) for one in found])


def count_commits(conn: Connection, deployment_id: int, total: int) -> None:
    """Say in the place where a deployment runs how many commits it brought."""
    conn.execute(update(running).where(running.c.live == deployment_id).values(commits=total))


def history(
    conn: Connection, entity: str, environment: str | None, before: int | None, limit: int
) -> list[Deployment]:
    """The deployments of one entity, newest first; `before` is the last one of the page above."""
    query = select(*_COLUMNS).where(deployments.c.entity == entity)
    if environment is not None:
        query = query.where(deployments.c.environment == environment)
    return _page(conn, query, before, limit)


def count(conn: Connection, entity: str, environment: str | None) -> int:
    """How many deployments an entity has."""
    query = select(func.count()).select_from(deployments).where(deployments.c.entity == entity)
    if environment is not None:
        query = query.where(deployments.c.environment == environment)
    return conn.execute(query).scalar_one()


def _page(conn: Connection, query: Select[Any], before: int | None, limit: int) -> list[Deployment]:
    if before is not None:
        at = select(deployments.c.started_at).where(deployments.c.id == before).scalar_subquery()
        query = query.where(tuple_(deployments.c.started_at, deployments.c.id) < tuple_(at, before))
    query = query.order_by(deployments.c.started_at.desc(), deployments.c.id.desc()).limit(limit)
    return [read(Deployment, row) for row in conn.execute(query)]


def recent(conn: Connection, limit: int, before: int | None = None) -> list[Deployment]:
    """Of all entities, newest first."""
    return _page(conn, select(*_COLUMNS), before, limit)


def recent_of(conn: Connection, statuses: Collection[Status], since: datetime) -> list[Deployment]:
    """The newest ones that stand so and began since."""
    query = select(*_COLUMNS).where(
        deployments.c.status.in_(sorted(statuses)), deployments.c.started_at >= since
    )
    return _page(conn, query, None, PER_STATUS)


def find(conn: Connection, deployment_id: int) -> Deployment | None:
    row = conn.execute(select(*_COLUMNS).where(deployments.c.id == deployment_id)).one_or_none()
    return read(Deployment, row) if row else None


def of_version(conn: Connection, entity: str, one: Deployment, limit: int) -> list[Deployment]:
    """Other deployments of an entity that brought the same version, newest first."""
    same = deployments.c.version == one.version
    if one.commit:
        same = or_(same, deployments.c.commit == one.commit)
    query = (
        select(*_COLUMNS)
        .where(deployments.c.entity == entity, same, deployments.c.id != one.id)
        .order_by(deployments.c.started_at.desc(), deployments.c.id.desc())
        .limit(limit)
    )
    return [read(Deployment, row) for row in conn.execute(query)]


def ask(conn: Connection, rows: Sequence[tuple[int, str]]) -> None:
    """Have the commits of deployments asked for: their ids, and the source that has them."""
    if rows:
        statement = upsert(conn, asked).on_conflict_do_nothing()
        values = [{"deployment_id": one, "origin": origin} for one, origin in rows]
        conn.execute(statement, values)


def asked_of(conn: Connection, origin: str, limit: int) -> list[Deployment]:
    """Deployments whose commits a source is to be asked for, oldest first."""
    query = (
        select(*_COLUMNS)
        .join(asked, asked.c.deployment_id == deployments.c.id)
        .where(asked.c.origin == origin)
        .order_by(asked.c.deployment_id)
        .limit(limit)
    )
    return [read(Deployment, row) for row in conn.execute(query)]


def unask(conn: Connection, ids: Collection[int]) -> None:
    for part in parts(ids):
        conn.execute(delete(asked).where(asked.c.deployment_id.in_(part)))


def unask_all(conn: Connection, origin: str) -> None:
    """A source has no history: nothing more is asked of it."""
    conn.execute(delete(asked).where(asked.c.origin == origin))


def put_commits(conn: Connection, deployment_id: int, found: Sequence[Change]) -> None:
    """Write the commits that a deployment brought, in place of those written before."""
    conn.execute(delete(commits).where(commits.c.deployment_id == deployment_id))
    rows = [
        {"deployment_id": deployment_id, "place": place, **msgspec.structs.asdict(one)}
        for place, one in enumerate(found)
    ]
    if rows:
        conn.execute(insert(commits), rows)


def commits_of(conn: Connection, deployment_id: int) -> list[Change]:
    """The commits that a deployment brought, newest first."""
    query = (
        select(commits.c.id, commits.c.author, commits.c.at, commits.c.subject)
        .where(commits.c.deployment_id == deployment_id)
        .order_by(commits.c.place)
    )
    return [read(Change, row) for row in conn.execute(query)]
