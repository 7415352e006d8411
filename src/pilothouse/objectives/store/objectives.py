"""Rows of objectives."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from pilothouse.objectives.model.objectives import Objective, State
from pilothouse.objectives.store.tables import hours, objectives

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence


class Kept(msgspec.Struct, frozen=True):
    """An objective, and how it stands."""

    id: int
    objective: Objective
    state: State
    since: datetime
    left: float | None
    burn: float | None
    good: float | None
    read_until: datetime | None
    judged_at: datetime | None
    error: str
    error_since: datetime | None


class Standing(msgspec.Struct, frozen=True):
    """What an objective was found to be."""

    id: int
    left: float | None
    burn: float | None
    good: float | None


_COLUMNS = (
    objectives.c.id, objectives.c.definition, objectives.c.state, objectives.c.since,
    objectives.c.left, objectives.c.burn, objectives.c.good, objectives.c.read_until,
    objectives.c.judged_at, objectives.c.error, objectives.c.error_since,
)  # fmt: skip


def every(conn: Connection) -> list[Kept]:
    """All objectives."""
    return [_kept(row) for row in conn.execute(select(*_COLUMNS).order_by(objectives.c.key))]


def of_slo(conn: Connection, ref: str) -> list[Kept]:
    """The objectives of a document, in its order."""
    query = select(*_COLUMNS).where(objectives.c.slo == ref)
    found = [_kept(row) for row in conn.execute(query)]
    return sorted(found, key=lambda one: one.objective.position)


def about(conn: Connection, refs: Collection[str]) -> list[Kept]:
    """The objectives of entities, and those of documents, by their refs."""
    wanted = list(refs)
    query = select(*_COLUMNS).where(objectives.c.entity.in_(wanted) | objectives.c.slo.in_(wanted))
    return [_kept(row) for row in conn.execute(query.order_by(objectives.c.key))]


def owned_by(conn: Connection, refs: Collection[str]) -> list[Kept]:
    """The objectives whose owner is one of these."""
    query = select(*_COLUMNS).where(objectives.c.owner.in_(list(refs)))
    return [_kept(row) for row in conn.execute(query.order_by(objectives.c.key))]


def burning(conn: Connection) -> list[Kept]:
    """Those that burn."""
    query = select(*_COLUMNS).where(objectives.c.state.in_([State.PAGE, State.TICKET]))
    return [_kept(row) for row in conn.execute(query.order_by(objectives.c.key))]


def add(conn: Connection, found: Iterable[Objective], now: datetime) -> None:
    """Store new objectives; nothing is known of them yet."""
    rows = [
        {**_columns(one), "key": one.key, "state": State.UNKNOWN, "since": now, "error": ""}
        for one in found
    ]
    if rows:
        conn.execute(insert(objectives), rows)


def change(conn: Connection, changed: Sequence[tuple[int, Objective]]) -> None:
    """Store what objectives are now."""
    rows = [{**_columns(one), "the_id": number} for number, one in changed]
    if rows:
        conn.execute(update(objectives).where(objectives.c.id == bindparam("the_id")), rows)


def begin_anew(conn: Connection, ids: Collection[int]) -> None:
    """Forget what was counted for objectives that count something else now."""
    conn.execute(delete(hours).where(hours.c.objective_id.in_(list(ids))))
    conn.execute(
        update(objectives)
        .where(objectives.c.id.in_(list(ids)))
        .values(read_until=None, left=None, burn=None, good=None, error="", error_since=None)
    )


def drop(conn: Connection, ids: Collection[int]) -> None:
    """Delete objectives and what was counted for them."""
    conn.execute(delete(hours).where(hours.c.objective_id.in_(list(ids))))
    conn.execute(delete(objectives).where(objectives.c.id.in_(list(ids))))


def note_read(conn: Connection, until: Sequence[tuple[int, datetime]]) -> None:
    """Note up to when objectives were read; what kept them from it is over."""
    rows = [{"the_id": number, "at": at} for number, at in until]
    if rows:
        chosen = update(objectives).where(objectives.c.id == bindparam("the_id"))
        conn.execute(chosen.values(read_until=bindparam("at"), error="", error_since=None), rows)


def note_error(conn: Connection, errors: Sequence[tuple[int, str]], now: datetime) -> None:
    """Note why objectives cannot be read; since when stays what it was."""
    for mark, wanted in (("", objectives.c.error == ""), ("!", objectives.c.error != "")):
        values = {"error": bindparam("said")} | ({} if mark else {"error_since": now})
        chosen = update(objectives).where(objectives.c.id == bindparam("the_id"), wanted)
        rows = [{"the_id": number, "said": said[:500]} for number, said in errors]
        if rows:
            conn.execute(chosen.values(**values), rows)


def note_standing(conn: Connection, found: Sequence[Standing], now: datetime) -> None:
    """Note what is left and how fast it burns."""
    rows = [
        {"the_id": one.id, "l": one.left, "b": one.burn, "g": one.good, "at": now} for one in found
    ]
    if rows:
        chosen = update(objectives).where(objectives.c.id == bindparam("the_id"))
        values = {name: bindparam(name[0]) for name in ("left", "burn", "good")}
        conn.execute(chosen.values(**values, judged_at=bindparam("at")), rows)


def turn(conn: Connection, number: int, old: State, new: State, now: datetime) -> bool:
    """Change a state; False where somebody else did."""
    changed = (
        update(objectives)
        .where(objectives.c.id == number, objectives.c.state == old)
        .values(state=new, since=now)
    )
    return conn.execute(changed).rowcount == 1


def _columns(one: Objective) -> dict[str, Any]:
    definition = msgspec.json.encode(one).decode()
    return {"slo": one.slo, "entity": one.entity, "owner": one.owner, "definition": definition}


@lru_cache(maxsize=2000)
def _objective(definition: str) -> Objective:
    return msgspec.json.decode(definition, type=Objective)


def _kept(row: Any) -> Kept:
    number, definition, state, *rest = row
    return Kept(number, _objective(definition), State(state), *rest)
