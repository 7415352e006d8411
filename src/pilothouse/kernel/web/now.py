"""Now: the first page. It says in a sentence how things are; modules fill it."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.events import Event
from pilothouse.kernel.jobs import store as jobs
from pilothouse.kernel.module import Headline, Subject
from pilothouse.kernel.program import Program
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.frame import Frame

CALM = Headline(0, "ok", "All is quiet", "Nothing that Pilothouse knows of needs anyone.")


@get("/", opt=needs(Role.VIEWER), sync_to_thread=True)
def now(
    request: Request[Any, Any, Any],
    program: NamedDependency[Program],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """How things are, and what changed."""
    with program.db.read() as tx:
        said = [module.headline(tx) for module in program.modules if module.headline]
        headlines = sorted((item for item in said if item), reverse=True)
        panels = frame.fill(tx, Subject("now"))
    worst = headlines[0] if headlines else CALM
    return frame.page(
        request,
        "now.html",
        title="Now",
        headline=worst,
        others=headlines[1:],
        main=[item for item in panels if not item.panel.aside],
        aside=[item for item in panels if item.panel.aside],
    )


@get("/jobs", opt=needs(Role.VIEWER), sync_to_thread=True)
def background(
    request: Request[Any, Any, Any],
    program: NamedDependency[Program],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """What waits to be done, and what was given up."""
    with program.db.read() as tx:
        backlog, dead = jobs.backlog(tx.conn), jobs.dead_letters(tx.conn)
    return frame.page(request, "jobs.html", title="Background work", backlog=backlog, dead=dead)


@post("/jobs/{job_id:int}/retry", opt=needs(Role.ADMIN), sync_to_thread=True, status_code=303)
def retry(
    job_id: FromPath[int], program: NamedDependency[Program], actor: NamedDependency[Actor]
) -> Redirect:
    """Have a job that was given up tried again."""
    with program.db.begin(actor) as tx:
        if not jobs.revive(tx.conn, job_id):
            raise NotFound(f"job {job_id} is not among those that were given up")
        tx.emit(Event(type="jobs.retried", data={"job": job_id}))
        tx.enqueued = True
    return Redirect("/jobs", status_code=303)


routes = [now, background, retry]
