"""The page of silences: those that last, and the form for a new one."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect

from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Database
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.asking import AnyRequest, text
from pilothouse.kernel.web.frame import Frame, display_of
from pilothouse.oncall.service import handling, showing_pages, silencing

VIEWER = needs(Role.VIEWER)
SILENCES = VIEWER  # and a responder, or of the team that owns it: asked with the silence
HERE = "/oncall/silences"
LENGTHS = (("30m", "30 minutes"), ("1h", "1 hour"), ("2h", "2 hours"), ("4h", "4 hours"),
           ("8h", "8 hours"), ("1d", "1 day"), ("1w", "1 week"))  # fmt: skip
FORM: Any = Body(media_type=RequestEncodingType.URL_ENCODED)


class Silencing(msgspec.Struct, frozen=True):
    """The form of a silence; labels as `name=value`, one a line."""

    entity: str = ""
    labels: str = ""
    length: str = ""
    until: str = ""
    why: str = ""


@get("/", opt=VIEWER, sync_to_thread=True)
def listing(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """Silences that last, and those that are over."""
    with db.read(actor) as tx:
        found = showing_pages.silences(tx, actor)
        may = handling.may(tx, actor, "")
    return frame.page(
        request,
        "oncall/silences.html",
        title="Silences",
        lasting=[one for one in found if one.ended is None],
        past=[one for one in found if one.ended is not None],
        may=may,
        lengths=LENGTHS,
        entity=text(request, "entity"),
    )


@post("/", opt=SILENCES, sync_to_thread=True, status_code=303, include_in_schema=False)
def silence(
    request: AnyRequest,
    data: Annotated[Silencing, FORM],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Redirect:
    """Keep alerts from paging for a while."""
    entity = str(EntityRef.parse(data.entity.strip(), "component")) if data.entity.strip() else ""
    with db.begin(actor) as tx:
        handling.require(tx, actor, entity)
        wanted = silencing.Wanted(
            entity=entity,
            labels=_labels(data.labels),
            end=handling.end_of(tx.now, data.length, data.until, display_of(request).tz),
            why=data.why,
        )
        silencing.silence(tx, wanted, handling.by(actor))
    return Redirect(HERE, status_code=303)


@post(
    "/{silence_id:str}/end",
    opt=SILENCES,
    sync_to_thread=True,
    status_code=303,
    include_in_schema=False,
)
def end(
    silence_id: FromPath[str], actor: NamedDependency[Actor], db: NamedDependency[Database]
) -> Redirect:
    """What it kept back pages now."""
    with db.begin(actor) as tx:
        handling.require(tx, actor, silencing.find(tx, silence_id).entity)
        silencing.end(tx, silence_id, handling.by(actor))
    return Redirect(HERE, status_code=303)


def _labels(written: str) -> dict[str, str]:
    lines = [line.strip() for line in written.splitlines() if line.strip()]
    if wrong := [line for line in lines if "=" not in line]:
        raise Invalid(f"{wrong[0][:100]!r} is no label: write name=value, one a line.")
    pairs = (line.split("=", 1) for line in lines)
    return {name.strip()[:200]: value.strip()[:2000] for name, value in pairs}


routes = [Router(HERE, route_handlers=[listing, silence, end])]
