"""Single entities by what they are called, and facets."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from pilothouse.catalog.api import asking
from pilothouse.catalog.api.answers import answer, bodies
from pilothouse.catalog.api.asking import FacetsBody, RefsBody
from pilothouse.catalog.formats import filters
from pilothouse.catalog.service import browsing, history, origins
from pilothouse.catalog.service.browsing import Wanted
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import Invalid, NotFound
from pilothouse.kernel.program import Program
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Database
from pilothouse.kernel.web.access import needs

MOST_REFS = 10_000  # of one request; Backstage's client asks for 1,000 at a time
NAMED = "/api/catalog/entities/by-name/{kind:str}/{namespace:str}/{name:str}"


@post("/api/catalog/entities/by-refs", opt=needs(Role.VIEWER), sync_to_thread=True, status_code=200)
def by_refs(
    request: Request[Any, Any, Any],
    body: RawBody,
    db: NamedDependency[Database],
    actor: NamedDependency[Actor],
) -> Response[bytes]:
    """Entities in the order asked for; null where there is none, or where it does not match."""
    said = asking.body_of(body, RefsBody)
    if len(said.entity_refs) > MOST_REFS:
        raise Invalid(f"Malformed request body: more than {MOST_REFS} entityRefs")
    fields = filters.parse_fields([*said.fields, *asking.texts(request, "fields")])
    clause = asking.clause(asking.texts(request, "filter"), said.query)
    refs = [_known(ref) for ref in said.entity_refs]
    with db.read(actor) as tx:
        rows = browsing.rows_of(tx, sorted({ref for ref in refs if ref}), clause)
        whole = not fields or any(field.split(".")[0] == "spec" for field in fields)
        found = bodies(tx, list(rows.values()), fields, definitions=whole)
    items = dict(zip(rows, found, strict=True))
    return answer({"items": [items.get(ref) for ref in refs]})


def _known(ref: str) -> str:
    """A ref as it is kept; "" for one that no entity can have."""
    try:
        return "" if "\0" in ref else str(EntityRef.parse(ref))
    except Invalid:
        return ""


@get(NAMED, opt=needs(Role.VIEWER), sync_to_thread=True)
def by_name(
    kind: FromPath[str],
    namespace: FromPath[str],
    name: FromPath[str],
    request: Request[Any, Any, Any],
    program: NamedDependency[Program],
    actor: NamedDependency[Actor],
) -> Response[bytes]:
    """One entity, now or `at` an instant."""
    ref, at = asking.ref_of(kind, namespace, name), asking.instant(request)
    with program.db.read(actor) as tx:
        if at is not None:
            then = history.named(history.catalog_as_of(tx, at, program.kinds), ref)
            return answer(history.documents_of(tx, [then], definitions=True)[0])
        rows = browsing.rows_of(tx, [str(ref)])
        if not rows:
            raise NotFound(
                f"No entity named '{name}' found, with kind '{kind}' in namespace '{namespace}'"
            )
        return answer(bodies(tx, list(rows.values()), (), definitions=True)[0])


@get(f"{NAMED}/ancestry", opt=needs(Role.VIEWER), sync_to_thread=True)
def ancestry(
    kind: FromPath[str],
    namespace: FromPath[str],
    name: FromPath[str],
    db: NamedDependency[Database],
    actor: NamedDependency[Actor],
) -> Response[bytes]:
    """An entity and the Locations that it was found by."""
    ref = asking.ref_of(kind, namespace, name)
    with db.read(actor) as tx:
        found = origins.ancestry(tx, ref)
        entities = bodies(tx, [one.row for one in found], (), definitions=True)
    items = [
        {"entity": entity, "parentEntityRefs": one.parents}
        for one, entity in zip(found, entities, strict=True)
    ]
    return answer({"rootEntityRef": str(ref), "items": items})


@get("/api/catalog/entities/by-uid/{uid:str}", opt=needs(Role.VIEWER), sync_to_thread=True)
def by_uid(
    uid: FromPath[str], db: NamedDependency[Database], actor: NamedDependency[Actor]
) -> Response[bytes]:
    """One entity by what stays the same when it is renamed."""
    if "\0" in uid:
        raise NotFound(f"No entity with uid {uid!r}")
    with db.read(actor) as tx:
        return answer(bodies(tx, [browsing.row_of_uid(tx, uid)], (), definitions=True)[0])


@get("/api/catalog/entity-facets", opt=needs(Role.VIEWER), sync_to_thread=True)
def facets(
    request: Request[Any, Any, Any], db: NamedDependency[Database], actor: NamedDependency[Actor]
) -> Response[bytes]:
    """The values that some fields have, and how often."""
    keys = filters.parse_facets(asking.texts(request, "facet"))
    clause = asking.clause(asking.texts(request, "filter"))
    return _counted(db, actor, keys, Wanted(clause=clause))


@post("/api/catalog/entity-facets", opt=needs(Role.VIEWER), sync_to_thread=True, status_code=200)
def facets_by_predicate(
    body: RawBody, db: NamedDependency[Database], actor: NamedDependency[Actor]
) -> Response[bytes]:
    """As the GET of the same name, with a predicate instead of filters."""
    said = asking.body_of(body, FacetsBody)
    keys = filters.parse_facets(said.facets)
    return _counted(db, actor, keys, Wanted(clause=asking.clause((), said.query)))


def _counted(db: Database, actor: Actor, keys: tuple[str, ...], wanted: Wanted) -> Response[bytes]:
    with db.read(actor) as tx:
        found = browsing.facets(tx, keys, wanted)
    told = {
        key: [{"value": value, "count": count} for value, count in values]
        for key, values in found.items()
    }
    return answer({"facets": told})


routes = [by_refs, by_name, ancestry, by_uid, facets, facets_by_predicate]
