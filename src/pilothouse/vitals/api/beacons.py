"""The script that pages load, and where they tell what it saw."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from litestar import MediaType, Request, Response, get, post
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency

from pilothouse.kernel.assets import STATIC, asset
from pilothouse.kernel.program import Program
from pilothouse.kernel.web.access import public
from pilothouse.kernel.web.arriving import Networks
from pilothouse.vitals import rules
from pilothouse.vitals.api.intake import Intake
from pilothouse.vitals.model import GARBAGE

MOST_BYTES = 4096
AN_HOUR = CacheControlHeader(max_age=3600, public=True)
ANYBODY = {"Access-Control-Allow-Origin": "*"}  # of an empty answer; who may tell is judged later


class Door:
    """Where beacons come in of one program."""

    def __init__(self, program: Program) -> None:
        self.intake = Intake(program.db)
        self.proxies = Networks(program.settings.trusted_proxies)
        self.country_header = program.settings.vitals_country_header or ""

    def country(self, request: Request[Any, Any, Any]) -> str:
        """The country that a proxy of ours says the visitor is in."""
        peer = (request.scope.get("client") or ("",))[0]
        if not self.country_header or peer not in self.proxies:
            return ""
        return rules.country(request.headers.get(self.country_header, ""))


_doors: WeakKeyDictionary[Program, Door] = WeakKeyDictionary()


def door_of(program: Program) -> Door:
    """The one door of a program."""
    found = _doors.get(program)
    if found is None:
        found = _doors[program] = Door(program)
    return found


@get(
    "/rum/v1/pilothouse.js",
    opt=public(),
    sync_to_thread=True,
    media_type="text/javascript; charset=utf-8",
    cache_control=AN_HOUR,
    include_in_schema=False,
)
def script() -> Response[bytes]:
    """The script that a page loads."""
    name = asset("rum.js").rpartition("/")[2]
    headers = {**ANYBODY, "Cross-Origin-Resource-Policy": "cross-origin"}
    return Response((STATIC / name).read_bytes(), headers=headers)


@post("/rum/v1/beacon", opt=public(), status_code=204, media_type=MediaType.TEXT)
async def beacon(
    request: Request[Any, Any, Any], program: NamedDependency[Program]
) -> Response[None]:
    """What one page view tells; answered before it is written down."""
    door, headers = door_of(program), request.headers
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            door.intake.drop("", GARBAGE)
            return Response(None, status_code=413, headers=ANYBODY)
    mobile = headers.get("sec-ch-ua-mobile", "")
    door.intake.take(bytes(body), headers.get("origin", ""), door.country(request), mobile)
    return Response(None, status_code=204, headers=ANYBODY)


routes = [script, beacon]
