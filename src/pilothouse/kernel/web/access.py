"""Who may ask what: every route names the least role that it needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.routes import BaseRoute

from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import Denied, Invalid

OPTION = "needs"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def needs(role: Role) -> dict[str, Any]:
    """The `opt` of a route handler: `@get("/", opt=needs(Role.VIEWER))`."""
    return {OPTION: role}


def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let a request through when its actor's role suffices.

    Raises Denied when it does not.
    """
    actor: Actor = connection.scope["user"]
    role: Role = handler.opt[OPTION]
    if actor.role < role:
        raise Denied(f"{actor.name} is {actor.role.name.lower()}; this needs {role.name.lower()}")


def permissions(routes: Iterable[BaseRoute]) -> list[tuple[str, str, Role]]:
    """The table of permissions: path, method, least role.

    Raises Invalid for a route without its row, so that none can be added unseen.
    """
    table: list[tuple[str, str, Role]] = []
    for route in routes:
        for handler in getattr(route, "route_handlers", [getattr(route, "route_handler", None)]):
            if handler is None:
                continue
            for method in sorted(getattr(handler, "http_methods", {"*"})):
                if method == "OPTIONS":
                    continue
                if OPTION not in handler.opt:
                    raise Invalid(f"route {method} {route.path} does not say which role it needs")
                table.append((route.path, method, handler.opt[OPTION]))
    return sorted(table)


def require_loopback(host: str) -> None:
    """Until sign-in is set up everybody is the local admin, so only this machine may ask.

    Raises Invalid for another address to bind to.
    """
    if host not in LOOPBACK:
        raise Invalid(
            f"host = {host!r}: without sign-in everybody who reaches Pilothouse is its admin, so "
            "it serves this machine only. Set host to 127.0.0.1 and reach it through an SSH "
            "tunnel (ssh -L 8400:127.0.0.1:8400 thishost)."
        )
