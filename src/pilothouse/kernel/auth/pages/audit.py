"""The page of the audit."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency

from pilothouse.kernel.actors import Role
from pilothouse.kernel.auth.service import auditing
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.program import Program
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.asking import AnyRequest, instant
from pilothouse.kernel.web.frame import Frame

DEEDS = 100  # a page


@get("/audit", opt=needs(Role.ADMIN), sync_to_thread=True)
def audit(
    request: AnyRequest, program: NamedDependency[Program], frame: NamedDependency[Frame]
) -> Response[str]:
    """What was done by those who may, and who did not get in."""
    known = sorted({kind for module in program.modules for kind in module.audited})
    chosen = request.query_params.get("type") or ""
    if chosen and chosen not in known:
        raise Invalid(f"type={chosen[:100]!r} is none of {', '.join(known)}")
    before = instant(request, "before")
    with program.db.read() as tx:
        found = auditing.deeds(tx, [chosen] if chosen else known, before, DEEDS)
    return frame.page(
        request,
        "auth/audit.html",
        title="Audit",
        found=found,
        known=known,
        chosen=chosen,
        before=before,
        page_size=DEEDS,
    )


routes = [audit]
