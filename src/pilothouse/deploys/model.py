"""The nouns of deployments."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

RELEASE = "release"  # the "environment" of what was published, and deployed nowhere by that


class Status(StrEnum):
    """How a deployment stands."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"  # it ran, and was taken back
    INACTIVE = "inactive"  # it ran, and its environment was taken down or another replaced it


GOING_ON = frozenset({Status.QUEUED, Status.IN_PROGRESS})
WRONG = frozenset({Status.FAILED, Status.ROLLED_BACK})
WENT_LIVE = frozenset({Status.SUCCEEDED, Status.ROLLED_BACK, Status.INACTIVE})
ENDED = WENT_LIVE | {Status.FAILED}


class Change(msgspec.Struct, frozen=True):
    """A commit."""

    id: str
    author: str
    at: datetime
    subject: str = ""


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one entity brought to one environment."""

    id: int
    key: str  # unique; what its sender calls it, and the entity
    entity: str  # a ref
    environment: str
    production: bool
    version: str
    commit: str
    status: Status
    started_at: datetime
    finished_at: datetime | None = None  # when it went live, or failed
    changed_at: datetime  # of the last word about it: words that were said before change nothing
    by: str = ""
    url: str = ""
    source: str = ""  # "github", "gitlab", "cloudevents", "cdevents"
    repository: str = ""
    previous: int | None = None  # the deployment that ran there before
    previous_version: str = ""
    previous_commit: str = ""
    rollback: bool = False  # it brought back what had run before
    commit_at: datetime | None = None
    commits: int | None = None  # since what ran before; None where that is not known
    lead_s: int | None = None  # seconds from commit to live
    recovered_at: datetime | None = None  # when the next one went live; of one that went wrong
    week: str | None = None  # Monday of the ISO week it ended in; only of production


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """What runs of an entity in an environment, and what was tried there last."""

    entity: str
    environment: str
    production: bool
    live: int | None = None  # the deployment that runs; None: nothing does
    version: str = ""
    commit: str = ""
    since: datetime | None = None
    by: str = ""
    commits: int | None = None
    before: int | None = None  # what ran before that
    before_version: str = ""
    before_commit: str = ""
    latest: int  # the newest deployment, whatever became of it
    latest_version: str
    latest_status: Status
    latest_at: datetime
    broken: int = 0  # deployments that went wrong and after which none went live yet


class Hints(msgspec.Struct, frozen=True):
    """What a message says about which of a repository's entities it means."""

    named: tuple[str, ...] = ()  # refs or names that it gives expressly
    words: tuple[str, ...] = ()  # environment, task: a name may be part of them
    paths: tuple[str, ...] = ()  # files that changed


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says about a deployment, before it is known of which entities."""

    key: str  # what the sender calls the deployment
    environment: str
    version: str
    status: Status
    at: datetime  # of this status
    commit: str = ""
    started_at: datetime | None = None
    by: str = ""
    url: str = ""
    source: str
    host: str = ""  # "github.com", "gitlab.com": whose annotation names the repository
    repository: str = ""
    hints: Hints = Hints()
    production: bool | None = None  # None: to be told from the environment's name
    rollback: bool = False
    unless_known: bool = False  # says nothing new where the commit's deployment is known already
    joins: bool = False  # may be a further word about what goes on, or runs, there
    transient: bool = False
    commit_at: datetime | None = None


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """A commit that a message told of."""

    host: str
    repository: str
    change: Change
    paths: tuple[str, ...] = ()


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """All that a message tells; `why` says in words what becomes of it when that is nothing."""

    reports: tuple[Report, ...] = ()
    commits: tuple[Pushed, ...] = ()
    sync: bool = False  # files of the repository may have changed
    host: str = ""
    repository: str = ""
    addresses: tuple[str, ...] = ()  # of the repository, where it really is: pages, git
    why: str = ""


class State(StrEnum):
    """What became of a delivery."""

    WAITING = "waiting"  # stored, not looked at yet
    TAKEN = "taken"
    IGNORED = "ignored"
    UNMATCHED = "unmatched"  # no entity says that it is of this repository
    UNREADABLE = "unreadable"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it came in."""

    id: int
    sender: str  # "github", "gitlab", "cloudevents"
    delivery_id: str  # the sender's; a second one with it is a replay
    type: str
    received_at: datetime
    state: State
    why: str = ""
    repository: str = ""
    body: str = ""
    signed: bool = False


class Happened(msgspec.Struct, frozen=True):
    """What is told to others: "started", "finished", "failed", "rolled_back", and of which."""

    what: str
    key: str


class Placed(msgspec.Struct, frozen=True):
    """An entity of a repository and where it lies in it."""

    ref: str
    name: str
    folder: str  # "" for the whole repository
    origin: str = ""  # spec of the source that its file is in


class Week(msgspec.Struct, frozen=True):
    """The production deployments of one entity in one week, counted."""

    entity: str
    week: str  # its Monday: "2026-11-23"
    deployments: int  # that went live
    ended: int  # … and those that failed
    wrong: int
    leads: tuple[int, ...]  # seconds
    recoveries: tuple[int, ...]  # seconds
