"""The page of all changes."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlencode

from litestar import Response, get
from litestar.di import NamedDependency

from pilothouse.incidents.service import showing_changes
from pilothouse.incidents.service.showing_changes import ICONS, PERIODS, WORDS, Asked
from pilothouse.kernel.actors import Role
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Database
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.asking import AnyRequest, instant, text
from pilothouse.kernel.web.frame import Frame, display_of


@get("/changes", opt=needs(Role.VIEWER), sync_to_thread=True)
def changes(
    request: AnyRequest, db: NamedDependency[Database], frame: NamedDependency[Frame]
) -> Response[str]:
    """What changed, whatever it was: newest first, by entity, team, kind and time."""
    asked = Asked(
        entity=_ref(request, "entity", "component"),
        team=_ref(request, "team", "group"),
        kind=_one_of(request, "kind", WORDS),
        period=_one_of(request, "period", PERIODS) or "1d",
        before=instant(request, "before"),
    )
    with db.read() as tx:
        found = showing_changes.listing(tx, asked, display_of(request).tz)
    said = {"entity": asked.entity, "team": asked.team, "kind": asked.kind}
    query = urlencode({k: v for k, v in said.items() if v} | {"period": asked.period})
    return frame.page(
        request,
        "incidents/changes.html",
        title="Changes",
        found=found,
        periods=PERIODS,
        words=WORDS,
        icons=ICONS,
        query=query,
    )


def _ref(request: AnyRequest, name: str, kind: str) -> str:
    """A ref that is asked for; "" for none. Raises Invalid."""
    written = text(request, name)
    return str(EntityRef.parse(written, kind)) if written else ""


def _one_of(request: AnyRequest, name: str, known: Collection[str]) -> str:
    written = text(request, name)
    if written and written not in known:
        raise Invalid(f"{name}={written[:50]!r} is none of {', '.join(known)}")
    return written


routes = [changes]
