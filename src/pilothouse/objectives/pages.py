"""The pages about objectives."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from pilothouse.kernel.actors import Role
from pilothouse.kernel.tx import Database
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.frame import Frame
from pilothouse.objectives.rules import saying
from pilothouse.objectives.service import showing

VIEWER = needs(Role.VIEWER)
LONGEST = 400  # characters of what is asked


@get("/objectives", opt=VIEWER, sync_to_thread=True)
def listing(
    request: Request[Any, Any, Any],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """All objectives, those that burn first."""
    team, q = (request.query_params.get(name, "").strip()[:LONGEST] for name in ("team", "q"))
    with db.read() as tx:
        found = showing.listing(tx, team, q)
    return frame.page(request, "objectives/list.html", title="Objectives", found=found)


@get("/objectives/{namespace:str}/{name:str}/{position:int}", opt=VIEWER, sync_to_thread=True)
def one(
    request: Request[Any, Any, Any],
    namespace: FromPath[str],
    name: FromPath[str],
    position: FromPath[int],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """One objective: what is left, how fast it burns, what it was spent on."""
    with db.read() as tx:
        found = showing.one(tx, f"slo:{namespace}/{name}".lower(), position)
    return frame.page(
        request,
        "objectives/one.html",
        title=found.line.kept.objective.title,
        found=found,
        times=saying.times,
        left=saying.short,
        part=saying.part,
    )


routes = [listing, one]
