"""The pages about checks: all of them, one, its visits, locations, public status pages."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect

from pilothouse.catalog.service import views
from pilothouse.checks.model.kept import Check, Finding, instant_of
from pilothouse.checks.service import (
    allowing,
    lapse,
    showing,
    showing_check,
    showing_places,
    showing_status,
    showing_visit,
    steering,
    telling,
    terms_told,
)
from pilothouse.checks.service.curves import PERIODS, Period
from pilothouse.checks.service.showing import Asked
from pilothouse.kernel import durations
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import Invalid, NotFound
from pilothouse.kernel.module import Subject
from pilothouse.kernel.program import Program
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Database
from pilothouse.kernel.web.access import needs, public
from pilothouse.kernel.web.asking import LONGEST, AnyRequest, offset_of, text
from pilothouse.kernel.web.frame import Frame, display_of

VIEWER = needs(Role.VIEWER)
STEERS = VIEWER  # and a responder, or of the team that owns it: asked with the check
PAUSES = (
    ("30m", "30 minutes"), ("1h", "1 hour"), ("4h", "4 hours"), ("1d", "1 day"), ("1w", "1 week"),
    ("", "somebody resumes it"),
)  # fmt: skip
PUBLIC_CACHE = {"cache-control": "public, max-age=20"}


@get("/checks", opt=VIEWER, sync_to_thread=True)
def listing(
    request: AnyRequest, db: NamedDependency[Database], frame: NamedDependency[Frame]
) -> Response[str]:
    """All checks: narrow, search."""
    many = {
        name: tuple(value[:LONGEST] for value in request.query_params.getall(name, []) if value)
        for name in ("state", "owner", "type")
    }
    with db.read() as tx:
        found = showing.listing(tx, Asked(**many, q=text(request, "q"), offset=offset_of(request)))
    return frame.page(
        request, "checks/list.html", title="Checks", found=found, page_size=showing.PAGE
    )


def _ref(namespace: FromPath[str], name: FromPath[str]) -> EntityRef:
    """The check that the path of a page names."""
    return EntityRef.of("check", namespace, name)


def _period(request: AnyRequest) -> Period:
    """Raises Invalid for one that there is not."""
    wanted = text(request, "period") or "24h"
    found = next((one for one in PERIODS if one.name == wanted), None)
    if found is None:
        raise Invalid(f"period={wanted!r} is none of {', '.join(one.name for one in PERIODS)}")
    return found


@get("/", opt=VIEWER, sync_to_thread=True)
def check(
    request: AnyRequest,
    ref: NamedDependency[EntityRef],
    actor: NamedDependency[Actor],
    program: NamedDependency[Program],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """One check: how it is, how it was, what its last visits saw."""
    period = _period(request)
    asked = showing_check.Asked(period, text(request, "from"), display_of(request).tz)
    with program.db.read(actor) as tx:
        found = showing_check.page(tx, ref, asked)
        may = allowing.may(tx, actor, found.check)
        beat = steering.beat(tx, found.check) if found.check.type == "heartbeat" else None
        where = found.shown.place.name if found.shown else ""
        over = lapse.over(tx, found.check, where, period) if where and not beat else None
        visit = showing_visit.newest(tx, found.check, found.shown) if found.shown else None
    return frame.page(
        request,
        "checks/check.html",
        title=found.check.title,
        found=found,
        may=may,
        visit=visit,
        beat=beat,
        beat_url=_beat_url(request, program, beat.key) if beat and may else "",
        judged=terms_told.judged(found.check),
        over=over,
        phases=showing_visit.phases_of(found.latest),
        happened=_happened(found),
        periods=[(one.words, f"{found.told.href}?period={one.name}") for one in PERIODS],
        period_length=PERIODS[-1].length,
        document=f"{views.href(str(ref))}/document",
        instant_of=instant_of,
        pauses=PAUSES,
    )


class Running(msgspec.Struct, frozen=True):
    """The form that has a check visited."""

    location: str = ""


class Pausing(msgspec.Struct, frozen=True):
    """The form that pauses a check."""

    reason: str = ""
    length: str = ""  # a duration; "": until it is resumed


def _beat_url(request: AnyRequest, program: Program, key: str) -> str:
    """What a job calls; nothing of it in the copy, which anybody may have."""
    base = program.settings.public_url or str(request.base_url)
    return f"{base.rstrip('/')}/hooks/heartbeats/{key}"


def _happened(
    found: showing_check.Page,
) -> list[tuple[datetime, Finding | showing_check.Deployment]]:
    """Changes of state and deployments, newest first."""
    both: list[Finding | showing_check.Deployment] = [*found.changes, *found.lanes.found]
    return [(one.at, one) for one in sorted(both, key=lambda one: one.at, reverse=True)][:100]


@get("/results/{number:str}", opt=VIEWER, sync_to_thread=True)
def result(
    request: AnyRequest,
    number: FromPath[str],
    ref: NamedDependency[EntityRef],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """One visit with its evidence."""
    with db.read() as tx:
        one, visit = showing_visit.find(tx, ref, number)
    names = visit.failure.evidence
    return frame.page(
        request,
        "checks/result.html",
        title=f"{one.title} from {visit.place}",
        check=one,
        visit=visit,
        at=instant_of(visit.result.id),
        href=telling.href(one.ref),
        evidence=f"/checks/evidence/{ref.namespace}/{ref.name}/{visit.result.id}",
        pictures=[name for name in names if name.endswith(".png")],
        files=[name for name in names if not name.endswith(".png")],
        values=showing_visit.values(visit.result),
    )


@get("/runs/{number:int}", opt=VIEWER, sync_to_thread=True)
def running(
    request: AnyRequest,
    number: FromPath[int],
    ref: NamedDependency[EntityRef],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """A visit that somebody asked for, and its result when it is there."""
    with db.read() as tx:
        one = showing_check.find(tx, ref)
        run = steering.visit(tx, number)
        if run.check_id != one.id:
            raise NotFound(f"{one.title} has no such run")
        visit = showing_visit.kept(tx, one, run.result_id) if run.result_id else None
        place = showing.title_of(tx, run.location)
        waits = not run.result_id and tx.now < run.until
    return frame.page(
        request,
        "checks/run.html",
        title=f"{one.title} from {place}",
        check=one,
        run=run,
        visit=visit,
        waits=waits,
        place=place,
        href=telling.href(one.ref),
        here=f"{telling.href(one.ref)}/runs/{number}",
        place_href=telling.location_href(run.location),
    )


@get("/run", opt=STEERS, sync_to_thread=True, include_in_schema=False)
def ask_run(
    request: AnyRequest,
    ref: NamedDependency[EntityRef],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """What the page of a check asks before a run, for browsers without popovers."""
    with db.read(actor) as tx:
        one, places = showing_check.runnable(tx, ref)
        allowing.require(tx, actor, one)
    return _asked(request, frame, one, f"Run “{one.title}” now?", what="run", places=places)


@get("/pause", opt=STEERS, sync_to_thread=True, include_in_schema=False)
def ask_pause(
    request: AnyRequest,
    ref: NamedDependency[EntityRef],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """What it asks before a pause."""
    with db.read(actor) as tx:
        one = showing_check.find(tx, ref)
        allowing.require(tx, actor, one)
    return _asked(request, frame, one, f"Pause “{one.title}”?", what="pause", pauses=PAUSES)


def _asked(
    request: AnyRequest, frame: Frame, one: Check, title: str, **context: Any
) -> Response[str]:
    href = telling.href(one.ref)
    return frame.page(request, "checks/confirm.html", title=title, check=one, href=href, **context)


@post("/run", opt=STEERS, sync_to_thread=True, status_code=303, include_in_schema=False)
def run(
    data: Annotated[Running, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ref: NamedDependency[EntityRef],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Redirect:
    """Have it visited now from a location."""
    with db.begin(actor) as tx:
        number = steering.run(tx, actor, str(ref), data.location)
    return Redirect(f"{telling.href(str(ref))}/runs/{number}", status_code=303)


@post("/pause", opt=STEERS, sync_to_thread=True, status_code=303, include_in_schema=False)
def pause(
    data: Annotated[Pausing, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ref: NamedDependency[EntityRef],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Redirect:
    """Have nobody visit it for a while."""
    with db.begin(actor) as tx:
        until = tx.now + durations.parse(data.length) if data.length else None
        steering.pause(tx, actor, str(ref), data.reason, until)
    return Redirect(telling.href(str(ref)), status_code=303)


@post("/resume", opt=STEERS, sync_to_thread=True, status_code=303, include_in_schema=False)
def resume(
    ref: NamedDependency[EntityRef], actor: NamedDependency[Actor], db: NamedDependency[Database]
) -> Redirect:
    """Let it be visited again."""
    with db.begin(actor) as tx:
        steering.resume(tx, actor, str(ref))
    return Redirect(telling.href(str(ref)), status_code=303)


@get("/locations", opt=VIEWER, sync_to_thread=True)
def locations(
    request: AnyRequest, db: NamedDependency[Database], frame: NamedDependency[Frame]
) -> Response[str]:
    """Where visits come from, and how each place is itself."""
    with db.read() as tx:
        found = showing_places.standings(tx)
    return frame.page(request, "checks/locations.html", title="Locations", found=found)


@get("/locations/{name:str}", opt=VIEWER, sync_to_thread=True)
def location(
    request: AnyRequest,
    name: FromPath[str],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """One location: health, agents, lag, what is visited from there."""
    with db.read() as tx:
        found = showing_places.page(tx, name)
    one = found.standing.location
    document = f"{views.href(one.ref)}/document" if one.ref else ""
    title = one.title
    return frame.page(request, "checks/location.html", title=title, found=found, document=document)


@get("/status/{namespace:str}/{name:str}", opt=public(), sync_to_thread=True)
def status(
    request: AnyRequest,
    namespace: FromPath[str],
    name: FromPath[str],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """What anybody may know of a system that asks for a public page."""
    with db.read() as tx:
        found = showing_status.page(tx, EntityRef.of("system", namespace, name))
        told = frame.fill(tx, Subject("status", found.refs))
    answer = frame.page(request, "checks/status.html", title=found.title, found=found, told=told)
    answer.headers.update(PUBLIC_CACHE)
    return answer


check_pages = Router(
    "/checks/{namespace:str}/{name:str}",
    route_handlers=[check, result, running, ask_run, run, ask_pause, pause, resume],
    dependencies={"ref": Provide(_ref, sync_to_thread=False)},
)
routes = [listing, check_pages, locations, location, status]
