"""A browser walks a path. What it walks in is a process of its own; see agent/journeys."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from datetime import timedelta
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import msgspec

from pilothouse.agent.journeys import budgets, leading, proxy
from pilothouse.agent.journeys.model import Job
from pilothouse.agent.seen import Seen, Visit
from pilothouse.checks.model.documents import Journey
from pilothouse.checks.model.results import Browsed
from pilothouse.kernel import assets

_AFTER = 3.0  # seconds at most, of the check's time-out, for axe and a screenshot
_turns: WeakKeyDictionary[Any, asyncio.Semaphore] = WeakKeyDictionary()


async def probe(visit: Visit) -> Seen:
    """Walk, at most as many at once as there are processors: they would measure each other."""
    journey = visit.spec.journey or Journey()
    loop = asyncio.get_running_loop()
    left = visit.until - loop.time()
    browser = leading.chromium()
    if journey.code and not visit.scripts:
        return _unable("journey scripts run only at agents started with --allow-scripts")
    if browser is None:
        return _unable("there is no Chromium here: install it (Debian: apt install chromium)")
    if find_spec("playwright") is None or find_spec("publicsuffixlist") is None:
        return _unable("there is no Playwright here: install pilothouse[browser]")
    turn = _turns.setdefault(loop, asyncio.Semaphore(os.cpu_count() or 1))
    try:
        await asyncio.wait_for(turn.acquire(), max(0.0, left / 2))
    except TimeoutError:
        return _unable("too many journeys are walked here at once")
    try:
        return await _walked(visit, journey, browser)
    except (assets.MissingAssetError, OSError) as error:
        return _unable(f"the process that walks could not be started: {error}")
    finally:
        turn.release()


def _unable(reason: str) -> Seen:
    return Seen(unable=True, reason=reason)


async def _walked(visit: Visit, journey: Journey, browser: str) -> Seen:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    left = visit.until - begun
    after = min(_AFTER, left * 0.25)
    user = leading.another_user()
    async with proxy.running(visit.allowed, user) as way_out:
        job = Job(
            journey=journey,
            seconds=max(0.1, left - after),
            after=after * 0.8,
            chromium=browser,
            proxy=f"127.0.0.1:{way_out.port}",
            axe=_axe(visit),
            user=user,
            picture=bool(visit.spec.expect),
        )
        walk = await leading.lead(job, visit.until, visit.redact)
    seen = _seen(walk, visit)
    seen.total = seen.total or round((loop.time() - begun) * 1000, 1)
    if job.axe and walk.walked is not None and not seen.fault and "axe" not in seen.values:
        seen.unable, seen.fault, seen.reason = True, "axe", "axe-core was not done in time"
    if walk.fault == "time" or seen.fault == "time":
        _late(seen, left)
    _refused(seen, way_out.refused)
    return seen


def _late(seen: Seen, left: float) -> None:
    """A browser that takes half of the time to start tells of this machine, not of the pages."""
    start = seen.phases.get("browser", left * 1000)
    if start > left * 500:
        seen.unable = True
        seen.reason = f"this machine is too busy: its browser took {start / 1000:.1f} s to start"


def _refused(seen: Seen, refused: Mapping[str, proxy.Refusal]) -> None:
    """Which of the hosts that the pages asked were not to be had; the browser asks its own, too."""
    asked = {urlsplit(one.url).hostname for one in (seen.browsed or Browsed()).requests}
    found = {host: one for host, one in refused.items() if host in asked}
    if not found:
        return
    seen.measured["refused"] = {host: one.why for host, one in found.items()}
    host, first = next(iter(found.items()))
    if seen.fault and not seen.status:  # not even the first page came
        seen.unable = first.forbidden
        step = next((f"{one.name}: " for one in seen.steps if not one.ok), "")
        seen.reason = f"{step}{host} cannot be reached: {first.why}"


def _axe(visit: Visit) -> str:
    """The file of axe-core, where an assertion names it."""
    if not any("axe" in text for text in (*visit.spec.expect, *visit.spec.prefer)):
        return ""
    return str(assets.STATIC / assets.asset("axe.js").removeprefix(assets.PREFIX))


def _seen(walk: leading.Walk, visit: Visit) -> Seen:
    """What the walk told, with the secrets taken out of every text that a page had a hand in."""
    redact = visit.redact
    steps = tuple(
        msgspec.structs.replace(step, name=redact(step.name), why=redact(step.why))
        for step in walk.steps
    )
    seen = Seen(steps=steps, unable=walk.unable)
    if walk.started is not None:
        seen.phases["browser"] = walk.started
    seen.measured["memory_mib"] = walk.memory // 1_048_576
    walked = walk.walked
    if walked is None:
        seen.fault, seen.reason = walk.fault, redact(walk.reason)
        return seen
    browsed = _redacted(walked.browsed, redact)
    seen.fault, seen.reason = walked.fault, redact(walked.reason)
    seen.total, seen.status, seen.browsed = walked.ms, walked.status, browsed
    seen.phases["walk"] = walked.ms
    seen.address = redact(walked.address)
    seen.size = sum(request.size for request in browsed.requests)
    seen.values = _values(browsed, seen)
    if not seen.fault and visit.spec.journey is not None:
        seen.degraded = budgets.over(visit.spec.journey.third_party, browsed)
    evidence = {"screenshot.png": walked.screenshot, "har.json": walked.har}
    evidence["har.json"] = redact(walked.har.decode()).encode()
    seen.evidence = {name: content for name, content in evidence.items() if content}
    return seen


def _redacted(browsed: Browsed, redact: Any) -> Browsed:
    return msgspec.structs.replace(
        browsed,
        requests=tuple(
            msgspec.structs.replace(request, url=redact(request.url))
            for request in browsed.requests
        ),
        console_errors=tuple(redact(text) for text in browsed.console_errors),
    )


def _values(browsed: Browsed, seen: Seen) -> dict[str, Any]:
    """The names that assertions see; what was not measured is absent."""
    found = {
        "status": seen.status,
        "lcp": _length(browsed.lcp),
        "cls": browsed.cls,
        "tbt": _length(browsed.tbt),
        "third_party": {
            "blocking_ms": browsed.third_party_blocking or 0.0,
            "hosts": dict(browsed.third_party),
        },
        "console_errors": list(browsed.console_errors),
        "axe": dict(browsed.axe) or None,
        "steps": {step.name: _length(step.ms) for step in seen.steps},
        "requests": len(browsed.requests),
    }
    return {name: value for name, value in found.items() if value is not None}


def _length(ms: float | None) -> timedelta | None:
    return None if ms is None else timedelta(milliseconds=ms)
