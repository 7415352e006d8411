"""What a browser tells of the pages that it shows: requests, vitals, complaints."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pilothouse.agent.journeys import parties
from pilothouse.agent.journeys.model import LONGEST_ERROR, LONGEST_URL, MOST_ERRORS, MOST_REQUESTS
from pilothouse.checks.model.results import Browsed, Request

_OBSERVER = Path(__file__).with_name("observe.js").read_text()
_ADDRESS = re.compile(r"https?://[^\s\"'<>)]+")
_LONG_TASK = 50.0  # ms: what a task may take before it blocks (W3C, Long Tasks)
_MOST_SCRIPTS = 500
_MOST_DOMAINS = 100


@dataclass(slots=True)
class Line:
    """One request, while it is under way and after."""

    url: str
    method: str
    kind: str
    begun: float
    ended: float | None = None
    status: int = 0
    size: int = 0
    asked: Mapping[str, str] = field(default_factory=dict)
    answered: Mapping[str, str] = field(default_factory=dict)
    failure: str = ""


@dataclass  # without slots: Playwright remembers at the object which of its methods it calls
class Watch:
    """Collects while pages are walked; `browsed` says what there was."""

    start: float = field(default_factory=time.monotonic)
    begun: float = field(default_factory=time.time)  # the same instant by the browser's clock
    lines: dict[int, Line] = field(default_factory=dict)
    beyond: int = 0  # requests that are not kept
    first: str = ""  # the first page's address
    status: int = 0  # of the first page
    latest: int = 0  # of the latest
    crashed: bool = False
    errors: list[str] = field(default_factory=list)
    lcp: float | None = None
    cls: float | None = None
    tasks: float = 0.0
    scripts: dict[str, float] = field(default_factory=dict)  # by address: ms
    axe: dict[str, int] = field(default_factory=dict)
    _asking: set[asyncio.Task[None]] = field(default_factory=set)
    _kept: list[Any] = field(default_factory=list)

    async def join(self, context: Any, name: str) -> None:
        """Watch all pages of this browser context. `name`: of our function in the pages."""
        await context.expose_binding(name, lambda _, said: self._told(said))
        script = _OBSERVER.replace("globalThis.REPORT", f"globalThis.{name}")
        await context.add_init_script(script)
        context.on("request", self._began)
        context.on("response", self._answered)
        context.on("requestfinished", self._finished)
        context.on("requestfailed", self._failed)
        context.on("console", self._said)
        context.on("weberror", lambda error: self._complain(f"{error.error}"))
        context.on("page", lambda page: page.on("crash", self._crash))

    def now(self) -> float:
        """Milliseconds since the walk began."""
        return (time.monotonic() - self.start) * 1000

    async def settle(self) -> None:
        """Wait a moment for the sizes of what came."""
        if self._asking:
            await asyncio.wait(self._asking, timeout=0.3)

    def browsed(self) -> Browsed:
        """What was seen until now."""
        now, own = self.now(), parties.domain(self.first)
        requests = []
        spans: dict[str, list[tuple[float, float]]] = {}
        for line in self.lines.values():
            whose = parties.domain(line.url)
            ended = now if line.ended is None else line.ended
            if whose != own:
                spans.setdefault(whose, []).append((line.begun, ended))
            requests.append(
                Request(
                    url=parties.bare(line.url, LONGEST_URL),
                    start=round(line.begun, 1),
                    ms=round(ended - line.begun, 1),
                    status=line.status,
                    size=line.size,
                    kind=line.kind,
                    third=whose != own,
                )
            )
        hosts = {whose: round(parties.busy(spans[whose]), 1) for whose in sorted(spans)}
        foreign = (ms for url, ms in self.scripts.items() if parties.domain(url) not in {own, ""})
        return Browsed(
            requests=tuple(requests),
            lcp=self.lcp,
            cls=None if self.cls is None else round(self.cls, 4),
            tbt=round(self.tasks, 1) if self.first else None,
            third_party_blocking=round(sum(foreign), 1) if self.first else None,
            third_party=dict(list(hosts.items())[:_MOST_DOMAINS]),
            console_errors=tuple(self.errors),
            axe=self.axe,
        )

    def _began(self, request: Any) -> None:
        if not request.url.startswith(("http://", "https://", "ws://", "wss://")):
            return
        if not self.first and request.is_navigation_request():
            self.first = request.url
            self.cls = 0.0
        if len(self.lines) >= MOST_REQUESTS:
            self.beyond += 1
            return
        self.lines[id(request)] = Line(
            request.url, request.method, request.resource_type, self.now(), asked=request.headers
        )
        # The line is found again by the request, which must live as long.
        self._kept.append(request)

    def _answered(self, response: Any) -> None:
        line = self.lines.get(id(response.request))
        if line is not None:
            line.status, line.answered = response.status, response.headers
        redirects = 300 <= response.status < 400  # noqa: PLR2004
        if response.request.is_navigation_request() and not redirects:
            self.latest = response.status
            self.status = self.status or response.status

    def _finished(self, request: Any) -> None:
        line = self.lines.get(id(request))
        if line is not None:
            line.begun, line.ended = self._span(request.timing, line.begun)
            task = asyncio.ensure_future(self._measure(request, line))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    def _span(self, timing: Any, begun: float) -> tuple[float, float]:
        """Begin and end by the browser's own clock; what we hear of it comes a little later."""
        start, took = timing["startTime"], timing["responseEnd"]
        if start > 0 and took >= 0:
            begun = max(0.0, start - self.begun * 1000)
            return begun, begun + took
        return begun, self.now()

    async def _measure(self, request: Any, line: Line) -> None:
        with suppress(Exception):  # the page is gone: the size stays unknown
            sizes = await request.sizes()
            line.size = max(0, sizes["responseBodySize"]) + max(0, sizes["responseHeadersSize"])

    def _failed(self, request: Any) -> None:
        line = self.lines.get(id(request))
        if line is not None:
            line.ended, line.failure = self.now(), request.failure or "failed"

    def _said(self, message: Any) -> None:
        if message.type == "error":
            self._complain(message.text)

    def _complain(self, text: str) -> None:
        if len(self.errors) < MOST_ERRORS:
            bare = _ADDRESS.sub(lambda found: parties.bare(found[0]), text[: 4 * LONGEST_ERROR])
            self.errors.append(bare[:LONGEST_ERROR])

    def _crash(self, _: Any) -> None:
        self.crashed = True

    def _told(self, said: Any) -> None:
        """What observe.js reports. The page can call it too, so it is taken with care."""
        with suppress(TypeError, ValueError, KeyError):
            kind, value = json.loads(str(said)[:5000])
            if kind == "lcp":
                self.lcp = max(self.lcp or 0.0, _measure_of(value))
            elif kind == "cls":
                self.cls = max(self.cls or 0.0, _measure_of(value))
            elif kind == "task":
                self.tasks += max(0.0, _measure_of(value) - _LONG_TASK)
            elif kind == "script" and (value[0] in self.scripts or self._room()):
                url = str(value[0])
                self.scripts[url] = self.scripts.get(url, 0.0) + _measure_of(value[1])

    def _room(self) -> bool:
        return len(self.scripts) < _MOST_SCRIPTS


def _measure_of(value: Any) -> float:
    """A measure that a page can have: not negative, at most an hour."""
    number = float(value)
    if not 0.0 <= number <= 3_600_000.0:  # noqa: PLR2004  NaN is neither
        raise ValueError
    return round(number, 4)
