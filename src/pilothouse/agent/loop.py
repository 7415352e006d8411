"""The agent's life: plan, turns, visits, results to the server, visits that are asked for."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog

from pilothouse.agent import addresses, references
from pilothouse.agent.client import (
    FORBIDDEN,
    NOT_FOUND,
    TOO_LARGE,
    UNAUTHORIZED,
    Away,
    Refused,
    Server,
)
from pilothouse.agent.spool import Spool
from pilothouse.agent.turns import Turns, next_turn
from pilothouse.agent.visiting import Visitor
from pilothouse.checks.model.plans import Plan, Planned
from pilothouse.checks.model.results import Outcome
from pilothouse.kernel import clock, durations
from pilothouse.kernel.errors import Invalid

log = structlog.get_logger("pilothouse.agent")

MOST_AT_ONCE = 1000  # visits
MOST_SENT = 500  # results in one request
MOST_BYTES = 700_000  # of them
LINGER = 0.2  # seconds that results wait for others, while nothing is wrong
SILENT = 15.0  # seconds after which it says that it is there, with nothing to tell
PLAN_EVERY = 30.0
REFERENCES_EVERY = 30.0
FIRST_RETRY, LAST_RETRY = 0.5, 30.0
SPREAD = 0.02  # seconds between the first visits of checks that are new
SOON = 10.0  # seconds in which its turn comes anyway
LONGEST_SLEEP = 1.0  # so that a clock that was set is heeded
ENDING = 3.0  # seconds to hand over what is there, at the end
ANSWERED = 500  # requests that are remembered, for those that are asked twice


@dataclass(slots=True)
class Agent:
    """One agent. `run` ends when `stop` is called."""

    server: Server
    spool: Spool
    visitor: Visitor
    plan: Plan | None = None
    etag: str = ""
    lags: deque[float] = field(default_factory=lambda: deque(maxlen=20_000))  # s, of turns
    _turns: Turns = field(default_factory=Turns)
    _known: dict[str, Planned] = field(default_factory=dict)
    _running: dict[tuple[str, int], asyncio.Task[None]] = field(default_factory=dict)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE))
    _news: asyncio.Event = field(default_factory=asyncio.Event)  # something is to be sent
    _hurry: asyncio.Event = field(default_factory=asyncio.Event)  # and somebody waits for it
    _other_plan: asyncio.Event = field(default_factory=asyncio.Event)
    _laid_out: asyncio.Event = field(default_factory=asyncio.Event)
    _unreached: tuple[str, ...] = ()
    _answered: deque[int] = field(default_factory=lambda: deque(maxlen=ANSWERED))
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        """End soon."""
        self._stopped.set()

    async def run(self) -> None:
        """Live until stopped. Raises what one of its parts was ended by."""
        self._take_up()
        parts = [
            asyncio.create_task(part, name=name)
            for name, part in (
                ("plan", self._follow_the_plan()),
                ("turns", self._take_turns()),
                ("results", self._send()),
                ("wanted", self._heed()),
                ("references", self._look_around()),
            )
        ]
        stopped = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait([stopped, *parts], return_when=asyncio.FIRST_COMPLETED)
        finally:
            tasks = [stopped, *parts, *self._running.values()]
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            await self._hand_over()
        for end in ended[1 : len(parts) + 1]:
            if isinstance(end, Exception):
                raise end

    # The plan.

    @property
    def _kept_plan(self) -> Path:
        return self.spool.folder / "plan.json"

    def _take_up(self) -> None:
        """Begin with the plan of an earlier run: the server may be away."""
        try:
            self._adopt(msgspec.json.decode(self._kept_plan.read_bytes(), type=Plan), known=True)
        except (OSError, msgspec.DecodeError):
            return

    async def _follow_the_plan(self) -> None:
        retry = _Retry()
        while True:
            try:
                plan, etag, raw = await self.server.plan(self.etag)
                if plan is not None:
                    self.etag = etag
                    self._adopt(plan)
                    await asyncio.to_thread(_write, self._kept_plan, raw)
                self.visitor.secrets.refresh()
                pause = retry.fine("plan") or PLAN_EVERY
            except (Away, Refused, Invalid) as error:
                pause = retry.failed("plan", error)
            self._other_plan.clear()
            await _wait(self._other_plan, pause * random.uniform(0.9, 1.1))  # noqa: S311  a pause

    def _adopt(self, plan: Plan, *, known: bool = False) -> None:
        before = {planned.check: planned.version for planned in self._known.values()}
        if self.plan is None or self.plan.private_targets != plan.private_targets:
            self.visitor.allowed = addresses.judge(plan.private_targets)
        self.plan = plan
        self._known = {planned.check: planned for planned in plan.checks}
        self.visitor.keep(set(self._known))
        mine = [planned for planned in plan.checks if planned.mine]
        self._turns.lay_out(mine, clock.seconds())
        self._laid_out.set()
        new = [one for one in mine if before.get(one.check) != one.version]
        log.info("agent.plan", checks=len(mine), new=len(new))
        if not known:
            self._begin_soon(new)

    def _begin_soon(self, new: list[Planned]) -> None:
        """A first visit of checks whose turn is far: who has just written one would see it."""
        loop, now = asyncio.get_running_loop(), clock.seconds()
        for number, planned in enumerate(new):
            every = durations.parse(planned.spec.every).total_seconds()
            if next_turn(every, planned.offset, now) - now > SOON:
                loop.call_later(number * SPREAD, self._begin, planned, 0)

    # Turns and visits.

    async def _take_turns(self) -> None:
        while True:
            pause = self._turns.until_next(clock.seconds())
            if pause > 0:
                self._laid_out.clear()
                await _wait(self._laid_out, min(pause, LONGEST_SLEEP))
            now = clock.seconds()
            for at, planned in self._turns.take(now):
                self.lags.append(now - at)
                self._begin(planned, 0)

    def _begin(self, planned: Planned, asked: int) -> None:
        """Visit, unless the last visit for the same reason is still under way."""
        key = (planned.check, asked)
        if key in self._running:
            log.warning("agent.turn_passed", check=planned.check, why="the last one has not ended")
            return
        task = asyncio.get_running_loop().create_task(self._visit(planned, asked))
        self._running[key] = task
        task.add_done_callback(lambda _: self._running.pop(key, None))

    async def _visit(self, planned: Planned, asked: int) -> None:
        async with self._room:
            result, evidence = await self.visitor.visit(planned, asked)
        self.spool.add(result)
        if evidence:
            self.spool.add_evidence(result.id, evidence)
        self._news.set()
        if asked or result.outcome is not Outcome.OK:
            self._hurry.set()

    # Results.

    async def _send(self) -> None:
        retry = _Retry()
        while True:
            await _wait(self._news, 0.0 if self.spool.waiting else SILENT)
            if not self._hurry.is_set() and self.spool.waiting < MOST_SENT:
                await _wait(self._hurry, LINGER)
            self._news.clear()
            self._hurry.clear()
            try:
                await self._send_some()
                retry.fine("results")
            except (Away, Refused) as error:
                await asyncio.sleep(retry.failed("results", error))

    async def _send_some(self, most: int = MOST_SENT) -> None:
        """One batch, the oldest first. Raises Away or Refused, and keeps them then."""
        peeked = self.spool.peek(most, MOST_BYTES)
        lines = peeked.lines
        waiting = self.spool.waiting - len(lines)
        try:
            taken = await self.server.post(lines, waiting, self._unreached)
        except Refused as error:
            if error.status not in (400, TOO_LARGE, 422) or not lines:
                raise
            if len(lines) > 1:  # one of them it is: the others must get through
                await self._send_some(max(1, len(lines) // 2))
                return
            log.error("agent.result_refused", error=str(error))  # noqa: TRY400  no trace is needed
            self.spool.done(peeked)
            return
        for number, why in taken.refused:
            log.error("agent.result_refused", result=number, error=why)
        self.spool.done(peeked)
        if not self.spool.waiting:
            await self._send_evidence()

    async def _send_evidence(self) -> None:
        for file in self.spool.evidence():
            try:
                await self.server.put_evidence(file)
            except Refused as error:
                if error.status != NOT_FOUND:
                    log.warning("agent.evidence_refused", file=file.name, error=str(error))
            except OSError:
                pass  # it made room for others meanwhile
            self.spool.sent(file)

    async def _hand_over(self) -> None:
        """What is there, at the end; what does not get through stays on disk."""
        try:
            async with asyncio.timeout(ENDING):
                while self.spool.waiting:
                    await self._send_some()
        except (Away, Refused, TimeoutError):
            log.info("agent.kept", results=self.spool.waiting)

    # What is asked for out of turn.

    async def _heed(self) -> None:
        retry = _Retry()
        while True:
            try:
                asked = await self.server.wanted(self.etag)
                retry.fine("wanted")
            except (Away, Refused) as error:
                await asyncio.sleep(retry.failed("wanted", error))
                continue
            if asked.plan and asked.plan != self.etag:
                self._other_plan.set()
            for wanted in asked.wanted:
                planned = self._known.get(wanted.check)
                if planned is not None and wanted.id not in self._answered:
                    self._answered.append(wanted.id)
                    self._begin(planned, wanted.id)
            if not asked.wanted:
                await asyncio.sleep(0.05)  # a server that does not wait must not be besieged

    async def _look_around(self) -> None:
        while True:
            if self.plan is not None:
                found = await references.failed(self.plan.references, self.visitor.allowed)
                if found != self._unreached:
                    self._unreached = found
                    self._news.set()
                    self._hurry.set()
            await asyncio.sleep(REFERENCES_EVERY if self.plan is not None else LONGEST_SLEEP)


@dataclass(slots=True)
class _Retry:
    """Longer and longer pauses, with chance in them; said once, not each time."""

    times: int = 0

    def fine(self, what: str) -> float:
        if self.times:
            log.info("agent.server_back", what=what)
        self.times = 0
        return 0.0

    def failed(self, what: str, error: Exception) -> float:
        if not self.times:
            todo = refusal(error)
            if todo:
                log.error("agent.refused", what=what, error=str(error), todo=todo)
            else:
                log.warning("agent.server_away", what=what, error=str(error))
        pause = min(FIRST_RETRY * 2**self.times, LAST_RETRY)
        self.times = min(self.times + 1, 10)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311  a pause


def refusal(error: Exception) -> str:
    """What is to be done by a person where the server does not let this agent in; "" else."""
    if not isinstance(error, Refused) or error.status not in (UNAUTHORIZED, FORBIDDEN):
        return ""
    return (
        "make a token where the portal runs (pilothouse token create NAME --scope agent "
        "--location LOCATION) and start this agent with it; results wait on disk until then"
    )


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Until the event, or so long."""
    if event.is_set() or seconds <= 0:
        return
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _write(path: Path, data: bytes) -> None:
    """A file that is whole or not there."""
    beside = path.with_suffix(".new")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except OSError as error:
        log.warning("agent.plan_not_kept", error=str(error))
