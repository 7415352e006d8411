"""The pages of vitals, and the page of a team."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from pilothouse.catalog.service import panels
from pilothouse.kernel.actors import Role
from pilothouse.kernel.module import Subject
from pilothouse.kernel.program import Program
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Database
from pilothouse.kernel.web import asking
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.frame import Frame
from pilothouse.vitals.model import METRICS, REASONS
from pilothouse.vitals.service import drawing, showing

AnyRequest = Request[Any, Any, Any]
VIEWER = needs(Role.VIEWER)
THREE = "Three numbers"  # the tab of a team's page


def _asked(request: AnyRequest) -> showing.Asked:
    plain, days = showing.Asked(), asking.number(request, "days")
    return showing.Asked(
        metric=asking.text(request, "metric") or plain.metric,
        by=asking.text(request, "by") or plain.by,
        days=plain.days if days is None else days,
    )


@get("/vitals", opt=VIEWER, sync_to_thread=True)
def board(
    request: AnyRequest, db: NamedDependency[Database], frame: NamedDependency[Frame]
) -> Response[str]:
    """What visitors feel, by team; of one team, by service."""
    team = asking.text(request, "team")
    with db.read() as tx:
        found = showing.board(tx, _asked(request), team and str(EntityRef.parse(team, "group")))
    title = f"What visitors of {found.team.title} feel" if found.team else "What visitors feel"
    return frame.page(
        request,
        "vitals/board.html",
        title=title,
        found=found,
        metrics=METRICS,
        reasons=REASONS,
        periods=showing.PERIODS,
        value=drawing.value,
    )


@get("/catalog/{kind:str}/{namespace:str}/{name:str}/vitals", opt=VIEWER, sync_to_thread=True)
def service(
    request: AnyRequest,
    kind: FromPath[str],
    namespace: FromPath[str],
    name: FromPath[str],
    program: NamedDependency[Program],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """What visitors of one service feel: by page, country and device, over time."""
    ref = EntityRef.of(kind, namespace, name)
    with program.db.read() as tx:
        head = panels.head(tx, ref)
        found = showing.of_entity(tx, str(ref), _asked(request))
        key = showing.key_of(tx, str(ref))
        more = frame.tabs(tx, str(ref))
    return frame.page(
        request,
        "vitals/service.html",
        title=f"What visitors of {head.title} feel",
        head=head,
        tab="Vitals",
        more_tabs=more,
        found=found,
        chart=drawing.curve(found.points, found.metric.name, found.metric.title),
        key=key,
        home=program.settings.home,
        reasons=REASONS,
        periods=showing.PERIODS,
        value=drawing.value,
    )


@get("/teams/{namespace:str}/{name:str}", opt=VIEWER, sync_to_thread=True)
def team(
    request: AnyRequest,
    namespace: FromPath[str],
    name: FromPath[str],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """The numbers that matter of one team; modules fill it."""
    ref = EntityRef.of("group", namespace, name)
    with db.read() as tx:
        head = panels.head(tx, ref)
        filled = frame.fill(tx, Subject("team", (str(ref),)))
        more = frame.tabs(tx, str(ref))
    return frame.page(
        request,
        "vitals/team.html",
        title=f"The three numbers of {head.title}",
        head=head,
        tab=THREE,
        more_tabs=more,
        filled=filled,
    )


routes = [board, service, team]
