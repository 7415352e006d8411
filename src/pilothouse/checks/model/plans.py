"""What agents and the server say to each other (docs/agents.md)."""

from __future__ import annotations

import msgspec

from pilothouse.checks.model.documents import CheckSpec
from pilothouse.checks.model.results import Result


class Planned(msgspec.Struct, frozen=True, omit_defaults=True):
    """A check as one agent is to visit it."""

    check: str  # ref
    version: str  # another document, another version
    spec: CheckSpec
    offset: float  # seconds into each interval (of Unix time) at which it is this location's turn
    mine: bool = True  # False: another agent of this location has its turns; confirm it if asked


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything an agent of a location needs to know; its ETag changes with it."""

    location: str
    region: str
    checks: tuple[Planned, ...]
    private_targets: tuple[str, ...] = ()
    references: tuple[str, ...] = ()


class Posted(msgspec.Struct, frozen=True, omit_defaults=True):
    """A batch of results, and how the agent is."""

    agent: str  # its name: unique at the location, the same after a restart
    location: str
    results: tuple[Result, ...] = ()
    waiting: int = 0  # results that it still holds on disk
    references_failed: tuple[str, ...] = ()  # reference targets that it cannot reach just now
    software: str = ""


class Taken(msgspec.Struct, frozen=True):
    """The answer: every result that is not refused is kept, and need not be sent again."""

    kept: int
    known: int  # were kept before
    refused: tuple[tuple[int, str], ...] = ()  # id and why; sending them again does not help


class Wanted(msgspec.Struct, frozen=True):
    """A visit out of turn: to confirm a first failure, or because a person asked."""

    id: int  # a result that answers it carries it as `asked`
    check: str


class Asked(msgspec.Struct, frozen=True):
    """The answer of the long poll; empty when nothing is wanted."""

    wanted: tuple[Wanted, ...] = ()
    plan: str = ""  # the plan's ETag as it is now
