"""What a verdict is made by: a check's terms, the health of locations, what was told before."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

import msgspec

from pilothouse.checks.model.verdicts import Scope, State, Verdict


class Window(msgspec.Struct, frozen=True):
    """A maintenance window, read: wall time, length, how many days until it comes again."""

    start: datetime  # naive: wall time in `zone`
    lasts: timedelta
    days: int  # 0: once
    zone: tzinfo


class Turn(msgspec.Struct, frozen=True):
    """Maintenance that began, or ended."""

    at: datetime
    until: datetime  # when it ends, or ended
    began: bool


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How one check is judged: its document, read once. `rules.terms.of(spec)` makes it."""

    every: timedelta
    timeout: timedelta
    stale: timedelta  # a result older than this says nothing
    quorum: int  # locations; 0: by share
    share: float = 0.0
    down_after: int = 2
    up_after: int = 2
    settle: timedelta  # how long a disagreement must last, at a location that reached other things
    settle_alone: timedelta  # ... at one that did not
    hold: timedelta  # how long a check must be well before it is called recovered
    windows: tuple[Window, ...] = ()
    not_before: datetime | None = None  # looks before it do not count: resumed, or changed, then


class Health(msgspec.Struct, frozen=True):
    """How a location itself is, whatever it visits."""

    location: str
    sick: str = ""  # why it does not vote; "": it does
    since: datetime | None = (
        None  # of being sick, or of being well again: looks before do not count
    )
    reached_at: datetime | None = None  # since then it reached three things
    disturbed_at: datetime | None = None  # when it last failed to reach a second one


class Look(msgspec.Struct, frozen=True):
    """The latest visit of one check from one location, as the health of locations sees it."""

    check: str
    location: str
    region: str
    at: datetime
    bad_since: datetime | None  # the first of the failures that it is one of; None: it is well


class Reached(msgspec.Struct, frozen=True):
    """The reference targets of one location, as its agents last told."""

    location: str
    targets: tuple[str, ...]
    failed: tuple[str, ...]
    at: datetime


class Ask(msgspec.Struct, frozen=True):
    """A visit that the server should ask for, not before `at`.

    Asked for again and again it is the same: check, location and `at` are its dedup key.
    """

    location: str
    at: datetime


class Told(msgspec.Struct, frozen=True):
    """What has been told of a check: the row that a change of state updates."""

    state: State = State.UNKNOWN
    scope: Scope = Scope.EVERYWHERE
    regions: tuple[str, ...] = ()
    since: datetime | None = None  # of this state: of a finding, when it was opened
    better: State | None = None  # what the verdict says now, where that is better than was told
    better_since: datetime | None = None
    returns: int = 0  # how often this finding came back before it was called recovered
    flapping: bool = False


class Happened(StrEnum):
    """What a change of what is told means."""

    OPENED = "opened"  # a finding
    WORSE = "worse"  # degraded became failed, a region more, everywhere
    BETTER = "better"  # failed became degraded, everywhere became a region
    RECOVERED = "recovered"
    NOTED = "noted"  # a state without a finding: healthy or unknown


class Change(msgspec.Struct, frozen=True):
    """A row to write, and what it means; `event` is "" where nobody need be told."""

    told: Told
    verdict: Verdict  # with what is known of flapping
    happened: Happened | None  # None: only the row's own memory changed
    event: str = ""  # checks.failed, checks.degraded, checks.recovered
