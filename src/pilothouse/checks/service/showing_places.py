"""What the pages of locations show: their health, their agents, what is visited from there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from pilothouse.checks.model.judging import Health
from pilothouse.checks.model.kept import Agent, Glance, Location
from pilothouse.checks.model.results import Outcome
from pilothouse.checks.rules import places
from pilothouse.checks.service import agents, showing, telling
from pilothouse.checks.service.telling import Cell, Told
from pilothouse.checks.store import judged, reading
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.tx import Tx
from pilothouse.kernel.words import counted


class Standing(msgspec.Struct, frozen=True):
    """A location: how it is itself."""

    location: Location
    agents: list[Agent]
    health: Health | None

    @property
    def href(self) -> str:
        return telling.location_href(self.location.name)

    @property
    def region(self) -> str:
        return places.heading(self.location.region)

    @property
    def heard(self) -> datetime | None:
        """When an agent of it was last heard of."""
        return max((one.seen_at for one in self.agents), default=None)

    @property
    def waiting(self) -> int:
        """Results that its agents still hold."""
        return sum(one.waiting for one in self.agents)

    @property
    def silent(self) -> bool:
        return bool(self.agents) and all(one.silent_at is not None for one in self.agents)

    @property
    def mark(self) -> str:
        if not self.agents:
            return "idle"
        if self.silent:
            return "bad"
        return "warn" if self.sick or any(one.silent_at for one in self.agents) else "ok"

    @property
    def sick(self) -> str:
        return self.health.sick if self.health else ""

    @property
    def word(self) -> str:
        """Its state in words."""
        if not self.agents:
            return "No agent yet"
        if self.silent:
            return "Silent"
        if self.sick:
            return "In bad health"
        quiet = sum(one.silent_at is not None for one in self.agents)
        return f"{counted(quiet, 'agent')} silent" if quiet else "Working"


def standings(tx: Tx) -> list[Standing]:
    """All locations, by region and name."""
    found, healths = showing.known_agents(tx), judged.healths(tx.conn)
    rows = [_standing(one, found, healths) for one in agents.all_locations(tx)]
    return sorted(rows, key=lambda one: (one.location.region, one.location.name))


def _standing(location: Location, found: Sequence[Agent], healths: dict[str, Health]) -> Standing:
    mine = [one for one in found if one.location == location.name]
    return Standing(location, mine, healths.get(location.name))


class Visit(msgspec.Struct, frozen=True):
    """A check as this location sees it."""

    told: Told
    glance: Glance
    cell: Cell


class Page(msgspec.Struct, frozen=True):
    """One location."""

    standing: Standing
    visits: list[Visit]
    failing: int


_ORDER = ("bad", "warn", "soft", "idle", "ok")


def page(tx: Tx, name: str) -> Page:
    """Raises NotFound for what is no location."""
    location = agents.location(tx, name)
    if location is None:
        raise NotFound(f"there is no location {name!r}")
    standing = _standing(location, showing.known_agents(tx), judged.healths(tx.conn))
    glances = {one.check_id: one for one in reading.glances_at(tx.conn, name)}
    checks = [one for one in reading.by_id(tx.conn, list(glances)).values() if one.gone_at is None]
    visits = [
        Visit(one, glances[one.check.id], telling.cell(one, glances[one.check.id], tx.now))
        for one in telling.told(tx, checks)
    ]
    return Page(
        standing=standing,
        visits=sorted(visits, key=lambda v: (_ORDER.index(v.cell.mark), v.told.check.title)),
        failing=sum(glances[one.id].outcome is Outcome.FAILED for one in checks),
    )
