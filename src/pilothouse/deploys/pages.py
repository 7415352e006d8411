"""The pages about deployments."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from pilothouse.catalog.service import panels
from pilothouse.deploys.model import State
from pilothouse.deploys.rules import standing
from pilothouse.deploys.service import measuring, receiving, showing
from pilothouse.deploys.service.drawing import chart, small
from pilothouse.kernel.actors import Role
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.program import Program
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Database
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.asking import AnyRequest, number, offset_of, text
from pilothouse.kernel.web.frame import Frame

VIEWER = needs(Role.VIEWER)


@get("/deploys", opt=VIEWER, sync_to_thread=True)
def board(
    request: AnyRequest, db: NamedDependency[Database], frame: NamedDependency[Frame]
) -> Response[str]:
    """All services and what runs of them where."""
    state = text(request, "state")
    if state and state not in showing.STATES:
        raise Invalid(f"state={state!r} is none of {', '.join(showing.STATES)}")
    asked = showing.Asked(
        team=text(request, "team"),
        q=text(request, "q"),
        state=state,
        offset=offset_of(request),
    )
    with db.read() as tx:
        found = showing.board(tx, asked)
    return frame.page(
        request,
        "deploys/board.html",
        title="Deployments",
        found=found,
        page_size=showing.SERVICES,
    )


@get("/deploys/{number:int}", opt=VIEWER, sync_to_thread=True)
def one(
    request: AnyRequest,
    number: FromPath[int],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """One deployment."""
    with db.read() as tx:
        found = showing.shown(tx, number)
    title = f"{found.deployment.version} of {found.named.title}"
    return frame.page(request, "deploys/one.html", title=title, found=found)


@get("/deploys/frequency", opt=VIEWER, sync_to_thread=True)
def frequency(
    request: AnyRequest, db: NamedDependency[Database], frame: NamedDependency[Frame]
) -> Response[str]:
    """How often, how fast, how safely: by team, of one team by service, of one service."""
    team, service = text(request, "team"), text(request, "service")
    with db.read() as tx:
        if service:
            found = measuring.of_service(tx, str(EntityRef.parse(service, "component")))
        else:
            found = measuring.frequency(tx, team or None)
    of = found.service or found.team
    return frame.page(
        request,
        "deploys/frequency.html",
        title=f"How often {of.title} deploys" if of else "How often we deploy",
        found=found,
        of=of,
        chart=chart(found, team, service),
        small=small,
        week_name=standing.week_name,
        team=team,
        service=service,
    )


@get("/deploys/list", opt=VIEWER, sync_to_thread=True)
def listing(
    request: AnyRequest, db: NamedDependency[Database], frame: NamedDependency[Frame]
) -> Response[str]:
    """The deployments that a number was computed from."""
    what = text(request, "what") or "deployments"
    if what not in measuring.MEASURED:
        raise Invalid(f"what={what!r} is none of {', '.join(measuring.MEASURED)}")
    service, team = text(request, "service"), text(request, "team")
    first, last = text(request, "first") or "2000-01-03", text(request, "last") or "2199-12-30"
    wanted = measuring.Wanted(
        first=measuring.monday_of(first),
        last=measuring.monday_of(last),
        owner=team or None,
        entity=str(EntityRef.parse(service, "component")) if service else None,
        what=what,
    )
    with db.read() as tx:
        found = measuring.listing(tx, wanted, number(request, "before"))
    return frame.page(
        request,
        "deploys/list.html",
        title="Deployments to production",
        found=found,
        week_name=standing.week_name,
        whole=wanted.first <= "2000-01-03",
    )


@get("/deploys/deliveries", opt=VIEWER, sync_to_thread=True)
def deliveries(
    request: AnyRequest, program: NamedDependency[Program], frame: NamedDependency[Frame]
) -> Response[str]:
    """What came in by webhooks and events, and what became of it."""
    state = text(request, "state") or None
    if state is not None and state not in set(State):
        raise Invalid(f"state={state!r} is none of {', '.join(State)}")
    with program.db.read() as tx:
        found = showing.inbox(tx, State(state) if state else None, number(request, "before"))
    settings = program.settings
    takes_unsigned = receiving.takes_unsigned(settings.host, settings.public_url)
    hooks = (
        ("github", "GitHub", "github_webhook_secret"),
        ("gitlab", "GitLab", "gitlab_webhook_token"),
    )
    unchecked = [  # only those that somebody uses
        (label, setting)
        for sender, label, setting in hooks
        if takes_unsigned and sender in found.unsigned and not getattr(settings, setting)
    ]
    return frame.page(
        request,
        "deploys/deliveries.html",
        title="What came in",
        found=found,
        states=tuple(State),
        home=settings.home,
        github_signed=bool(settings.github_webhook_secret),
        gitlab_signed=bool(settings.gitlab_webhook_token),
        takes_unsigned=takes_unsigned,
        unchecked=unchecked,
    )


@get(
    "/catalog/{kind:str}/{namespace:str}/{name:str}/deployments", opt=VIEWER, sync_to_thread=True
)  # fmt: skip
def history(
    request: AnyRequest,
    kind: FromPath[str],
    namespace: FromPath[str],
    name: FromPath[str],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """The deployments of one entity."""
    ref = EntityRef.of(kind, namespace, name)
    environment, before = (
        text(request, "environment") or None,
        number(request, "before"),
    )
    with db.read() as tx:
        head = panels.head(tx, ref)
        found = showing.history(tx, str(ref), environment, before)
        places = showing.places_of(tx, ref)
        more = frame.tabs(tx, str(ref))
    return frame.page(
        request,
        "deploys/history.html",
        title=f"Deployments of {head.title}",
        head=head,
        tab="Deployments",
        more_tabs=more,
        found=found,
        places=places,
        before=before,
    )


routes = [board, one, frequency, listing, deliveries, history]
