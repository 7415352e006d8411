"""Who may ask what: every route names the least role that it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.routes import BaseRoute

from pilothouse.kernel.actors import NOBODY, Actor, Role
from pilothouse.kernel.errors import Denied, Invalid, NotFound, SignInNeeded
from pilothouse.kernel.settings import Settings
from pilothouse.kernel.web.arriving import asked_of

OPTION, SCOPE = "needs", "scope"
HIGHEST_ID = 2**31 - 1  # of the databases' integers
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

    Raises SignInNeeded when nobody is signed in, Denied when the role does not suffice, NotFound
    for a number in the path that no row can have.
    """
    actor: Actor = connection.scope["user"]
    role: Role = handler.opt.get(OPTION, Role.VIEWER)  # Litestar's own answers to OPTIONS say none
    if actor.role >= role or handler.opt.get(SCOPE) in actor.scopes:
        _check_numbers(connection.path_params)
        return
    if actor.id == NOBODY.id:
        why = asked_of(connection.scope).refused
        raise SignInNeeded(why or f"this needs someone who is {role.name.lower()}")
    raise Denied(
        f"{actor.name} is {actor.role.name.lower()}; this needs {role.name.lower()}. "
        "Ask an admin of this portal to do it, or for that role."
    )


def _check_numbers(params: Mapping[str, Any]) -> None:
    for value in params.values():
        if isinstance(value, int) and not 0 <= value <= HIGHEST_ID:
            raise NotFound("There is no page at this address.")


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


HOW = (
    "Set up sign-in first: local_users = true and `pilothouse user add`, or a [[sign_in]] table "
    "for your OpenID Connect provider (docs/sign-in.md). Or set host to 127.0.0.1, leave "
    "public_url out, and reach it through an SSH tunnel (ssh -L 8400:127.0.0.1:8400 thishost)."
)


def require_sign_in(settings: Settings) -> None:
    """Without sign-in everybody is the local admin, so only this machine may ask.

    Raises Invalid for settings by which others could reach the portal and be its admin, and for
    those by which they could not sign in.
    """
    public = urlsplit(settings.public_url or "").hostname
    elsewhere = settings.host not in LOOPBACK
    if not settings.signs_in and (elsewhere or (public and public not in LOOPBACK)):
        which = f"host = {settings.host!r}" if elsewhere else f"public_url names {public!r}"
        raise Invalid(
            f"{which}: without sign-in everybody who reaches Pilothouse is its admin, so it serves "
            f"this machine only. {HOW}"
        )
    if elsewhere and not public:
        raise Invalid(
            f"host = {settings.host!r} needs public_url, the address that people type "
            "(https://portal.example): requests under other names are refused, and providers of "
            "sign-in send people back there."
        )
