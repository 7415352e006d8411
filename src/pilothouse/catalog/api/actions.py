"""What can be asked for beside reading: a verdict on a document, a look at a source."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import RawBody

from pilothouse.catalog.api import asking
from pilothouse.catalog.api.answers import answer, raw
from pilothouse.catalog.service import refreshing, validating
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.program import Program
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Database
from pilothouse.kernel.web.access import needs


class ToValidate(msgspec.Struct, frozen=True):
    """The body of validate-entity."""

    entity: Any
    location: str


class ToRefresh(msgspec.Struct, frozen=True, rename="camel"):
    """The body of refresh: Backstage's entityRef, or our source."""

    entity_ref: str | None = None
    source: str | None = None


@post("/api/catalog/validate-entity", opt=needs(Role.VIEWER), sync_to_thread=True, status_code=200)
def validate_entity(body: RawBody, program: NamedDependency[Program]) -> Response[bytes]:
    """Whether a document would be taken; nothing is kept."""
    try:
        said = asking.body_of(body, ToValidate)
        validating.check_location(said.location)
    except Invalid as error:
        return answer({"errors": [{"name": "InputError", "message": str(error)}]}, 400)
    found = validating.errors_of(said.entity, program.kinds)
    if not found:
        return raw(b"")
    errors = [
        {"name": "InputError", "message": one.message, "code": one.code, "field": one.field}
        for one in found
    ]
    return answer({"errors": errors}, 400)


@post("/api/catalog/refresh", opt=needs(Role.RESPONDER), sync_to_thread=True, status_code=200)
def refresh(
    body: RawBody, db: NamedDependency[Database], actor: NamedDependency[Actor]
) -> Response[bytes]:
    """Have a source looked at now: by name, or as the one that an entity comes from."""
    said = asking.body_of(body, ToRefresh)
    if (said.entity_ref is None) == (said.source is None):
        raise Invalid('Malformed request body: say either "entityRef" or "source"')
    for text in (said.entity_ref, said.source):
        if text is not None and "\0" in text:
            raise Invalid("Malformed request body: it has a NUL character")
    with db.begin(actor) as tx:
        if said.source is not None:
            refreshing.refresh_source(tx, said.source)
        elif said.entity_ref is not None:
            refreshing.refresh_entity(tx, EntityRef.parse(said.entity_ref))
    return raw(b"")


routes = [validate_entity, refresh]
