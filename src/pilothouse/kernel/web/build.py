"""Modules in, web application out."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from litestar import Litestar, Router
from litestar.datastructures import CacheControlHeader
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.static_files import create_static_files_router
from litestar.types import Scope

from pilothouse import __version__
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.auth.model import Asked
from pilothouse.kernel.errors import PilothouseError
from pilothouse.kernel.module import Module
from pilothouse.kernel.program import Program
from pilothouse.kernel.tx import Database
from pilothouse.kernel.web import access, display, failures, health, live, now, searching
from pilothouse.kernel.web.arriving import asked_of
from pilothouse.kernel.web.edge import App, Edge
from pilothouse.kernel.web.frame import Frame
from pilothouse.kernel.web.serving import SERVED, Served, served_of

STATIC = Path(__file__).parent.parent.parent / "static"
FOREVER = CacheControlHeader(max_age=31_536_000, immutable=True, public=True)


def build(program: Program) -> tuple[App, live.Live]:
    """The web application of a program, and its live stream (close it to let it end)."""
    stream = live.Live(program.db)
    app = Application(Served(program, Frame(program.modules, database=program.db), stream))
    return Edge(app, program.settings, program.db), stream


class Application:
    """All routes and what they serve, without the edge: whoever calls it says who asks.

    Routes are made once for the same modules, which takes longer than to answer many requests;
    what they serve comes with each request.
    """

    def __init__(self, served: Served) -> None:
        self.served = served
        self.routing = _routing(tuple(served.program.modules))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _begin_and_end(receive, send)
            return
        scope[SERVED] = self.served
        await self.routing(scope, receive, send)


async def _begin_and_end(receive: Any, send: Any) -> None:
    """Nothing of the routes begins or ends with the server, and more than one may serve them."""
    for happens in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{happens}.complete"})


@lru_cache(maxsize=8)
def _routing(modules: tuple[Module, ...]) -> Litestar:
    app = Litestar(
        route_handlers=[
            *health.routes,
            *display.routes,
            *now.routes,
            *searching.routes,
            live.live,
            create_static_files_router(
                "/static",
                [STATIC],
                opt=access.public(),
                cache_control=FOREVER,
                include_in_schema=False,
            ),
            *(route for module in modules for route in module.routes),
        ],
        dependencies=_DEPENDENCIES,
        guards=[access.guard],
        exception_handlers={
            PilothouseError: failures.answer,
            HTTPException: failures.answer,
            Exception: failures.answer,
        },
        openapi_config=OpenAPIConfig(
            "Pilothouse",
            __version__,
            openapi_router=Router("/api/openapi", route_handlers=[], opt=access.needs(Role.VIEWER)),
            render_plugins=[JsonRenderPlugin()],
        ),
        logging_config=None,
    )
    access.permissions(app.routes)
    return app


def _program(scope: Scope) -> Program:
    return served_of(scope).program


def _db(scope: Scope) -> Database:
    return served_of(scope).program.db


def _frame(scope: Scope) -> Frame:
    return served_of(scope).frame


def _live(scope: Scope) -> live.Live:
    return served_of(scope).live


def _actor(scope: Scope) -> Actor:
    return scope["user"]


def _asked(scope: Scope) -> Asked:
    return asked_of(scope)


_DEPENDENCIES = {
    name: Provide(found, sync_to_thread=False)
    for name, found in {
        "program": _program,
        "db": _db,
        "frame": _frame,
        "live_events": _live,
        "actor": _actor,
        "asked": _asked,
    }.items()
}
