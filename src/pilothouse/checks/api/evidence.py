"""Evidence of failures: agents bring it, people look at it."""

from __future__ import annotations

from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from pilothouse.checks.service import evidence
from pilothouse.checks.service.evidence import File
from pilothouse.kernel.actors import Role
from pilothouse.kernel.auth.model import Asked
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.faults import crash_point
from pilothouse.kernel.program import Program
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.web.access import needs

ALONE = "default-src 'none'; sandbox"  # what others wrote runs nothing
DIGITS = 19


@put(
    "/api/checks/evidence/{result:str}/{name:str}", opt=needs(Role.ADMIN, scope="agent"),
    sync_to_thread=True, status_code=204, request_max_body_size=evidence.MOST_BYTES,
)  # fmt: skip
def keep(
    result: FromPath[str],
    name: FromPath[str],
    body: RawBody,
    program: NamedDependency[Program],
    asked: NamedDependency[Asked],
) -> None:
    """A file that a result named: screenshot.png or har.json."""
    with program.db.begin() as tx:
        evidence.take(tx, asked.actor.location, _number(result), File(name, body))
    crash_point("checks.evidence")


@get(
    "/checks/evidence/{namespace:str}/{check:str}/{result:str}/{name:str}",
    opt=needs(Role.VIEWER), sync_to_thread=True,
)  # fmt: skip
def show(
    namespace: FromPath[str],
    check: FromPath[str],
    result: FromPath[str],
    name: FromPath[str],
    program: NamedDependency[Program],
) -> Response[bytes]:
    """A file of a failure."""
    ref = str(EntityRef.of("check", namespace, check))
    with program.db.read() as tx:
        kind, body = evidence.file(tx, ref, _number(result), name)
    headers = {
        "content-security-policy": ALONE,
        "cache-control": "private, max-age=86400, immutable",
        "content-disposition": f'inline; filename="{name}"',
    }
    return Response(body, media_type=kind, headers=headers)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > DIGITS:
        raise NotFound("that is no result")
    number = int(text)
    if number >= 2**63:
        raise NotFound("that is no result")
    return number


routes = [keep, show]
