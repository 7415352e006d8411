"""Agents: who they are, what each is to visit, and what is wanted of their location at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.checks.model.documents import LocationSpec, Regions
from pilothouse.checks.model.kept import LOCAL, Agent, Check, Location
from pilothouse.checks.model.plans import Asked, Plan, Planned, Posted, Wanted
from pilothouse.checks.rules import turns
from pilothouse.checks.service import telling
from pilothouse.checks.store import asking, planned, reading
from pilothouse.kernel import durations
from pilothouse.kernel.alerts.model import Alert
from pilothouse.kernel.alerts.service import clear_alert, raise_alert
from pilothouse.kernel.errors import Conflict, Denied, Invalid, NotFound
from pilothouse.kernel.events import Event

if TYPE_CHECKING:
    from pilothouse.kernel.actors import Actor
    from pilothouse.kernel.tx import Tx

OFTEN = timedelta(seconds=3)  # what is the same is not written down more often
ALIVE = timedelta(seconds=60)  # unheard of for longer, others have its turns
SILENT = timedelta(seconds=120)  # … and it is a finding
FORGOTTEN = timedelta(days=7)
MOST_AGENTS = 100  # of one location
AGENT_SILENT, AGENT_BACK = "checks.agent_silent", "checks.agent_back"
HERE = Location(
    name=LOCAL, ref="", title="This machine", region=LOCAL, spec=LocationSpec(region=LOCAL)
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@:-]{0,149}")


def check_name(name: str, what: str) -> None:
    """Raises Invalid for a name that an agent or a location cannot have."""
    if not _NAME.fullmatch(name):
        raise Invalid(f"{what}: {name[:60]!r} is no name: letters, digits and - _ . @ :, up to 150")


def check_speaks(actor: Actor, at: str) -> None:
    """Raises Denied for an agent whose token is of another location."""
    if actor.location and actor.location != at:
        raise Denied(
            f"this token is of the location {actor.location}, and does not speak for {at[:150]}: "
            f"make one with pilothouse token create NAME --scope agent --location {at[:150]}"
        )


def all_locations(tx: Tx) -> list[Location]:
    """Every location: those of documents, and `local` once an agent looks from there."""
    return tx.once("checks.locations", lambda: _all_locations(tx))


def _all_locations(tx: Tx) -> list[Location]:
    found = reading.all_locations(tx.conn)
    if all(one.name != LOCAL for one in found) and asking.count(tx.conn, LOCAL):
        found.append(HERE)
    return found


def location(tx: Tx, name: str) -> Location | None:
    """A location by name; `local` is always there."""
    found = next((one for one in all_locations(tx) if one.name == name), None)
    return found or (HERE if name == LOCAL else None)


def locations_of(check: Check, every: Collection[Location]) -> list[Location]:
    """The locations that visit a check."""
    if check.type == "heartbeat":
        return []
    wanted = check.said.locations
    if isinstance(wanted, str):
        return list(every)
    if isinstance(wanted, Regions):
        regions = {one.lower() for one in wanted.regions}
        return [one for one in every if one.region in regions]
    names = {one.lower() for one in wanted}
    return [one for one in every if one.name in names]


def tag(tx: Tx, at: str, agent: str) -> str:
    """The ETag of an agent's plan: cheap, and another whenever the plan may be."""
    others = {*asking.alive(tx.conn, at, tx.now - ALIVE), agent}
    here = asking.count(tx.conn, LOCAL) > 0
    parts = (planned.note(tx.conn, planned.PLAN), sorted(others), here, at, agent)
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:20]}"'


def plan(tx: Tx, at: str, agent: str) -> Plan:
    """What an agent is to visit. Raises NotFound for a location that there is not."""
    place = _known(tx, at)
    others = {*asking.alive(tx.conn, at, tx.now - ALIVE), agent}
    every = all_locations(tx)
    paused = planned.paused(tx.conn)
    found = [
        _planned(one, at, agent, others, visiting)
        for one in reading.all_checks(tx.conn)
        if one.version and one.id not in paused
        for visiting in [{place.name: place.region for place in locations_of(one, every)}]
        if at in visiting
    ]
    return Plan(
        location=at,
        region=place.region,
        checks=tuple(found),
        private_targets=place.spec.private_targets,
        references=place.spec.references,
    )


def _known(tx: Tx, at: str) -> Location:
    place = location(tx, at)
    if place is None:
        raise NotFound(
            f"there is no location {at!r}: add a document of kind ProbeLocation with this name to "
            "the catalog"
        )
    return place


def _planned(
    one: Check, at: str, agent: str, others: Collection[str], visiting: Mapping[str, str]
) -> Planned:
    spec = one.said
    offsets = turns.offsets(one.ref, visiting, durations.parse(spec.every))
    mine = turns.agent_of(one.ref, others) == agent
    return Planned(one.ref, one.version, spec, offsets[at], mine=mine)


def heard(tx: Tx, posted: Posted) -> None:
    """Note what an agent tells of itself with its results."""
    known = _known_agent(tx, posted.location, posted.agent)
    if known is not None and tx.now - known.seen_at < OFTEN and _alike(known, posted):
        return
    asking.seen(tx.conn, posted, tx.now)


def _alike(known: Agent, posted: Posted) -> bool:
    return (known.waiting, known.software, known.references_failed) == (
        posted.waiting,
        posted.software,
        posted.references_failed,
    )


def is_news(tx: Tx, at: str, agent: str) -> bool:
    """Whether it is worth writing down that an agent asked."""
    known = asking.agent(tx.conn, at, agent)
    return known is None or known.silent_at is not None or tx.now - known.seen_at >= OFTEN


def asks(tx: Tx, at: str, agent: str) -> None:
    """Note that an agent asked for its plan. Raises NotFound for a location that there is not."""
    _known(tx, at)
    _known_agent(tx, at, agent)
    asking.asked(tx.conn, at, agent, tx.now)


def _known_agent(tx: Tx, at: str, agent: str) -> Agent | None:
    """An agent as it last told; one that was silent is back.

    Raises Conflict for a new one where there are too many.
    """
    known = asking.agent(tx.conn, at, agent)
    if known is None and asking.count(tx.conn, at) >= MOST_AGENTS:
        raise Conflict(f"there are {MOST_AGENTS} agents at {at} already: an agent keeps its name")
    if known is not None and known.silent_at is not None:
        if asking.no_longer_silent(tx.conn, at, agent):
            _back(tx, at, agent)
        return None
    return known


def wanted(tx: Tx, at: str, agent: str) -> Asked:
    """The visits that an agent is to make now; they are its own for a while."""
    taken = asking.take(tx.conn, at, agent, tx.now)
    return Asked(tuple(Wanted(number, ref) for number, ref in taken), tag(tx, at, agent))


def find_silent(tx: Tx) -> list[Agent]:
    """Agents that fell silent: each is a finding, told once."""
    before = tx.now - SILENT
    silent = sorted(asking.silent(tx.conn, before), key=lambda one: (one.location, one.name))
    found = [one for one in silent if asking.mark_silent(tx.conn, one, before, tx.now)]
    for agent in found:
        words = f"the agent {agent.name} at {agent.location} is silent"
        key = f"{AGENT_SILENT}:{agent.location}:{agent.name}:{agent.seen_at.timestamp():.3f}"
        tx.emit(_event(tx, AGENT_SILENT, agent.location, agent.name, key))
        raise_alert(tx, _alert(tx, agent.location, agent.name, words), dedup_key=f"{key}:alert")
    return found


def _back(tx: Tx, at: str, agent: str) -> None:
    tx.emit(_event(tx, AGENT_BACK, at, agent, None))
    clear_alert(tx, _alert(tx, at, agent, f"the agent {agent} at {at} is back"))


def forget(tx: Tx) -> None:
    """Forget agents that were silent for a week."""
    for agent in asking.forget_agents(tx.conn, tx.now - FORGOTTEN):
        words = f"the agent {agent.name} at {agent.location} is forgotten after a week of silence"
        clear_alert(tx, _alert(tx, agent.location, agent.name, words))


def _ref(tx: Tx, at: str) -> str:
    place = location(tx, at)
    return (place.ref if place else "") or f"probelocation:default/{at}"


def _event(tx: Tx, kind: str, at: str, agent: str, key: str | None) -> Event:
    data = {"location": at, "agent": agent}
    return Event(type=kind, entities=(_ref(tx, at),), data=data, source="checks", dedup_key=key)


def _alert(tx: Tx, at: str, agent: str, words: str) -> Alert:
    return Alert(
        key=f"checks:agent:{at}:{agent}",
        source="checks",
        entity=_ref(tx, at),
        summary=words[:1].upper() + words[1:],
        detail=words,
        urgency="low",
        href=telling.location_href(at),
    )


def encoded(found: Plan) -> bytes:
    """A plan as it goes out."""
    return msgspec.json.encode(found)
