"""Whether a document of ours can be used as it is: what its struct alone cannot say."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from urllib.parse import urlsplit

import msgspec

from pilothouse.checks.model.documents import (
    TYPES,
    CheckSpec,
    Heartbeat,
    Journey,
    LocationSpec,
    Regions,
)
from pilothouse.checks.rules import assertions, heartbeats, maintenance
from pilothouse.kernel import durations
from pilothouse.kernel.errors import Invalid

SHORTEST = timedelta(seconds=10)  # between two visits from one location
LONGEST = timedelta(days=7)
LONGEST_TIMEOUT = timedelta(minutes=15)
SECRET = "${secret:"  # noqa: S105  what may stand in place of any text
OPENED = ("http://", "https://", "${secret:")  # how what is gone to begins
ACTIONS = ("goto", "fill", "click", "expect", "wait")
MOST_STEPS = 200
SOME_TIME = datetime(2026, 1, 1, tzinfo=UTC)
Path = tuple[str | int, ...]


class Fault(msgspec.Struct, frozen=True):
    """Why a document is not used as it is, and where in it; `column` counts within the value."""

    code: str
    path: Path
    message: str
    column: int = 1
    hint: str = ""
    fatal: bool = True  # False: it is used all the same


class Places(msgspec.Struct, frozen=True):
    """The locations that there are, by name, and their regions."""

    names: frozenset[str]
    regions: frozenset[str]


def of_check(spec: CheckSpec, places: Places) -> list[Fault]:
    """Everything that is wrong with a check."""
    given = [name for name in TYPES if getattr(spec, name) is not None]
    if len(given) != 1:
        return [_type_fault(given)]
    return [
        *_times(spec),
        *_locations(spec, places),
        *_windows(spec),
        *_of_type(spec),
        *_expressions(spec),
    ]


def _type_fault(given: list[str]) -> Fault:
    said = "names none" if not given else f"names {' and '.join(given)}"
    path = ("spec", given[1]) if given else ("spec",)
    known = ", ".join(TYPES)
    return Fault("check-type", path, f"a check has exactly one type, and this {said}: {known}")


def _times(spec: CheckSpec) -> Iterator[Fault]:
    if spec.type == "heartbeat":
        return
    every, timeout = durations.parse(spec.every), durations.parse(spec.timeout)
    if not SHORTEST <= every <= LONGEST:
        words = f"every {spec.every}: a location visits at most every 10s, at least every 1w"
        yield Fault("check-duration", ("spec", "every"), words)
    elif timeout >= every:
        words = f"timeout {spec.timeout} is not shorter than every {spec.every}"
        yield Fault("check-duration", ("spec", "timeout"), words)
    elif timeout > LONGEST_TIMEOUT:
        words = f"timeout {spec.timeout} is longer than 15m"
        yield Fault("check-duration", ("spec", "timeout"), words)


def _locations(spec: CheckSpec, places: Places) -> Iterator[Fault]:
    if isinstance(spec.locations, Regions):
        path, named = ("spec", "locations", "regions"), spec.locations.regions
        yield from _unknown("region", path, named, places.regions)
    elif not isinstance(spec.locations, str):
        yield from _unknown("location", ("spec", "locations"), spec.locations, places.names)


def _unknown(
    what: str, path: Path, named: Collection[str], known: Collection[str]
) -> Iterator[Fault]:
    if not named:
        yield Fault("check-location", path, f"names no {what}")
    for index, name in enumerate(named):
        if name not in known:
            near = get_close_matches(name, sorted(known), n=1)
            there = ", ".join(sorted(known)[:20])
            hint = near[0] if near else f"there are: {there}"
            yield Fault("check-location", (*path, index), f"there is no {what} {name!r}", hint=hint)


def _windows(spec: CheckSpec) -> Iterator[Fault]:
    for index, window in enumerate(spec.maintenance):
        if said := _refused(lambda window=window: maintenance.read(window)):
            yield Fault("check-maintenance", ("spec", "maintenance", index), said)


def _refused(read: Callable[[], object]) -> str:
    """What is said against a value; "" where nothing is."""
    try:
        read()
    except Invalid as error:
        return str(error)
    return ""


def _of_type(spec: CheckSpec) -> Iterator[Fault]:
    if spec.http is not None:
        yield from _url(spec.http.url, ("http", "https"), ("spec", "http", "url"))
    elif spec.websocket is not None:
        yield from _url(spec.websocket.url, ("ws", "wss"), ("spec", "websocket", "url"))
    elif spec.oidc is not None:
        yield from _url(spec.oidc.issuer, ("http", "https"), ("spec", "oidc", "issuer"))
    elif spec.heartbeat is not None:
        yield from _heartbeat(spec.heartbeat)
    elif spec.journey is not None:
        yield from _journey(spec.journey)


def _url(url: str, schemes: Collection[str], path: Path) -> Iterator[Fault]:
    if url.startswith(SECRET):
        return
    try:
        parts = urlsplit(url.replace(SECRET, "secret").replace("}", ""))
        right = parts.scheme in schemes and bool(parts.hostname)
    except ValueError:
        right = False
    if not right:
        wanted = " or ".join(f"{scheme}://" for scheme in schemes)
        yield Fault("check-address", path, f"{url[:200]!r} is no address that begins with {wanted}")


def _heartbeat(beat: Heartbeat) -> Iterator[Fault]:
    path = ("spec", "heartbeat")
    if (beat.period is None) == (beat.cron is None):
        yield Fault("check-schedule", path, "give either period or cron")
        return
    if said := _refused(lambda: maintenance.zone(beat.time_zone)):
        yield Fault("check-time-zone", (*path, "time_zone"), said)
    elif said := _refused(lambda: heartbeats.expected(beat, SOME_TIME)):
        yield Fault("check-schedule", (*path, "cron" if beat.cron else "period"), said)


def _journey(journey: Journey) -> Iterator[Fault]:
    path = ("spec", "journey")
    if journey.code:
        yield Fault("check-script", (*path, "code"), "code is filled in here: name a script")
    if bool(journey.script) == bool(journey.steps):
        yield Fault("check-script", path, "give either a script or steps")
    if len(journey.steps) > MOST_STEPS:
        yield Fault("check-script", (*path, "steps"), f"more than {MOST_STEPS} steps")
    for index, step in enumerate(journey.steps):
        said = [name for name in ACTIONS if getattr(step, name) is not None]
        if len(said) != 1:
            words = f"a step has exactly one of {', '.join(ACTIONS)}"
            yield Fault("check-script", (*path, "steps", index), words)
        if step.goto is not None and not step.goto.lower().startswith(OPENED):
            words = "a journey goes to http:// and https:// addresses only"
            yield Fault("check-script", (*path, "steps", index, "goto"), words)


def _expressions(spec: CheckSpec) -> Iterator[Fault]:
    for problem in assertions.problems(spec):
        yield Fault("check-expression", _path(problem.field), problem.message, problem.column)


def _path(dotted: str) -> Path:
    """`spec.expect[0]` as the way into a document."""
    steps: list[str | int] = []
    for part in dotted.split("."):
        name, *indexes = part.replace("]", "").split("[")
        steps += [name, *map(int, indexes)]
    return tuple(steps)


def of_location(spec: LocationSpec) -> list[Fault]:
    """Everything that is wrong with a location."""
    found: list[Fault] = []
    for index, network in enumerate(spec.private_targets):
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            where = ("spec", "private_targets", index)
            found.append(Fault("location-network", where, f"{network!r} is no network: {error}"))
    for index, address in enumerate(spec.references):
        path = ("spec", "references", index)
        wrong = list(_url(address, ("http", "https"), path)) or _shut(spec, address, path)
        found += wrong
    return found


def _shut(spec: LocationSpec, url: str, path: Path) -> list[Fault]:
    """A reference that its own agents may not visit, as it says nothing of their network."""
    try:
        address = ipaddress.ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return []  # a name: what it means is not known here
    if address.is_global or any(address in one for one in _networks(spec.private_targets)):
        return []
    words = f"{address} is not public, and private_targets does not open it: agents do not visit it"
    return [Fault("location-reference", path, words, fatal=False)]


def _networks(texts: Collection[str]) -> Iterator[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    for text in texts:
        with suppress(ValueError):
            yield ipaddress.ip_network(text, strict=False)
