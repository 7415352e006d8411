"""What every probe is given, and what it brings back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pilothouse.agent.secrets import Redactor
from pilothouse.checks.model.documents import CheckSpec
from pilothouse.checks.model.results import Browsed, Certificate, StepTime


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit to make. `spec` has its secrets filled in already; never log it."""

    check: str
    spec: CheckSpec
    until: float  # the event loop's time at which it is given up
    allowed: Callable[[str, int], bool]  # (IP address, port): may this agent connect to it?
    redact: Redactor = field(default_factory=Redactor)  # takes the secrets out of a text
    scripts: bool = False  # journey scripts may run here: --allow-scripts


@dataclass(slots=True)
class Seen:
    """What one visit saw; `fault` and `reason` where it could not be made to its end.

    `values` are the names that assertions see beside `timing`: `status`, `header`, `body`, `json`,
    `tls`, `answers`, … (docs/checks.md has the table).
    """

    phases: dict[str, float] = field(default_factory=dict)  # ms
    total: float = 0.0  # ms
    values: dict[str, Any] = field(default_factory=dict)
    fault: str = ""  # at most four letters; "" when it came to its end
    reason: str = ""
    unable: bool = False  # it could not look: a forbidden address, no permission, no browser
    degraded: str = ""  # why it is degraded although no assertion says so: a budget
    address: str = ""
    protocol: str = ""
    status: int = 0
    size: int = 0
    certificate: Certificate | None = None
    sample: str = ""
    steps: tuple[StepTime, ...] = ()
    browsed: Browsed | None = None
    evidence: Mapping[str, bytes] = field(default_factory=dict)
    measured: dict[str, Any] = field(default_factory=dict)  # goes into Result.values


Probe = Callable[[Visit], Awaitable[Seen]]
