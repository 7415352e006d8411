"""What the results of all locations mean together."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class State(StrEnum):
    """How a check is, for all of the world or a region of it."""

    UNKNOWN = "unknown"  # no fresh result: never healthy, never failed
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    FAILED = "failed"


class Scope(StrEnum):
    """Where a finding is."""

    EVERYWHERE = "everywhere"  # a quorum of the locations in good health
    REGION = "region"  # all healthy locations of a region, and others not


class Standing(msgspec.Struct, frozen=True):
    """What one location last said of one check; what the verdict is made of."""

    location: str
    region: str
    at: datetime  # when its latest visit began
    state: State  # after down_after and up_after; the raw outcome is `outcome`
    outcome: str
    streak: int  # visits in a row with this outcome's badness
    since: datetime  # of the first of them
    fault: str = ""
    reason: str = ""
    total: float = 0.0
    confirmed: bool = False  # it was asked once more, and said the same
    # The bad visits since it was in health; fewer good ones than up_after do not end them.
    bad: int = 0
    failing: int = 0  # visits in a row that failed outright
    bad_since: datetime | None = None  # the first of them
    bad_at: datetime | None = None  # the latest of them
    seconding: bool = False  # the first of them was asked for: it seconds another location


class Verdict(msgspec.Struct, frozen=True):
    """What a check's locations say together, and why in words."""

    state: State
    scope: Scope = Scope.EVERYWHERE
    regions: tuple[str, ...] = ()  # of a regional finding
    locations: tuple[str, ...] = ()  # that agree on it
    since: datetime | None = None
    words: str = ""  # "failed from 5 of 11 locations, all in eu-*, since 14:02; …"
    sick: tuple[str, ...] = ()  # locations that do not vote
    flapping: bool = False
    voting: int = 0  # locations in good health with a fresh result
    maintenance: datetime | None = None  # a window is open until then: nothing is a finding
