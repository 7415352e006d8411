"""What the pages about deployments show, ready to be drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlencode

import msgspec

from pilothouse.catalog.service import views
from pilothouse.catalog.service.views import Named
from pilothouse.deploys.model import (
    GOING_ON,
    RELEASE,
    WRONG,
    Change,
    Delivery,
    Deployment,
    Running,
    State,
    Status,
)
from pilothouse.deploys.rules import environments
from pilothouse.deploys.service.taking import ANNOTATIONS
from pilothouse.deploys.store import deliveries, deployments, weeks
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.module import Headline
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Tx
from pilothouse.kernel.words import counted

SERVICES = 50  # a page
HISTORY = 50
RECENT = 8
COLUMNS = 5  # environments side by side
LATELY = timedelta(days=1)
FORGOTTEN = timedelta(days=30)  # previews that were taken down are not shown for longer
KINDS = frozenset({"component", "resource"})


class Place(msgspec.Struct, frozen=True):
    """An environment of an entity: what runs, and how it compares with production."""

    running: Running
    drift: str  # "newer", "older", "" for none

    @property
    def failed(self) -> bool:
        """Whether the newest deployment there failed, so that something older runs."""
        return self.running.latest_status is Status.FAILED

    @property
    def going_on(self) -> bool:
        return self.running.latest_status in GOING_ON


class Places(msgspec.Struct, frozen=True):
    """What runs where of one entity."""

    ref: str
    places: list[Place]

    @property
    def drifting(self) -> int:
        return sum(bool(place.drift) for place in self.places)


def in_order(found: Sequence[Running]) -> list[Place]:
    """Environments in the order people think of them, each with how it differs from production."""
    order = sorted(
        found, key=lambda one: environments.rank(one.environment, production=one.production)
    )
    drift = environments.drift(
        [one for one in order if one.environment != RELEASE]
    ) | environments.drift([one for one in order if one.production or one.environment == RELEASE])
    return [Place(one, drift.get(one.environment, "")) for one in order]


def places_of(tx: Tx, ref: EntityRef) -> Places | None:
    """What runs where; None for what is not deployed and says of no repository that it is its."""
    if ref.kind not in KINDS:
        return None
    found = [
        one
        for one in deployments.running_of(tx.conn, [str(ref)])
        if one.live is not None or tx.now - one.latest_at < FORGOTTEN
    ]
    if not found:
        said = views.body(tx, ref)["metadata"].get("annotations") or {}
        if not any(annotation in said for annotation in ANNOTATIONS.values()):
            return None
    return Places(str(ref), in_order(found))


def has_history(tx: Tx, ref: str) -> bool:
    """Whether an entity was ever deployed."""
    return bool(weeks.listed(tx.conn, [ref]))


class History(msgspec.Struct, frozen=True):
    """The deployments of one entity, page by page."""

    items: list[Deployment]
    total: int
    environments: list[str]
    environment: str | None
    older: int | None  # the id to go on from; None where this page is the last


def history(tx: Tx, ref: str, environment: str | None, before: int | None) -> History:
    """Newest first."""
    found = deployments.history(tx.conn, ref, environment, before, HISTORY + 1)
    places = in_order(deployments.running_of(tx.conn, [ref]))
    return History(
        items=found[:HISTORY],
        total=deployments.count(tx.conn, ref, environment),
        environments=[place.running.environment for place in places],
        environment=environment,
        older=found[HISTORY - 1].id if len(found) > HISTORY else None,
    )


class Asked(msgspec.Struct, frozen=True):
    """What a reader wants of the page of all services."""

    team: str = ""
    q: str = ""
    state: str = ""  # "failed", "going"
    offset: int = 0

    def query(self, **other: object) -> str:
        """As the query of an address, with other values in it."""
        values = {**msgspec.structs.asdict(self), **other}
        return urlencode({name: value for name, value in values.items() if value})


STATES = {"failed": 2, "going": 1}


class Row(msgspec.Struct, frozen=True):
    """A service on the page of all services."""

    named: Named
    owner: Named | None
    places: Mapping[str, Place]
    more: list[Place]  # in environments that have no column
    weight: int


class Board(msgspec.Struct, frozen=True):
    """All services and their environments."""

    asked: Asked
    rows: list[Row]
    total: int
    columns: list[str]
    teams: list[tuple[str, str, int]]  # ref, title, services


def board(tx: Tx, asked: Asked) -> Board:
    """A page of services: those whose last deployment failed first."""
    owner, weight = asked.team or None, STATES.get(asked.state)
    lines = weeks.page(tx.conn, owner, asked.q, weight, asked.offset, SERVICES)
    owners = weeks.owners(tx.conn)
    running = deployments.running_of(tx.conn, [line.entity for line in lines])
    refs = [*(line.entity for line in lines), *(ref for ref, _ in owners if ref)]
    names = views.name_all(tx, refs)
    columns = _columns(running)
    rows = [
        Row(
            named=names[line.entity],
            owner=names.get(line.owner),
            places={place.running.environment: place for place in placed},
            more=[place for place in placed if place.running.environment not in columns],
            weight=line.weight,
        )
        for line in lines
        for placed in [in_order([one for one in running if one.entity == line.entity])]
    ]
    return Board(
        asked=asked,
        rows=rows,
        total=weeks.count(tx.conn, owner, asked.q, weight),
        columns=columns,
        teams=[(ref, names[ref].title if ref else "No owner", total) for ref, total in owners],
    )


def _columns(running: Sequence[Running]) -> list[str]:
    """The environments that most of these run in, in the order people think of them."""
    count: dict[str, int] = {}
    production: dict[str, bool] = {}
    for one in running:
        count[one.environment] = count.get(one.environment, 0) + 1
        production[one.environment] = production.get(one.environment, False) or one.production
    most = sorted(count, key=lambda name: (not production[name], -count[name], name))[:COLUMNS]
    return sorted(most, key=lambda name: environments.rank(name, production=production[name]))


class Shown(msgspec.Struct, frozen=True):
    """One deployment with all that is known of it."""

    deployment: Deployment
    named: Named
    owner: Named | None
    commits: list[Change]
    previous: Deployment | None
    others: list[Deployment]  # of the same version
    running: Running | None


def shown(tx: Tx, deployment_id: int) -> Shown:
    """Raises NotFound for a deployment that is not here."""
    one = deployments.find(tx.conn, deployment_id)
    if one is None:
        raise NotFound(f"there is no deployment {deployment_id}")
    running = deployments.running_of(tx.conn, [one.entity])
    return Shown(
        deployment=one,
        named=views.name_all(tx, [one.entity])[one.entity],
        owner=None,
        commits=deployments.commits_of(tx.conn, one.id),
        previous=deployments.find(tx.conn, one.previous) if one.previous else None,
        others=deployments.of_version(tx.conn, one.entity, one, 10),
        running=next((r for r in running if r.environment == one.environment), None),
    )


class Recent(msgspec.Struct, frozen=True):
    """Deployments of all services, failed ones of the last day first."""

    items: list[Deployment]
    names: Mapping[str, Named]
    wrong: int


def recent(tx: Tx) -> Recent | None:
    """Three queries; None where nothing was ever deployed."""
    wrong = deployments.recent_of(tx.conn, WRONG, tx.now - LATELY)
    wrong = [one for one in wrong if one.recovered_at is None][:RECENT]
    newest = deployments.recent(tx.conn, RECENT)
    if not newest:
        return None
    items = list({one.id: one for one in [*wrong, *newest]}.values())[: max(RECENT, len(wrong))]
    return Recent(items, views.name_all(tx, [one.entity for one in items]), len(wrong))


def headline(tx: Tx) -> Headline | None:
    """The newest deployment to production of the last day that failed, and what runs instead."""
    found = [
        one
        for one in deployments.recent_of(tx.conn, {Status.FAILED}, tx.now - LATELY)
        if one.production and one.recovered_at is None
    ]
    if not found:
        return None
    one = found[0]
    named = views.name_all(tx, [one.entity])[one.entity]
    runs = f"{one.previous_version} still runs there." if one.previous_version else ""
    others = f" {counted(len(found) - 1, 'other')} failed in the last day." if found[1:] else ""
    return Headline(
        55,
        "warn",
        f"{one.version} of {named.title} failed in {one.environment}",
        f"{runs}{others}".strip() or "Nothing is known to have run there before.",
        f"/deploys/{one.id}",
        "See the deployment",
    )


class Inbox(msgspec.Struct, frozen=True):
    """What came in, newest first."""

    items: list[Delivery]
    state: State | None
    unmatched: list[tuple[str, str, int]]  # repository or name, what to add, how many
    older: int | None
    unsigned: list[str]  # senders from whom something came unsigned in the last day


INBOX = 50


def inbox(tx: Tx, state: State | None, before: int | None) -> Inbox:
    """Deliveries, and the repositories that no entity is of."""
    found = deliveries.page(tx.conn, state, before, INBOX + 1)
    return Inbox(
        items=found[:INBOX],
        state=state,
        unmatched=[
            (*_advice(repository), total)
            for repository, total, _ in deliveries.unmatched(tx.conn, 20)
        ],
        older=found[INBOX - 1].id if len(found) > INBOX else None,
        unsigned=deliveries.unsigned_since(tx.conn, tx.now - LATELY),
    )


def _advice(repository: str) -> tuple[str, str]:
    """What an unmatched repository is called, and what would match it."""
    if repository.startswith("name:"):
        name = repository.removeprefix("name:")
        return name, f"a component of the catalog called {name.partition(',')[0]}"
    host, _, path = repository.partition("/")
    return path, f"the annotation {ANNOTATIONS.get(host, host)}: {path}"


def names_of(tx: Tx, found: Sequence[Deployment]) -> Mapping[str, Named]:
    return views.name_all(tx, [one.entity for one in found])


MOST_EXPORTED = 100_000


def deployed(tx: Tx) -> list[str]:
    """All entities that were ever deployed."""
    return weeks.entities(tx.conn, MOST_EXPORTED)


def failing(tx: Tx, refs: Sequence[str]) -> list[str]:
    """Of these entities, those whose last deployment somewhere failed."""
    return weeks.of_weight(tx.conn, refs, STATES["failed"])
