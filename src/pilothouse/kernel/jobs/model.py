"""The nouns of durable work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from pilothouse.kernel.errors import PilothouseError


class LeaseLost(PilothouseError):
    """Another worker took this job over; what this one was about to write is not written."""


class TryLater(PilothouseError):
    """A job that cannot be done yet, and when it is worth another try at the earliest."""

    def __init__(self, words: str, after: timedelta) -> None:
        super().__init__(words)
        self.after = after


class Hopeless(PilothouseError):
    """A job that no other try would do either: it is given up at once."""


class Job(msgspec.Struct, frozen=True):
    """A row of `jobs` as it was claimed."""

    id: int
    kind: str
    key: str | None
    payload: str  # JSON
    due_at: datetime
    attempts: int
    lease_token: str

    def data(self) -> dict[str, Any]:
        return msgspec.json.decode(self.payload)


class JobKind(msgspec.Struct, frozen=True):
    """What to do for jobs of a kind, and how patiently.

    `run` is called outside any transaction with a `Work`; it may end its job together with its
    own writes by `with work.finish() as tx:`. It is called at least once for each job. One that
    takes long looks at `work.stopping` and returns early, by raising, when it is set.
    """

    name: str
    run: Callable[[Any], None]
    lease: timedelta = timedelta(seconds=30)  # renewed while `run` runs
    max_attempts: int = 20  # then the job is a dead letter: visible, kept, not tried again
    judges: bool = False  # it finds problems in files: `lint` and `sync` wait for it
    urgent: bool = False  # begun before what is due with it
    every: timedelta | None = None  # a job of this kind exists always, due again this long after


class DeadLetter(msgspec.Struct, frozen=True):
    """A job that was given up on."""

    id: int
    kind: str
    key: str | None
    payload: str
    attempts: int
    dead_at: datetime
    error: str | None
