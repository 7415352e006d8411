"""Working out what deliveries say, many in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import structlog

from pilothouse.catalog.service import annotated, refreshing
from pilothouse.deploys.formats import cloudevents, github, gitlab, reports
from pilothouse.deploys.formats.parts import text_of
from pilothouse.deploys.model import (
    RELEASE,
    Delivery,
    Hints,
    Placed,
    Report,
    State,
    Told,
)
from pilothouse.deploys.rules import environments, matching
from pilothouse.deploys.rules.ledger import Ledger, key_of
from pilothouse.deploys.service import writing
from pilothouse.deploys.service.receiving import TAKE
from pilothouse.deploys.store import deliveries, deployments, pushes
from pilothouse.kernel.errors import PilothouseError
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Tx

MOST_AT_ONCE = 400  # entities that one statement asks for

log = structlog.get_logger("pilothouse.deploys")

BATCH = 200  # deliveries of one transaction
BATCH_BYTES = 8_000_000
KINDS = ("component", "resource")  # that are deployed; other kinds of a repository are not
ANNOTATIONS = {
    github.HOST: "github.com/project-slug",
    gitlab.HOST: "gitlab.com/project-slug",
}


@dataclass
class Read:
    """A delivery and what it tells."""

    delivery: Delivery
    told: Told
    aims: list[tuple[Report, Placed, str]] = field(default_factory=list)  # and its environment


def take(tx: Tx) -> int:
    """Work out the oldest deliveries that wait; how many there were.

    One that makes the batch fail is found by taking them one by one, and is kept as unreadable:
    it stops no other.
    """
    deliveries.one_at_a_time(tx.conn)
    waiting = deliveries.waiting(tx.conn, BATCH, BATCH_BYTES)
    if waiting and deliveries.attempt(tx.conn, lambda: _take(tx, waiting)) is not None:
        for one in waiting:
            _take_alone(tx, one)
    return len(waiting)


def _take_alone(tx: Tx, delivery: Delivery) -> None:
    error = deliveries.attempt(tx.conn, lambda: _take(tx, [delivery]))
    if error is not None:
        deliveries.settle(tx.conn, [_unreadable(delivery, error)])


def _take(tx: Tx, waiting: Sequence[Delivery]) -> None:
    found = [_read(one) for one in waiting]
    pushes.note(tx.conn, [one for item in found for one in item.told.commits], tx.now)
    _aim(tx, found)
    _write(tx, found)
    _sync(tx, found)
    deliveries.settle(tx.conn, [_settled(item) for item in found])


def _read(delivery: Delivery) -> Read:
    """What a delivery tells; one that cannot be read says why, and is kept."""
    try:
        body = msgspec.json.decode(delivery.body)
        match delivery.sender:
            case "github":
                told = github.told(delivery.type, body, delivery.received_at)
            case "gitlab":
                told = gitlab.told(body, delivery.received_at)
            case _:
                event = msgspec.convert(body, cloudevents.CloudEvent)
                told = reports.told(event, delivery.received_at)
    except (PilothouseError, msgspec.MsgspecError, TypeError, AttributeError, ValueError) as error:
        return Read(_unreadable(delivery, error), Told())
    return Read(delivery, told)


def _unreadable(delivery: Delivery, error: Exception) -> Delivery:
    """The delivery with the reason why nothing came of it, as far as a database can keep that."""
    said = f"{type(error).__name__}: {error}".encode(errors="replace").decode()
    log.warning("deploys.unreadable", delivery=delivery.delivery_id, error=said)
    return _with(delivery, State.UNREADABLE, text_of(said, 500))


def _with(delivery: Delivery, state: State, why: str) -> Delivery:
    return msgspec.structs.replace(delivery, state=state, why=why)


def _aim(tx: Tx, found: Sequence[Read]) -> None:
    """Find the entities that each report is about: a query for each host, and one for names."""
    placed = _of_repositories(tx, found)
    called = _called(tx, found)
    wanted = {
        (pushes.repository_key(report.host, report.repository), report.commit)
        for item in found
        for report in item.told.reports
        if report.commit and report.host
    }
    known = pushes.known(tx.conn, wanted)
    for item in found:
        for report in item.told.reports:
            key = pushes.repository_key(report.host, report.repository)
            change, paths = known.get((key, report.commit), (None, ()))
            if change is not None and report.commit_at is None:
                report = msgspec.structs.replace(report, commit_at=change.at)  # noqa: PLW2901
            hints = msgspec.structs.replace(report.hints, paths=paths)
            if report.host:
                aims = matching.meant(placed.get((report.host, report.repository), ()), hints)
            else:
                aims = _by_name(report.hints, called)
            for one in aims:
                item.aims.append((report, one, _environment(report, one)))


def _environment(report: Report, one: Placed) -> str:
    if report.environment == RELEASE:
        return RELEASE
    return matching.without_name(environments.normal(report.environment), (one.name,))


def _of_repositories(tx: Tx, found: Sequence[Read]) -> Mapping[tuple[str, str], list[Placed]]:
    repositories = {
        (report.host, report.repository)
        for item in found
        for report in item.told.reports
        if report.host
    }
    placed: dict[tuple[str, str], list[Placed]] = {}
    for host in sorted({host for host, _ in repositories}):
        names = sorted(name for its_host, name in repositories if its_host == host)
        for one in annotated.annotated(tx, ANNOTATIONS[host], names, KINDS):
            of = Placed(one.ref, one.name, one.folder, one.origin)
            placed.setdefault((host, one.values[0]), []).append(of)
    return {place: _deployed(entities) for place, entities in placed.items()}


def _deployed(entities: list[Placed]) -> list[Placed]:
    """The components of a repository; its resources only where it has no component."""
    components = [one for one in entities if one.ref.startswith("component:")]
    return components or entities


def _called(tx: Tx, found: Sequence[Read]) -> Mapping[str, Placed]:
    """Entities that events name, by each of their names and refs; a name of two names none."""
    names = {
        name.lower()
        for item in found
        for report in item.told.reports
        if not report.host
        for name in report.hints.named
        if name
    }
    if not names:
        return {}
    refs = {name: _ref(name) for name in names}
    there = annotated.about(tx, sorted({ref for ref in refs.values() if ref}))
    by_name = annotated.called(tx, sorted(names), KINDS)
    placed: dict[str, Placed] = {}
    for name in names:
        own, others = refs[name], by_name.get(name, [])
        ref = own if own in there else others[0] if len(others) == 1 else None
        if ref is not None:
            origin = there[ref][2] if ref in there else ""
            placed[name] = Placed(ref, ref.rpartition("/")[2], "", origin)
    return placed


def _ref(name: str) -> str:
    """The ref that a name may be; a bare one is a component's of the default namespace."""
    try:
        return str(EntityRef.parse(name, "component"))
    except PilothouseError:
        return ""


def _by_name(hints: Hints, called: Mapping[str, Placed]) -> list[Placed]:
    """The first entity that one of the names is; names stand in the order of their weight."""
    found = [called[name.lower()] for name in hints.named if name.lower() in called]
    return found[:1]


def _write(tx: Tx, found: Sequence[Read]) -> None:
    aims = [aim for item in found for aim in item.aims]
    if not aims:
        return
    ledger = _ledger(tx, aims)
    origins: dict[str, str] = {}
    for report, one, environment in aims:
        ledger.take(report, one.ref, environment)
        origins[one.ref] = one.origin
    writing.write(tx, ledger, origins)


def _ledger(tx: Tx, aims: Iterable[tuple[Report, Placed, str]]) -> Ledger:
    """What the reports may touch, read in a few queries."""
    aims = list(aims)
    ledger = Ledger()
    keys = dict.fromkeys(key_of(report, one.ref) for report, one, _ in aims)
    for place in deployments.running_of(tx.conn, {one.ref for _, one, _ in aims}):
        ledger.running[place.entity, place.environment] = place
    touched = {(one.ref, environments.normal(name)) for _, one, name in aims}
    near = [ledger.running[place] for place in touched if place in ledger.running]
    ids = {one for place in near for one in (place.live, place.latest) if one is not None}
    for one in deployments.by_ids(tx.conn, ids):
        ledger.add(one)
    for one in deployments.by_keys(tx.conn, [key for key in keys if key not in ledger.deployments]):
        ledger.add(one)
    broken = {(place.entity, place.environment) for place in near if place.broken}
    for one in deployments.not_recovered(tx.conn, broken):
        if one.key not in ledger.deployments:
            ledger.add(one)
    return ledger


def _sync(tx: Tx, found: Sequence[Read]) -> None:
    """Have sources looked at at once whose files a push has changed."""
    pushed = [item.told for item in found if item.told.sync]
    refreshing.refresh_repositories(tx, [one for told in pushed for one in told.addresses])


def _settled(item: Read) -> Delivery:
    """The delivery with what became of it."""
    delivery, told = item.delivery, item.told
    if delivery.state is State.UNREADABLE:
        return delivery
    if told.reports and not item.aims:
        return _unmatched(delivery, told)
    if told.reports or told.sync or told.commits:
        return _with(delivery, State.TAKEN, told.why)
    return _with(delivery, State.IGNORED, told.why)


def _unmatched(delivery: Delivery, told: Told) -> Delivery:
    report = told.reports[0]
    if report.host:
        annotation = ANNOTATIONS[report.host]
        why = f"no entity has the annotation {annotation}: {report.repository}"
        return _with(delivery, State.UNMATCHED, why)
    names = ", ".join(name for name in report.hints.named if name)
    named = msgspec.structs.replace(delivery, repository=f"name:{names}"[:300])
    return _with(named, State.UNMATCHED, f"no component of the catalog is called {names}")


def follow(tx: Tx, refs: Sequence[str]) -> None:
    """Entities came or changed: their lines follow, and deliveries that wait for them are taken."""
    for start in range(0, len(refs), MOST_AT_ONCE):
        part = refs[start : start + MOST_AT_ONCE]
        writing.follow(tx, part)
        if deliveries.any_in(tx.conn, State.UNMATCHED) and deliveries.again(
            tx.conn, _calls_of(tx, part)
        ):
            tx.enqueue(TAKE, key=TAKE)


def _calls_of(tx: Tx, refs: Sequence[str]) -> list[str]:
    """What deliveries can call these entities: names, and the repositories they say they are of."""
    names = [f"name:{one}" for ref in refs for one in (ref, ref.rpartition("/")[2])]
    said = annotated.annotations_of(tx, refs).values()
    repositories = [
        pushes.repository_key(host, found[annotation].lower())
        for found in said
        for host, annotation in ANNOTATIONS.items()
        if annotation in found
    ]
    return [*names, *repositories]
