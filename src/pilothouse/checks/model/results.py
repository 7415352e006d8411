"""What a visit saw. Agents write it, the server keeps it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

LONGEST_SAMPLE = 2000  # characters of a body that a failed result carries
MOST_ASSERTIONS = 50


class Outcome(StrEnum):
    """What one visit means by itself; a check's state is the verdict of many."""

    OK = "ok"
    DEGRADED = "degraded"  # a `prefer` is false, or a budget is spent
    FAILED = "failed"  # an `expect` is false, or there was no answer
    UNABLE = "unable"  # the agent could not look: no secret, no browser, an address it must not ask


class Assertion(msgspec.Struct, frozen=True, array_like=True):
    """One expression and what became of it."""

    expression: str
    held: bool
    why: str = ""  # what the names in it were, or which key was absent


class Certificate(msgspec.Struct, frozen=True, omit_defaults=True):
    """The leaf that a server showed."""

    subject: str
    issuer: str
    expires_at: str  # RFC 3339, UTC
    names: tuple[str, ...] = ()
    version: str = ""  # of TLS: "TLSv1.3"


class StepTime(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of a journey or of a sign-in."""

    name: str
    ms: float
    ok: bool = True
    why: str = ""


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a journey's waterfall."""

    url: str  # without its query string
    start: float  # ms after the journey's begin
    ms: float
    status: int = 0  # 0: none came
    size: int = 0  # bytes over the wire
    kind: str = ""  # document, script, image, …
    third: bool = False  # of another registrable domain than the first page


class Browsed(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a browser measured."""

    requests: tuple[Request, ...] = ()
    lcp: float | None = None  # ms
    cls: float | None = None
    tbt: float | None = None  # ms
    third_party_blocking: float | None = None  # ms
    third_party: dict[str, float] = {}  # by registrable domain: ms of its requests
    console_errors: tuple[str, ...] = ()
    axe: dict[str, int] = {}  # by impact


class Result(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One visit of one check from one location.

    `id` is its dedup key and says when it began: milliseconds since 1970 times 2**20, plus 20
    random bits. Times are milliseconds.
    """

    id: int
    check: str  # ref: "check:default/checkout-pay"
    location: str  # "eu-west"
    total: float
    outcome: Outcome = Outcome.OK
    fault: str = ""  # at most four letters, for a cell: "503", "TLS", "DNS", "time", "fail"
    reason: str = ""  # a sentence: why it is not ok
    phases: dict[str, float] = {}  # dns, connect, tls, first_byte, body; those that there were
    address: str = ""
    protocol: str = ""  # "HTTP/2"
    status: int = 0
    size: int = 0  # bytes of the answer
    assertions: tuple[Assertion, ...] = ()
    certificate: Certificate | None = None
    sample: str = ""  # of the answer, on failure; secrets redacted
    steps: tuple[StepTime, ...] = ()
    browsed: Browsed | None = None
    evidence: tuple[str, ...] = ()  # names of files that follow: "screenshot.png", "har.json"
    version: str = ""  # of the check's document, as the plan called it
    asked: int = 0  # the request to confirm, or to run now, that it answers; 0: its turn
    values: dict[str, Any] = {}  # what its type measured beside: loss, connections.share, …
