"""Sources as Backstage's locations. They are settings, so here they are only read."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from pilothouse.catalog.api import asking
from pilothouse.catalog.api.answers import answer
from pilothouse.catalog.formats import predicates
from pilothouse.catalog.service import browsing, history, origins
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import Denied, Invalid
from pilothouse.kernel.tx import Database
from pilothouse.kernel.web.access import needs

HOW = (
    "Locations cannot be changed here: they are the `sources` setting (pilothouse.toml or "
    "PILOTHOUSE_SOURCES). Change it and start Pilothouse again."
)


class LocationsBody(msgspec.Struct, frozen=True):
    """The body of POST locations/by-query."""

    cursor: str | None = None
    limit: int = 1000
    query: Any = None


@get("/api/catalog/locations", opt=needs(Role.VIEWER), sync_to_thread=True)
def get_locations(db: NamedDependency[Database], actor: NamedDependency[Actor]) -> Response[bytes]:
    """Every source."""
    with db.read(actor) as tx:
        return answer([{"data": found} for found in origins.all_locations(tx)])


@post(
    "/api/catalog/locations/by-query", opt=needs(Role.VIEWER), sync_to_thread=True, status_code=200
)
def query_locations(
    body: RawBody, db: NamedDependency[Database], actor: NamedDependency[Actor]
) -> Response[bytes]:
    """Sources that match a predicate; there are so few that one answer holds them all."""
    said = asking.body_of(body, LocationsBody)
    if said.cursor is not None or said.limit < 1:
        raise Invalid("Malformed request body: limit is at least 1, and no cursor was ever given")
    clause = None
    if said.query is not None:
        clause = browsing.clause_of(predicates.parse_predicate(said.query))
    with db.read(actor) as tx:
        found = origins.all_locations(tx)
    if clause is not None:
        found = [one for one in found if history.holds(clause, _rows(one))]
    return answer({"items": found, "totalItems": len(found), "pageInfo": {}})


def _rows(location: origins.Location) -> dict[str, frozenset[str]]:
    values = msgspec.to_builtins(location)
    return {key.lower(): frozenset((value.lower(),)) for key, value in values.items()}


@get("/api/catalog/locations/{location_id:str}", opt=needs(Role.VIEWER), sync_to_thread=True)
def get_location(
    location_id: FromPath[str], db: NamedDependency[Database], actor: NamedDependency[Actor]
) -> Response[bytes]:
    """One source."""
    with db.read(actor) as tx:
        return answer(origins.location(tx, location_id))


@get(
    "/api/catalog/locations/by-entity/{kind:str}/{namespace:str}/{name:str}",
    opt=needs(Role.VIEWER),
    sync_to_thread=True,
)
def get_location_of(
    kind: FromPath[str],
    namespace: FromPath[str],
    name: FromPath[str],
    db: NamedDependency[Database],
    actor: NamedDependency[Actor],
) -> Response[bytes]:
    """The source that an entity comes from."""
    ref = asking.ref_of(kind, namespace, name)
    with db.read(actor) as tx:
        return answer(origins.location_of(tx, ref))


@post("/api/catalog/locations", opt=needs(Role.VIEWER), sync_to_thread=False)
def add_location() -> None:
    """Refused, with what to do instead."""
    raise Denied(HOW)


@put("/api/catalog/locations/{location_id:str}", opt=needs(Role.VIEWER), sync_to_thread=False)
def change_location(location_id: FromPath[str]) -> None:
    """Refused, with what to do instead."""
    del location_id
    raise Denied(HOW)


@delete("/api/catalog/locations/{location_id:str}", opt=needs(Role.VIEWER), sync_to_thread=False)
def remove_location(location_id: FromPath[str]) -> None:
    """Refused, with what to do instead."""
    del location_id
    raise Denied(HOW)


@delete("/api/catalog/entities/by-uid/{uid:str}", opt=needs(Role.VIEWER), sync_to_thread=False)
def remove_entity(uid: FromPath[str]) -> None:
    """Refused, with what to do instead."""
    del uid
    raise Denied("Entities cannot be deleted here: delete the document in its catalog file.")


routes = [
    get_locations,
    query_locations,
    get_location,
    get_location_of,
    add_location,
    change_location,
    remove_location,
    remove_entity,
]
