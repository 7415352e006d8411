"""Who may ask what: every route names the least role that it needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.routes import BaseRoute

from pilothouse.kernel.actors import NOBODY, Actor, Role
from pilothouse.kernel.errors import Denied, Invalid, SignInNeeded

OPTION, SCOPE = "needs", "scope"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def needs(role: Role, scope: str = "") -> dict[str, Any]:
    """The `opt` of a route handler: `@get("/", opt=needs(Role.VIEWER))`.

    With a `scope`, an API token that has no role but this scope may ask as well.
    """
    return {OPTION: role, SCOPE: scope}


def public() -> dict[str, Any]:
    """The `opt` of a route that anybody may ask; it looks itself at who asks, or tells nothing."""
    return needs(Role.NOBODY)


def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let a request through when its actor's role suffices.

    Raises SignInNeeded when nobody is signed in, Denied when the role does not suffice.
    """
    actor: Actor = connection.scope["user"]
    role: Role = handler.opt[OPTION]
    if actor.role >= role or handler.opt.get(SCOPE) in actor.scopes:
        return
    if actor is NOBODY:
        raise SignInNeeded(f"this needs someone who is {role.name.lower()}")
    raise Denied(f"{actor.name} is {actor.role.name.lower()}; this needs {role.name.lower()}")


class Permission(msgspec.Struct, frozen=True, order=True):
    """A row of the table of permissions."""

    path: str
    method: str
    role: Role
    scope: str = ""


def permissions(routes: Iterable[BaseRoute]) -> list[Permission]:
    """The table of permissions.

    Raises Invalid for a route without its row, so that none can be added unseen.
    """
    table: list[Permission] = []
    for route in routes:
        for handler in getattr(route, "route_handlers", [getattr(route, "route_handler", None)]):
            if handler is None:
                continue
            for method in sorted(getattr(handler, "http_methods", {"*"})):
                if method == "OPTIONS":
                    continue
                if OPTION not in handler.opt:
                    raise Invalid(f"route {method} {route.path} does not say which role it needs")
                role, scope = handler.opt[OPTION], handler.opt.get(SCOPE, "")
                table.append(Permission(route.path, method, role, scope))
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
