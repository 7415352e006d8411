"""What agents ask and tell: their plan, results, what is wanted at once (docs/agents.md)."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import Parameter, RawBody

from pilothouse.checks.api.together import POSTS
from pilothouse.checks.jobs.lobby import lobby
from pilothouse.checks.model.plans import Taken
from pilothouse.checks.service import agents, taking
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.auth.model import Asked
from pilothouse.kernel.faults import crash_point
from pilothouse.kernel.program import Program
from pilothouse.kernel.web.access import needs

AnyRequest = Request[Any, Any, Any]
MOST_BYTES = 16_000_000  # of one post
JSON = "application/json"
Name = Annotated[str, Parameter(max_length=150)]


@get("/api/checks/plan", opt=needs(Role.ADMIN, scope="agent"), sync_to_thread=True)
def plan(
    request: AnyRequest,
    location: Name,
    agent: Name,
    program: NamedDependency[Program],
    asked: NamedDependency[Asked],
) -> Response[bytes]:
    """What an agent of a location is to visit; 304 while it is what the agent knows."""
    at = _names(asked.actor, location, agent)
    with program.db.read() as tx:
        news = agents.is_news(tx, at, agent)
    if news:
        with program.db.begin() as tx:
            agents.asks(tx, at, agent)
    with program.db.read() as tx:
        tag = agents.tag(tx, at, agent)
        if request.headers.get("if-none-match") == tag:
            return Response(b"", status_code=304, headers={"etag": tag})
        found = agents.plan(tx, at, agent)
    return Response(agents.encoded(found), media_type=JSON, headers={"etag": tag})


@post(
    "/api/checks/results", opt=needs(Role.ADMIN, scope="agent"), sync_to_thread=True,
    status_code=200, request_max_body_size=MOST_BYTES,
)  # fmt: skip
def results(
    body: RawBody, program: NamedDependency[Program], asked: NamedDependency[Asked]
) -> Response[Taken]:
    """Results of an agent: what is not refused in the answer is kept for good."""
    batch = taking.read(body)
    agents.check_speaks(asked.actor, batch.posted.location)
    taken, wanted = POSTS.store(program.db, batch)
    crash_point("checks.stored")
    lobby(program.db).tell(wanted)
    return Response(taken)


@get("/api/checks/confirm", opt=needs(Role.ADMIN, scope="agent"))
async def confirm(
    location: Name,
    agent: Name,
    program: NamedDependency[Program],
    asked: NamedDependency[Asked],
    plan: Name = "",
) -> Response[bytes]:
    """Visits that are wanted of a location at once; waits up to 25 s for one.

    `plan` is the ETag of the plan that the agent knows: another one ends the waiting.
    """
    at = _names(asked.actor, location, agent)
    found = await lobby(program.db).wait(at, agent, plan)
    return Response(msgspec.json.encode(found), media_type=JSON)


def _names(actor: Actor, location: str, agent: str) -> str:
    """The location as we call it. Raises Invalid for what is no name, Denied for another's."""
    agents.check_name(location, "location")
    agents.check_name(agent, "agent")
    agents.check_speaks(actor, location.lower())
    return location.lower()


routes = [plan, results, confirm]
