"""Weeks counted, and the services they are counted of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    delete,
    func,
    select,
    tuple_,
    update,
)

from pilothouse.deploys.model import Deployment, Week
from pilothouse.deploys.store.deployments import _COLUMNS, parts
from pilothouse.deploys.store.tables import deployments, services, weeks
from pilothouse.kernel.db import read, upsert

Counts = tuple[int, int, int]  # went live, ended, went wrong


class Service(msgspec.Struct, frozen=True):
    """A line of the list of all services."""

    entity: str
    owner: str
    label: str
    weight: int


def ended_in(conn: Connection, wanted: Collection[tuple[str, str]]) -> list[Deployment]:
    """The production deployments of these entities that ended in these weeks."""
    mondays = sorted({week for _, week in wanted})
    found: list[Deployment] = []
    for part in parts({entity for entity, _ in wanted}):
        query = select(*_COLUMNS).where(
            deployments.c.entity.in_(part), deployments.c.week.in_(mondays)
        )
        found += [read(Deployment, row) for row in conn.execute(query)]
    return [one for one in found if (one.entity, one.week) in wanted]


def put(conn: Connection, found: Sequence[Week], empty: Collection[tuple[str, str]]) -> None:
    """Write weeks as they count now; those that are empty now go."""
    if found:
        statement = upsert(conn, weeks)
        new = statement.excluded
        names = ("deployments", "ended", "wrong", "leads", "recoveries")
        statement = statement.on_conflict_do_update(
            index_elements=[weeks.c.week, weeks.c.entity], set_={name: new[name] for name in names}
        )
        conn.execute(statement, [_row(one) for one in found])
    if empty:
        gone = delete(weeks).where(
            weeks.c.entity == bindparam("of_entity"), weeks.c.week == bindparam("of_week")
        )
        conn.execute(gone, [{"of_entity": entity, "of_week": week} for entity, week in empty])


def _row(week: Week) -> dict[str, Any]:
    lists = {"leads": _listed(week.leads), "recoveries": _listed(week.recoveries)}
    return msgspec.structs.asdict(week) | lists


def _listed(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))


def _between(
    query: Select[*tuple[Any, ...]], first: str, last: str, owner: str | None
) -> Select[*tuple[Any, ...]]:
    query = query.where(weeks.c.week >= first, weeks.c.week <= last)
    return query if owner is None else query.where(services.c.owner == owner)


def counts_by(
    conn: Connection, by: str, first: str, last: str, owner: str | None = None
) -> dict[tuple[str, str], Counts]:
    """Counts by owner or by entity, and week."""
    column = services.c.owner if by == "owner" else services.c.entity
    query = (
        select(
            column.label("of"),
            weeks.c.week,
            func.sum(weeks.c.deployments).label("deployments"),
            func.sum(weeks.c.ended).label("ended"),
            func.sum(weeks.c.wrong).label("wrong"),
        )
        .join_from(weeks, services, services.c.entity == weeks.c.entity)
        .group_by(column, weeks.c.week)
    )
    rows = conn.execute(_between(query, first, last, owner))
    return {
        (row.of, row.week): (int(row.deployments), int(row.ended), int(row.wrong)) for row in rows
    }


def lists_by(
    conn: Connection, by: str, first: str, last: str, owner: str | None = None
) -> dict[str, tuple[str, str]]:
    """Lead times and times to recover by owner or by entity, seconds with commas between."""
    column = services.c.owner if by == "owner" else services.c.entity
    query = (
        select(
            column.label("of"),
            func.aggregate_strings(func.nullif(weeks.c.leads, ""), ",").label("leads"),
            func.aggregate_strings(func.nullif(weeks.c.recoveries, ""), ",").label("recoveries"),
        )
        .join_from(weeks, services, services.c.entity == weeks.c.entity)
        .group_by(column)
    )
    rows = conn.execute(_between(query, first, last, owner))
    return {row.of: (row.leads or "", row.recoveries or "") for row in rows}


def of_entity(conn: Connection, entity: str, first: str, last: str) -> dict[str, Week]:
    """The weeks of one entity."""
    query = select(
        weeks.c.entity,
        weeks.c.week,
        weeks.c.deployments,
        weeks.c.ended,
        weeks.c.wrong,
        weeks.c.leads,
        weeks.c.recoveries,
    ).where(weeks.c.entity == entity, weeks.c.week >= first, weeks.c.week <= last)
    return {
        row.week: Week(
            row.entity,
            row.week,
            row.deployments,
            row.ended,
            row.wrong,
            tuple(int(part) for part in row.leads.split(",") if part),
            tuple(int(part) for part in row.recoveries.split(",") if part),
        )
        for row in conn.execute(query)
    }


def list_services(conn: Connection, found: Sequence[Service]) -> None:
    """Write the lines of these entities."""
    if not found:
        return
    statement = upsert(conn, services)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=[services.c.entity],
        set_={"owner": new.owner, "label": new.label, "weight": new.weight},
    )
    conn.execute(statement, [msgspec.structs.asdict(one) for one in found])


def rename(conn: Connection, found: Mapping[str, tuple[str, str]]) -> None:
    """Follow what the catalog says of entities: by ref, their owner and label."""
    statement = (
        update(services)
        .where(services.c.entity == bindparam("ref"))
        .values(owner=bindparam("new_owner"), label=bindparam("new_label"))
    )
    rows = [
        {"ref": ref, "new_owner": owner, "new_label": label}
        for ref, (owner, label) in found.items()
    ]
    if rows:
        conn.execute(statement, rows)


def listed(conn: Connection, entities: Sequence[str]) -> list[str]:
    """Those of some entities that were ever deployed."""
    query = select(services.c.entity).where(services.c.entity.in_(entities))
    return list(conn.execute(query).scalars())


def _narrowed(query: Select[Any], owner: str | None, text: str, weight: int | None) -> Select[Any]:
    if owner is not None:
        query = query.where(services.c.owner == owner)
    if text:
        query = query.where(services.c.label.contains(text.lower(), autoescape=True))
    return query if weight is None else query.where(services.c.weight == weight)


def page(
    conn: Connection, owner: str | None, text: str, weight: int | None, offset: int, limit: int
) -> list[Service]:
    """Services that were ever deployed: failed first, then those in progress, then by name."""
    query = select(*(services.c[name] for name in Service.__struct_fields__))
    query = _narrowed(query, owner, text, weight)
    order = (services.c.weight.desc(), services.c.label, services.c.entity)
    query = query.order_by(*order).offset(offset).limit(limit)
    return [read(Service, row) for row in conn.execute(query)]


def count(conn: Connection, owner: str | None, text: str, weight: int | None) -> int:
    query = _narrowed(select(func.count()).select_from(services), owner, text, weight)
    return conn.execute(query).scalar_one()


def owners(conn: Connection) -> list[tuple[str, int]]:
    """Owners of services that were ever deployed, and how many services each has."""
    query = select(services.c.owner, func.count().label("total")).group_by(services.c.owner)
    rows = conn.execute(query.order_by(func.count().desc(), services.c.owner))
    return [(row.owner, row.total) for row in rows]


def entities(conn: Connection, limit: int) -> list[str]:
    """Entities that were ever deployed."""
    query = select(services.c.entity).order_by(services.c.entity).limit(limit)
    return list(conn.execute(query).scalars())


def earliest(conn: Connection) -> str | None:
    """The first week of which anything is known."""
    return conn.execute(select(func.min(weeks.c.week))).scalar_one()


class Wanted(msgspec.Struct, frozen=True):
    """Which deployments that a number was computed from are listed."""

    first: str  # weeks, by their Mondays
    last: str
    owner: str | None = None
    entity: str | None = None
    what: str = "deployments"  # "ended", "wrong", "lead", "recovery"


def listing(conn: Connection, wanted: Wanted, before: int | None, limit: int) -> list[Deployment]:
    """Production deployments that ended in some weeks, newest first."""
    query = _computed(select(*_COLUMNS), wanted)
    if before is not None:
        at = select(deployments.c.finished_at).where(deployments.c.id == before).scalar_subquery()
        query = query.where(
            tuple_(deployments.c.finished_at, deployments.c.id) < tuple_(at, before)
        )
    query = query.order_by(deployments.c.finished_at.desc(), deployments.c.id.desc()).limit(limit)
    return [read(Deployment, row) for row in conn.execute(query)]


def _computed(query: Select[Any], wanted: Wanted) -> Select[Any]:
    if wanted.entity is None and wanted.owner is None:
        # In the order of an index, so that a page of a million is as quick as one of a hundred.
        first = datetime.fromisoformat(wanted.first).replace(tzinfo=UTC)
        end = datetime.fromisoformat(wanted.last).replace(tzinfo=UTC) + timedelta(days=7)
        query = query.where(
            deployments.c.production.is_(True),
            deployments.c.finished_at >= first,
            deployments.c.finished_at < end,
            deployments.c.week.is_not(None),
        )
    else:
        query = query.where(deployments.c.week >= wanted.first, deployments.c.week <= wanted.last)
    if wanted.entity is not None:
        query = query.where(deployments.c.entity == wanted.entity)
    elif wanted.owner is not None:
        theirs = select(services.c.entity).where(services.c.owner == wanted.owner)
        query = query.where(deployments.c.entity.in_(theirs))
    # Not the column itself: its index would be taken for far more rows than the weeks have.
    wrong = func.coalesce(deployments.c.status, "").in_(["failed", "rolled_back"])
    match wanted.what:
        case "deployments":
            return query.where(deployments.c.status != "failed")
        case "wrong":
            return query.where(wrong)
        case "lead":
            return query.where(deployments.c.status != "failed", deployments.c.lead_s.is_not(None))
        case "recovery":
            return query.where(wrong, deployments.c.recovered_at.is_not(None))
        case _:
            return query


def of_weight(conn: Connection, entities: Sequence[str], weight: int) -> list[str]:
    """Of these, the services that need so much care."""
    query = select(services.c.entity).where(
        services.c.entity.in_(entities), services.c.weight == weight
    )
    return list(conn.execute(query).scalars())
