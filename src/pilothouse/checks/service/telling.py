"""How a check is, in a word and a mark: what every page about checks says alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote

import msgspec

from pilothouse.checks.model.judging import Terms
from pilothouse.checks.model.kept import Check, Glance, Pause, Standpoint, spec_of
from pilothouse.checks.model.results import Outcome
from pilothouse.checks.model.verdicts import State
from pilothouse.checks.rules import maintenance, places, terms
from pilothouse.checks.store import planned, reading
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.tx import Tx
from pilothouse.kernel.words import NONE, span

MARKS = {
    State.HEALTHY: ("ok", "Working"),
    State.DEGRADED: ("warn", "Degraded"),
    State.FAILED: ("bad", "Failing"),
    State.UNKNOWN: ("idle", "No data"),
}
RANKS = {State.FAILED: 0, State.DEGRADED: 1, State.UNKNOWN: 2, State.HEALTHY: 3}
TYPES = {
    "http": "HTTP",
    "tcp": "TCP",
    "tls": "TLS",
    "dns": "DNS",
    "icmp": "Ping",
    "grpc": "gRPC",
    "websocket": "WebSocket",
    "smtp": "SMTP",
    "heartbeat": "Heartbeat",
    "postgres": "PostgreSQL",
    "oidc": "Sign-in",
    "journey": "Browser journey",
}
SECOND = 1000  # ms


def href(ref: str) -> str:
    """The page of a check."""
    namespace, _, name = ref.partition(":")[2].partition("/")
    return f"/checks/{quote(namespace, safe='')}/{quote(name, safe='')}"


def location_href(name: str) -> str:
    """The page of a location."""
    return f"/locations/{quote(name, safe='')}"


class Told(msgspec.Struct, frozen=True):
    """A check as it stands now."""

    check: Check
    standpoint: Standpoint | None = None
    pause: Pause | None = None
    resting: datetime | None = None  # until when it is in maintenance

    @property
    def state(self) -> State:
        return self.standpoint.state if self.standpoint else State.UNKNOWN

    @property
    def quiet(self) -> bool:
        """It is paused or in maintenance: nobody need look."""
        return self.pause is not None or self.resting is not None

    @property
    def mending(self) -> bool:
        """It works again, and not yet for long enough to be called recovered."""
        point = self.standpoint
        return (
            point is not None
            and RANKS[point.state] < RANKS[State.UNKNOWN]
            and point.verdict.state is State.HEALTHY
        )

    @property
    def mark(self) -> str:
        if self.mending and not self.pause:
            return "warn"
        return "idle" if self.pause else MARKS[self.state][0]

    @property
    def word(self) -> str:
        """Its state in words: "Failing in Europe", "Paused"."""
        if self.pause:
            return "Paused"
        if self.mending:
            return "Recovering"
        words = MARKS[self.state][1]
        verdict = self.standpoint.verdict if self.standpoint else None
        if verdict and RANKS[self.state] < RANKS[State.UNKNOWN]:
            words += places.within(verdict.regions)
            words += ", on and off" if verdict.flapping else ""
        return words

    @property
    def why(self) -> str:
        """The verdict's words."""
        words = self.standpoint.verdict.words if self.standpoint else "no result yet"
        resumed = self.pause is None and words.startswith("paused")
        return "not looked at since it was paused" if resumed else words

    @property
    def since(self) -> datetime | None:
        return self.standpoint.since if self.standpoint else None

    @property
    def href(self) -> str:
        return href(self.check.ref)

    @property
    def kind(self) -> str:
        return TYPES.get(self.check.type, self.check.type)

    @property
    def rank(self) -> tuple[int, str]:
        """Failing first, then by title; what rests comes last."""
        return (9 if self.pause else RANKS[self.state], self.check.title.lower())


def told(tx: Tx, found: Collection[Check]) -> list[Told]:
    """How these checks are, in their order: two queries for all of them."""
    ids = [check.id for check in found]
    points = reading.standpoints(tx.conn, ids)
    pauses = planned.paused(tx.conn, ids)
    return [
        Told(check, points.get(check.id), pauses.get(check.id), resting(check, tx.now))
        for check in found
    ]


@lru_cache(maxsize=5000)
def _terms(spec: str) -> Terms | None:
    try:
        return terms.of(spec_of(spec))
    except Invalid:
        return None


def terms_of(check: Check) -> Terms | None:
    """How it is judged; None for a document that cannot be read."""
    return _terms(check.spec)


def resting(check: Check, now: datetime) -> datetime | None:
    """Until when it is in maintenance."""
    judged = terms_of(check)
    return maintenance.open_until(judged.windows, now) if judged and judged.windows else None


class Cell(msgspec.Struct, frozen=True):
    """One check at one location: a mark, what stands in the cell, and all of it in words."""

    mark: str  # ok, warn, bad, idle, soft
    text: str
    words: str


NEVER = Cell("idle", NONE, "no result yet")
PAUSED = Cell("idle", "\N{DOUBLE VERTICAL LINE}", "paused")
_BAD = {Outcome.FAILED: "failed", Outcome.DEGRADED: "was slow"}


def cell(one: Told, glance: Glance | None, now: datetime) -> Cell:
    """What a location says of a check: it does not count until it said so often enough."""
    if one.pause:
        return PAUSED
    if glance is None or glance.at is None:
        return NEVER
    judged = terms_of(one.check)
    if judged and one.check.type != "heartbeat" and now - glance.at > judged.stale:
        return Cell("idle", NONE, "silent")
    if glance.outcome is Outcome.UNABLE:
        return Cell("idle", NONE, f"could not look: {glance.reason}")
    return _looked(glance)


def _looked(glance: Glance) -> Cell:
    number, length = small(glance.total), span(glance.total / SECOND)
    if glance.state is State.FAILED:
        return Cell("bad", glance.fault or "fail", f"failing: {glance.reason or glance.fault}")
    if glance.state is State.DEGRADED:
        return Cell("warn", number, f"degraded, {length}: {glance.reason}")
    if glance.outcome in _BAD:
        said = f"{_BAD[glance.outcome]} once, is looked at again: {glance.reason}"
        return Cell("soft", glance.fault or number, said)
    return Cell("ok", number, f"working, {length}")


def small(ms: float) -> str:
    """A time in a cell: "290" ms, "2.3s"."""
    if ms < SECOND:
        return f"{ms:.0f}" if ms >= 1 else "<1"
    return f"{ms / SECOND:.1f}s" if ms < 9950 else f"{ms / SECOND:.0f}s"  # noqa: PLR2004


def counted_cells(cells: Mapping[str, Cell]) -> tuple[int, int]:
    """How many locations see it fail, and how many slow."""
    marks = [one.mark for one in cells.values()]
    return marks.count("bad"), marks.count("warn")
