"""What is in trouble, and how much each change is suspected of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from pilothouse.kernel.changes import Change, Kind


class Reach(msgspec.Struct, frozen=True):
    """Where an entity stands, seen from what is failing."""

    ref: str
    distance: int  # edges to the nearest failing entity; 0: it is one
    direction: Literal["self", "below", "above", "beside"]  # below: the failing one depends on it
    paths: int = 1  # how many failing entities reach it


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What is failing, as the ranking sees it."""

    onset: datetime  # of the measurements, not of the page
    onsets: tuple[tuple[str, datetime], ...] = ()  # (entity, its own onset), where known
    failing: tuple[str, ...]  # refs
    healthy: tuple[str, ...] = ()  # refs that are looked at and are fine
    regions: tuple[str, ...] = ()  # where it fails; none: everywhere, or not known
    recovered_at: datetime | None = None
    at: datetime | None = None  # as of when this is known; None: not said


class Mark(msgspec.Struct, frozen=True):
    """What a person says of a suspect."""

    change: str
    verdict: Literal["cleared", "confirmed"]
    by: str
    at: datetime
    why: str = ""


class Known(msgspec.Struct, frozen=True):
    """What earlier incidents taught: how often changes of a kind to an entity were the cause."""

    kind: Kind
    entity: str
    confirmed: int
    cleared: int


class Reason(msgspec.Struct, frozen=True):
    """Something that speaks for or against a suspect."""

    feature: str  # "nearness", "graph", …
    weight: float  # added to its score; negative: speaks against it
    words: str  # "5 min before the first failure (02:56)"

    @property
    def against(self) -> bool:
        """Whether it speaks against it; a doubt does, though it weighs nothing."""
        return self.weight <= 0


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """A change, how much it is suspected, and why."""

    change: Change
    score: float
    word: Literal["Likely", "Possible", "Unlikely"]
    reasons: tuple[Reason, ...]  # for it first
    mark: Mark | None = None
