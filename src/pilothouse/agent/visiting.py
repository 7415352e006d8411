"""A visit from its plan to its result: secrets filled in, the probe, the assertions, the words."""

from __future__ import annotations

import asyncio
import secrets as chance
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from typing import Any

import structlog

from pilothouse.agent import certificates, probes
from pilothouse.agent.exchange import ALPN
from pilothouse.agent.secrets import Missing, Redactor, Secrets
from pilothouse.agent.seen import Probe, Seen, Visit
from pilothouse.checks.model.documents import CheckSpec
from pilothouse.checks.model.plans import Planned
from pilothouse.checks.model.results import LONGEST_SAMPLE, Assertion, Outcome, Result
from pilothouse.checks.rules import assertions
from pilothouse.checks.rules.assertions import Judged, Prepared
from pilothouse.checks.rules.expressions import Wrong
from pilothouse.kernel import clock, durations

log = structlog.get_logger("pilothouse.agent")

GRACE = 2.0  # seconds after its time-out at which a probe that does not end itself is ended
FIRST_BAD = 400
LONGEST_REASON = 500
TOLD = 2  # assertions that a reason names


@dataclass(frozen=True, slots=True)
class Ready:
    """A check that can be visited again and again."""

    spec: CheckSpec
    probe: Probe
    prepared: Prepared
    redact: Redactor
    seconds: float


class Unable(Exception):
    """Why a check cannot be visited by this agent: letters for a cell, and words."""

    def __init__(self, fault: str, reason: str) -> None:
        super().__init__(reason)
        self.fault, self.reason = fault, reason


@dataclass(slots=True)
class Visitor:
    """Makes visits for one location."""

    location: str
    secrets: Secrets
    allowed: Callable[[str, int], bool]
    scripts: bool = False
    _ready: dict[str, tuple[tuple[str, int], Ready]] = field(default_factory=dict)

    def keep(self, checks: set[str]) -> None:
        """Forget what is not in the plan any more."""
        for check in self._ready.keys() - checks:
            del self._ready[check]

    async def visit(self, planned: Planned, asked: int = 0) -> tuple[Result, Mapping[str, bytes]]:
        """Visit once. Whatever happens, there is a result; and the evidence that it names."""
        number = new_id()
        try:
            ready = self._prepare(planned)
        except Unable as error:
            result = Result(
                id=number,
                check=planned.check,
                location=self.location,
                total=0.0,
                outcome=Outcome.UNABLE,
                fault=error.fault,
                reason=error.reason,
                version=planned.version,
                asked=asked,
            )
            return result, {}
        loop = asyncio.get_running_loop()
        until = loop.time() + ready.seconds
        redact = ready.redact.again()
        visit = Visit(planned.check, ready.spec, until, self.allowed, redact, scripts=self.scripts)
        seen = await _guarded(ready, visit, until)
        result = _result(ready, seen, redact, planned, (number, self.location, asked))
        return result, seen.evidence if result.evidence else {}

    def _prepare(self, planned: Planned) -> Ready:
        """What is needed to visit it, kept until it or the secrets change. Raises Unable."""
        stamp = (planned.version, self.secrets.version)
        kept = self._ready.get(planned.check)
        if kept and kept[0] == stamp:
            return kept[1]
        kind = planned.spec.type
        try:
            probe = probes.of_type(kind)
            spec, redact = self.secrets.fill(planned.spec)
            prepared = assertions.prepare(planned.spec)
        except Missing as error:
            raise Unable("secr", str(error)) from error
        except Wrong as error:
            raise Unable("expr", str(error)) from error
        except ImportError as error:
            said = f"this agent has not what a check of type {kind} needs: {error}"
            raise Unable("need", said) from error
        if probe is None:
            raise Unable("type", f"this agent does not know checks of type {kind}: is it older?")
        _warm(spec)
        seconds = durations.parse(spec.timeout).total_seconds()
        ready = Ready(spec, probe, prepared, redact, seconds)
        self._ready[planned.check] = (stamp, ready)
        return ready


def _warm(spec: CheckSpec) -> None:
    """What is imported on first use is imported before a visit, and not measured with it."""
    http = spec.http
    if http is not None and http.url.startswith("https:"):
        certificates.warm(ALPN[http.version], verify=http.verify)
        if http.version != "1.1":
            import_module("pilothouse.agent.http2")
    elif spec.tls is not None:
        certificates.warm((), verify=True)


def new_id() -> int:
    """An id that says when it was made."""
    return (int(clock.seconds() * 1000) << 20) | chance.randbits(20)


async def _guarded(ready: Ready, visit: Visit, until: float) -> Seen:
    """What the probe saw; one that hangs or breaks costs this visit and no other."""
    try:
        async with asyncio.timeout_at(until + GRACE):
            return await ready.probe(visit)
    except TimeoutError:
        return Seen(total=ready.seconds * 1000, fault="time", reason="no end in time")
    except Exception as error:  # noqa: BLE001  a defect of a probe: it must not end the agent
        # Not the trace: it may hold what the spec has of secrets.
        kind = type(error).__name__
        log.error("agent.probe_broke", check=visit.check, error=kind)  # noqa: TRY400
        return Seen(fault="bug", reason=f"the agent's probe broke: {kind}", unable=True)


def _result(
    ready: Ready, seen: Seen, redact: Redactor, planned: Planned, who: tuple[int, str, int]
) -> Result:
    """What is told of a visit; `who` is its id, the location, and the request that it answers."""
    judged = Judged((), ())
    if not seen.fault:
        values = _values(ready.prepared, seen)
        judged = assertions.judge(ready.prepared, values, redact.beginning)
    outcome, fault, reason = _meaning(seen, judged)
    sample = _sample(seen, redact) if outcome is Outcome.FAILED else ""
    return Result(
        id=who[0],
        asked=who[2],
        check=planned.check,
        location=who[1],
        total=round(seen.total, 3),
        outcome=outcome,
        fault=fault[:4],
        reason=redact.beginning(_clean(reason), LONGEST_REASON),
        phases={name: round(ms, 3) for name, ms in seen.phases.items()},
        address=seen.address,
        protocol=seen.protocol,
        status=seen.status,
        size=seen.size,
        assertions=_redacted((*judged.expect, *judged.prefer), redact),
        certificate=seen.certificate,
        sample=sample,
        steps=seen.steps,
        browsed=seen.browsed,
        evidence=tuple(seen.evidence) if outcome is Outcome.FAILED else (),
        version=planned.version,
        values=seen.measured,
    )


def _values(prepared: Prepared, seen: Seen) -> Mapping[str, Any]:
    values = seen.values
    if "timing" in prepared.names:
        values["timing"] = {
            "total": timedelta(milliseconds=seen.total),
            **{name: timedelta(milliseconds=ms) for name, ms in seen.phases.items()},
        }
    if seen.address:
        values.setdefault("address", seen.address)
    if seen.protocol:
        values.setdefault("protocol", seen.protocol)
    return values


def _meaning(seen: Seen, judged: Judged) -> tuple[Outcome, str, str]:
    """What became of it: the outcome, letters for a cell, a sentence."""
    if seen.unable:
        return Outcome.UNABLE, seen.fault or "able", seen.reason
    if seen.fault:
        return Outcome.FAILED, seen.fault, seen.reason
    if judged.failed:
        fault = str(seen.status) if seen.status >= FIRST_BAD else "fail"
        return Outcome.FAILED, fault, _sentence(judged.failed)
    if judged.degraded or seen.degraded:
        parts = [_sentence(judged.degraded)] if judged.degraded else []
        said = "; ".join(parts + ([seen.degraded] if seen.degraded else []))
        return Outcome.DEGRADED, "slow" if _about_time(judged) else "poor", said
    return Outcome.OK, "", ""


def _about_time(judged: Judged) -> bool:
    return any("timing" in item.expression for item in judged.degraded)


def _sentence(missed: tuple[Assertion, ...]) -> str:
    said = [f"{item.expression} does not hold: {item.why}" for item in missed[:TOLD]]
    more = len(missed) - TOLD
    return "; ".join(said) + (f"; and {more} more" if more > 0 else "")


def _redacted(found: tuple[Assertion, ...], redact: Redactor) -> tuple[Assertion, ...]:
    return tuple(Assertion(one.expression, one.held, redact(_clean(one.why))) for one in found)


def _sample(seen: Seen, redact: Redactor) -> str:
    """The beginning of what was answered."""
    body: Any = seen.sample or seen.values.get("body", b"")
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
    return redact.beginning(_clean(text), LONGEST_SAMPLE)


def _clean(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in text else text
