"""How a reader wants pages: theme, time zone, keys. And the page that shows every part."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from pilothouse.kernel.actors import Role
from pilothouse.kernel.auth.rules import same_site
from pilothouse.kernel.web.access import needs, public
from pilothouse.kernel.web.frame import COOKIE, THEMES, Frame, zone_of

YEAR = 365 * 24 * 3600


class Choice(msgspec.Struct):
    """The Display form; an unticked box is absent."""

    theme: str = ""
    zone: str = "UTC"
    keys: str = ""
    back: str = "/"


@post("/display", opt=public(), sync_to_thread=False, status_code=303)
def save_display(
    data: Annotated[Choice, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Redirect:
    """Keep the choice in a cookie and go back to where it was made."""
    theme = data.theme if data.theme in THEMES else ""
    zone = data.zone if getattr(zone_of(data.zone), "key", "UTC") == data.zone else "UTC"
    value = f"{theme}|{zone}|{'on' if data.keys else 'off'}"
    back = same_site(data.back)
    cookie = Cookie(COOKIE, value=value, max_age=YEAR, httponly=True, samesite="lax", path="/")
    return Redirect(back, status_code=303, cookies=[cookie])


@get("/components", opt=needs(Role.VIEWER), sync_to_thread=True)
def components(request: Request[Any, Any, Any], frame: NamedDependency[Frame]) -> Response[str]:
    """Every part of the pages in every state, to look at."""
    return frame.page(request, "components.html", title="Components")


routes = [save_display, components]
