"""Starts the process that walks, listens to it, watches its time and memory, ends all of it."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from pilothouse.agent.journeys import processes
from pilothouse.agent.journeys.model import (
    MOST_MESSAGE,
    Job,
    Message,
    Started,
    Stepped,
    Unable,
    Walked,
)
from pilothouse.checks.model.results import StepTime

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
EVERY = 0.25  # seconds between two looks at the memory
_USERS = (61184, 65519)  # systemd's range of dynamic users: nobody's files
_MOST_STEPS = 300
_MIB = 1024 * 1024
_DECODER = msgspec.json.Decoder(Message)


@dataclass(slots=True)
class Walk:
    """What became of a walk. `walked` is None where it did not tell."""

    started: float | None = None  # ms until the browser was there
    steps: list[StepTime] = field(default_factory=list)
    walked: Walked | None = None
    fault: str = ""
    reason: str = ""
    unable: bool = False
    memory: int = 0  # the most bytes that it was seen to hold

    def hear(self, message: Message) -> bool:
        """Take a message in; whether it was the last."""
        if isinstance(message, Started):
            self.started = message.ms
        elif isinstance(message, Stepped):
            if len(self.steps) < _MOST_STEPS:
                self.steps.append(message.step)
        elif isinstance(message, Walked):
            self.walked = message
        else:
            self.unable, self.reason = True, message.reason
        return isinstance(message, Walked | Unable)


def chromium() -> str | None:
    """The system's browser, or the one that PILOTHOUSE_CHROMIUM names."""
    named = os.environ.get("PILOTHOUSE_CHROMIUM")
    return named or next(filter(None, map(shutil.which, CHROMIUM)), None)


def another_user() -> int | None:
    """As root: a user for one walk only. Else None: it walks as we do."""
    return random.SystemRandom().randint(*_USERS) if os.geteuid() == 0 else None


async def lead(job: Job, until: float, redact: Callable[[str], str]) -> Walk:
    """One walk, over by `until` (of the loop) at the latest, whatever the page does."""
    walk = Walk()
    async with _child(job) as child:
        tasks = {
            asyncio.create_task(_listen(child, walk, redact)),
            asyncio.create_task(_weigh(child.pid, job.journey.memory, walk)),
        }
        left = until - asyncio.get_running_loop().time()
        try:
            done, _ = await asyncio.wait(
                tasks, timeout=max(0.0, left), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if not done:
            walk.fault, walk.reason = "time", "the page hung, and was ended with its browser"
    return walk


async def _listen(
    child: asyncio.subprocess.Process, walk: Walk, redact: Callable[[str], str]
) -> None:
    """Until the last message, or the end of the process that should have sent it."""
    complaints = asyncio.create_task(_last_of(child.stderr))
    try:
        while child.stdout is not None and (line := await child.stdout.readline()):
            if walk.hear(_DECODER.decode(line)):
                return
        said = redact((await complaints).strip())[-200:]
        walk.unable, walk.reason = True, f"the process that walks ended by itself: {said}"
    except (ValueError, msgspec.DecodeError):
        walk.unable, walk.reason = True, "the process that walks said something that nobody knows"
    finally:
        complaints.cancel()


async def _last_of(stream: asyncio.StreamReader | None) -> str:
    """The last of what is complained of, read so that nobody waits for it to be."""
    last = b""
    while stream is not None and (chunk := await stream.read(4096)):
        last = (last + chunk)[-4096:]
    return last.decode(errors="replace")


async def _weigh(pid: int, most: int, walk: Walk) -> None:
    """Look at the memory now and then; over when it is too much."""
    while True:
        await asyncio.sleep(EVERY)
        held = await asyncio.to_thread(_held, pid, most * _MIB)
        walk.memory = max(walk.memory, held)
        if held > most * _MIB:
            walk.fault = "mem"
            walk.reason = f"its processes held {held // _MIB:,} MiB, {most:,} MiB are the limit"
            return


def _held(pid: int, enough: int) -> int:
    return processes.resident(processes.descendants(pid), enough)


@asynccontextmanager
async def _child(job: Job) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process, in a session and a folder of its own, with none of our environment's secrets."""
    home = Path(tempfile.mkdtemp(prefix="pilothouse-journey-"))
    child = None
    processes.adopt()
    try:
        if job.user is not None:
            os.chown(home, job.user, job.user)
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-m",
            "pilothouse.agent.journeys.child",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=home,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "LANG": os.environ.get("LANG", "C.UTF-8"),
                "HOME": str(home),
                "TMPDIR": str(home),
                "PILOTHOUSE_JOURNEY_OF": str(os.getpid()),  # whose it is, to who looks with ps
            },
            start_new_session=True,
            limit=MOST_MESSAGE,
        )
        if child.stdin is not None:
            child.stdin.write(msgspec.json.encode(job))
            child.stdin.close()
        yield child
    finally:
        if child is not None:
            ended = await asyncio.to_thread(processes.kill, child.pid)
            await child.wait()
            await asyncio.to_thread(lambda: processes.bury(ended | processes.orphans(job.user)))
        await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)
