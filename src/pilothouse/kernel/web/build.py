"""Modules in, web application out."""

from __future__ import annotations

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
from pilothouse.kernel.program import Program
from pilothouse.kernel.web import access, display, failures, health, live, now, searching
from pilothouse.kernel.web.arriving import asked_of
from pilothouse.kernel.web.edge import App, Edge
from pilothouse.kernel.web.frame import Frame

STATIC = Path(__file__).parent.parent.parent / "static"
FOREVER = CacheControlHeader(max_age=31_536_000, immutable=True, public=True)


def build(program: Program) -> tuple[App, live.Live]:
    """The web application of a program, and its live stream (close it to let it end)."""
    stream = live.Live(program.db)
    app = application(program, Frame(program.modules, database=program.db), stream)
    return Edge(app, program.settings, program.db), stream  # pyright: ignore[reportArgumentType]


def application(program: Program, frame: Frame, stream: live.Live) -> Litestar:
    """All routes and what they need, without the edge: whoever calls it says who asks."""
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
            *(route for module in program.modules for route in module.routes),
        ],
        dependencies=_dependencies(program, frame, stream),
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
    app.state.frame = frame
    app.state.program = program
    access.permissions(app.routes)
    return app


def _dependencies(program: Program, frame: Frame, stream: live.Live) -> dict[str, Any]:
    def actor(scope: Scope) -> Actor:
        return scope["user"]

    def asked(scope: Scope) -> Asked:
        return asked_of(scope)

    return {
        "program": Provide(lambda: program, sync_to_thread=False),
        "db": Provide(lambda: program.db, sync_to_thread=False),
        "frame": Provide(lambda: frame, sync_to_thread=False),
        "live_events": Provide(lambda: stream, sync_to_thread=False),
        "actor": Provide(actor, sync_to_thread=False),
        "asked": Provide(asked, sync_to_thread=False),
    }
