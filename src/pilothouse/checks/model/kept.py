"""What the server keeps: checks and locations as planned, agents, pauses, findings, answers."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from pilothouse.checks.model.documents import CheckSpec, LocationSpec
from pilothouse.checks.model.judging import Told
from pilothouse.checks.model.results import Outcome, Result
from pilothouse.checks.model.verdicts import Scope, Standing, State, Verdict

LOCAL = "local"  # the location that is there without a document, and its region
BEAT = "heartbeat"  # where the results of heartbeats are from
PHASES = ("dns", "connect", "tls", "first_byte", "body")
STEP = "step "  # and a number from 1: the time of a step, kept as a phase is
MOST_STEPS = 30  # whose times are kept
OUTCOMES = (Outcome.OK, Outcome.DEGRADED, Outcome.FAILED, Outcome.UNABLE)  # as numbers
RANDOM_BITS = 20  # of a result's id, below its milliseconds


def instant_of(result_id: int) -> datetime:
    """When the visit with this id began."""
    return datetime.fromtimestamp((result_id >> RANDOM_BITS) / 1000, UTC)


def first_id(at: datetime) -> int:
    """The lowest id of a visit that began at or after an instant."""
    return int(at.timestamp() * 1000) << RANDOM_BITS


def step_number(phase: str) -> int:
    """Which step it is; 0 for one of PHASES."""
    number = phase.removeprefix(STEP)
    return int(number) if number != phase and number.isdecimal() else 0


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A check of the catalog."""

    id: int
    uid: str  # its entity's, which a new name does not change
    ref: str
    title: str
    entity: str  # ref of what it watches
    owner: str  # ref; "" for none
    type: str  # of documents.TYPES
    critical: bool
    version: str  # digest of `spec`; "" for one that was never fit to be visited
    spec: str  # JSON of a CheckSpec
    fault: str  # why its document as it is now is not used; "" where it is
    not_before: datetime | None = None  # looks before it do not count: resumed, or changed, then
    gone_at: datetime | None = None  # its document left the catalog

    @property
    def said(self) -> CheckSpec:
        """What it looks at."""
        return spec_of(self.spec)


_specs: dict[str, CheckSpec] = {}


def spec_of(text: str) -> CheckSpec:
    """A spec by its JSON; the same ones are asked for again and again."""
    found = _specs.get(text)
    if found is None:
        if len(_specs) > 5000:  # noqa: PLR2004  far more than there are checks
            _specs.clear()
        found = _specs[text] = msgspec.json.decode(text, type=CheckSpec)
    return found


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """A place that agents look from."""

    name: str
    ref: str  # of its document; "" for `local`
    title: str
    region: str
    spec: LocationSpec
    source_id: int = 0


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """A program that looks from a location, as it last told."""

    location: str
    name: str
    first_at: datetime
    seen_at: datetime
    waiting: int  # results that it still held then
    software: str
    references_failed: tuple[str, ...]
    silent_at: datetime | None  # when it was found to be silent


class Point(msgspec.Struct, frozen=True):
    """One result, small: what charts are made of. Times are milliseconds."""

    location: str
    id: int
    outcome: Outcome
    total: float
    phases: dict[str, float]

    @property
    def at(self) -> datetime:
        return instant_of(self.id)


class Glance(msgspec.Struct, frozen=True, kw_only=True):
    """The newest of one check at one location: a cell of the matrix."""

    check_id: int
    location: str
    last_id: int  # of the newest result, which the next four are of; 0: nothing yet
    outcome: Outcome
    fault: str
    reason: str
    total: float
    state: State  # of this location, after down_after and up_after
    standing: Standing | None  # None: it never could look

    @property
    def at(self) -> datetime | None:
        """When the newest visit began."""
        return instant_of(self.last_id) if self.last_id else None

    @property
    def streak(self) -> int:
        """Visits in a row that were as good or bad as the newest."""
        return self.standing.streak if self.standing else 0

    @property
    def since(self) -> datetime | None:
        """When the first of them was."""
        return self.standing.since if self.standing else None

    @property
    def confirmed(self) -> bool:
        """It was asked once more, and said the same."""
        return self.standing is not None and self.standing.confirmed


class Standpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a check, as last judged."""

    check_id: int
    number: int  # of changes so far
    state: State
    scope: Scope
    since: datetime
    judged_at: datetime
    raised: bool  # an alert is out
    again_at: datetime | None
    told: Told
    verdict: Verdict


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A change of state; kept for ever."""

    id: int
    check_id: int
    number: int
    at: datetime
    was: State
    state: State
    scope: Scope
    words: str
    verdict: Verdict
    event_id: str  # "" where it is told to nobody


class Failure(msgspec.Struct, frozen=True):
    """A result that was not ok, whole, with the evidence that came after it."""

    location: str
    result: Result
    evidence: tuple[str, ...] = ()  # names of files that are here


class Pause(msgspec.Struct, frozen=True):
    """A check that is not visited for a while."""

    check_id: int
    reason: str
    by: str  # actor
    at: datetime
    until: datetime | None


class WantedKind(StrEnum):
    """Why a visit out of turn is asked for."""

    CONFIRM = "confirm"
    CONTROL = "control"  # is it the location? Another check is visited from there
    RUN = "run"  # a person asked


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A visit out of turn, from its asking to its result."""

    id: int
    check_id: int
    location: str
    kind: WantedKind
    actor: str
    asked_at: datetime
    until: datetime  # after which nobody waits for it
    taken_by: str  # agent; "" while none has it
    taken_at: datetime | None
    result_id: int  # 0 until it is answered


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """A heartbeat: what was heard, and by when the next is due."""

    check_id: int
    key: str  # of its address; whoever knows it may call
    made_at: datetime
    began_at: datetime | None
    ended_at: datetime | None  # success or failure, the last of them
    failed: bool  # that one was a failure
    due_at: datetime | None  # later than this it is late
    late: bool
    body: str  # the end of what was posted with the last of them


class Day(msgspec.Struct, frozen=True):
    """How the results of one series were on one day (UTC)."""

    location: str
    day: int  # since 1970-01-01
    ok: int
    degraded: int
    failed: int
    unable: int
