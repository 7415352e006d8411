"""Who has the watch, for programs: `/api/oncall/now`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency

from pilothouse.kernel.actors import Role
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Database
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.asking import LONGEST, AnyRequest
from pilothouse.oncall.service import showing_watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.catalog.service.views import Named

MOST = 100  # entities that can be asked for at once


class Person(msgspec.Struct, frozen=True):
    """Somebody who has the watch."""

    ref: str
    name: str


class Now(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who has the watch of a schedule, or for an entity."""

    ref: str
    title: str
    people: list[Person]
    until: datetime | None = None
    next: list[Person] = []
    schedule: str = ""
    policy: str = ""
    fault: str = ""


class Answer(msgspec.Struct, frozen=True):
    """All that was asked for, as of an instant."""

    at: datetime
    items: list[Now]


@get("/api/oncall/now", opt=needs(Role.VIEWER), sync_to_thread=True)
def now(request: AnyRequest, db: NamedDependency[Database]) -> Response[Answer]:
    """Who has the watch now: of all schedules, or for each `entity` that is asked for."""
    asked = [one[:LONGEST] for one in request.query_params.getall("entity", []) if one]
    if len(asked) > MOST:
        raise Invalid(f"at most {MOST} entities can be asked for at once")
    refs = [str(EntityRef.parse(one, "component")) for one in asked]
    with db.read() as tx:
        if refs:
            found = showing_watch.has(tx, refs)
            items = [_of_entity(ref, one) for ref, one in found.items()]
        else:
            items = [_of_schedule(line) for line in showing_watch.listing(tx).lines]
        return Response(Answer(tx.now, items))


def _of_entity(ref: str, one: showing_watch.Has) -> Now:
    said = one.on_call
    return Now(
        ref,
        said.title,
        _people(one.people),
        said.until,
        _people(one.next),
        said.schedule,
        said.policy,
        said.fault,
    )


def _of_schedule(line: showing_watch.Line) -> Now:
    after = line.after
    return Now(
        line.ref,
        line.title,
        _people(line.now.people),
        line.now.shift.end if after else None,
        _people(after.people) if after else [],
        line.ref,
    )


def _people(found: Sequence[Named]) -> list[Person]:
    return [Person(one.ref, one.title) for one in found]


routes = [now]
