"""Errors on their way out: a page for people, problem details (RFC 9457) for programs."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from pilothouse.kernel.auth.rules import same_site
from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.errors import PilothouseError, SignInNeeded
from pilothouse.kernel.web.arriving import bearer_of
from pilothouse.kernel.web.serving import served_of

log = structlog.get_logger("pilothouse.web")

UNAUTHORIZED = 401
GONE = "client disconnected prematurely"  # Litestar's words for one who hung up amid a body
AWAY = "The database did not answer. Nothing was lost; try again in a moment."


class Problem(msgspec.Struct, frozen=True):
    """Problem details for HTTP APIs, RFC 9457 section 3."""

    title: str
    status: int
    detail: str
    instance: str
    type: str = "about:blank"


def problem_of(error: Exception) -> tuple[str, int, str]:
    """Title, HTTP status and words for any error that reached the edge."""
    match error:
        case PilothouseError():
            return error.title, error.status, str(error)
        case HTTPException(detail=detail) if detail == GONE:
            return "Not accepted", 400, "Whoever asked was gone before all of it had come."
        case HTTPException(status_code=404):
            return "Not found", 404, "There is no page at this address."
        case HTTPException():
            return "Not accepted", error.status_code, error.detail
        case OperationalError() | NoConnection():
            log.error("web.database_away", error=str(error))
            return "The database is away", 503, AWAY
        case _:
            mark = uuid7()[-8:]
            log.error("web.error", mark=mark, exc_info=error)
            words = f"This is a fault of Pilothouse; its log tells more under {mark}."
            return "This did not work", 500, words


def wants_page(request: Request[Any, Any, Any]) -> bool:
    """Whether a person's browser asks: pages are for them, problem details for programs."""
    api = request.url.path.startswith(("/api/", "/hooks/"))
    return not api and "text/html" in request.headers.get("accept", "")


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The error as its reader can use it."""
    title, status, detail = problem_of(error)
    if status == UNAUTHORIZED:
        return _sign_in(request, title, detail)
    if wants_page(request):
        frame = served_of(request.scope).frame
        return frame.page(
            request, "error.html", title=title, status=status, detail=detail, status_code=status
        )
    if request.url.path.startswith("/api/catalog"):
        return backstage(request, error, status, detail)
    body = Problem(title, status, detail, request.url.path)
    return Response(
        msgspec.json.encode(body), status_code=status, media_type="application/problem+json"
    )


def _sign_in(request: Request[Any, Any, Any], title: str, detail: str) -> Response[Any]:
    """The way to sign in: for a page by going there, for a program by saying how."""
    if wants_page(request) and request.method == "GET":
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return Redirect(f"/login?{urlencode({'next': here})}", status_code=303)
    headers = {"WWW-Authenticate": 'Bearer realm="pilothouse"'}
    if bearer_of(dict(request.scope["headers"])) is not None:
        headers["WWW-Authenticate"] += ', error="invalid_token"'
    if request.headers.get("hx-request"):  # a part of a page: the page itself has to go
        back = urlsplit(request.headers.get("hx-current-url", ""))
        here = same_site(back.path + (f"?{back.query}" if back.query else ""))
        headers["HX-Redirect"] = f"/login?{urlencode({'next': here})}"
    if request.url.path.startswith("/api/catalog"):
        answer = backstage(request, SignInNeeded(detail), UNAUTHORIZED, detail)
        answer.headers.update(headers)
        return answer
    if wants_page(request):
        frame, way = served_of(request.scope).frame, [("Sign in", "/login")]
        context = {"status": UNAUTHORIZED, "detail": f"{detail}.".capitalize(), "next": way}
        return frame.page(request, "error.html", title=title, status_code=UNAUTHORIZED, **context)
    body = Problem(title, UNAUTHORIZED, detail, request.url.path)
    return Response(
        msgspec.json.encode(body),
        status_code=UNAUTHORIZED,
        media_type="application/problem+json",
        headers=headers,
    )


NAMES = {
    401: "AuthenticationError",
    400: "InputError",
    403: "NotAllowedError",
    404: "NotFoundError",
    409: "ConflictError",
}


def backstage(
    request: Request[Any, Any, Any], error: Exception, status: int, detail: str
) -> Response[Any]:
    """The error body of Backstage's catalog API (npm @backstage/errors, ErrorResponseBody)."""
    name = NAMES.get(status, type(error).__name__)
    body = {
        "error": {"name": name, "message": detail},
        "request": {"method": request.method, "url": request.url.path},
        "response": {"statusCode": status},
    }
    return Response(body, status_code=status, media_type="application/json")
