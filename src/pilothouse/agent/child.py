"""The agent that `pilothouse up` has beside it: a process of its own, begun again when it ends.

Drawing pages in the same process would be measured as the latency of others.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from pilothouse.agent.commands import PARENT

log = structlog.get_logger("pilothouse.agent")

LOCAL = "local"  # its location, which is there without a document
FIRST_PAUSE, LAST_PAUSE = 0.5, 30.0  # seconds until it is begun again
RENEWED = 86_400.0  # seconds after which one that is begun again is given another token
STEADY = 60.0  # seconds after which it counts as running
ENDING = 4.0
LOOK = 2.0  # seconds between looks whether it is needed


@dataclass(frozen=True, slots=True)
class Child:
    """How to begin it."""

    server: str
    folder: Path
    token: Callable[[], str]  # makes one
    needed: Callable[[], bool]  # are there checks?
    scripts: bool = False  # may journey scripts run?
    life: float = 30 * 86_400.0  # seconds after which it is begun anew: tokens end

    def keep(self, stop: threading.Event) -> None:
        """Keep it running from when it is needed until `stop`; then it ends too."""
        while not self.needed():
            if stop.wait(LOOK):
                return
        pause, token, made = FIRST_PAUSE, "", 0.0
        while not stop.is_set():
            began = time.monotonic()
            if not token or began - made > RENEWED:
                token, made = self.token(), began
            process = self._begin(token)
            while process.poll() is None and not stop.wait(0.2):
                if time.monotonic() - made > self.life:
                    end(process)
                    token = ""
            if stop.is_set():
                end(process)
                return
            if not token:
                log.info("agent.begun_anew", why="it is given another token")
                continue
            log.warning("agent.ended", code=process.returncode, again_in=pause)
            steady = time.monotonic() - began > STEADY
            pause = FIRST_PAUSE if steady else min(pause * 2, LAST_PAUSE)
            stop.wait(pause)

    def command(self) -> list[str]:
        """What is run; its token is in its environment."""
        command = [sys.executable, "-m", "pilothouse.agent", "agent", "--server", self.server]
        command += ["--location", LOCAL, "--name", "up", "--spool", str(self.folder)]
        command += ["--log-format", _format()]
        return [*command, "--allow-scripts"] if self.scripts else command

    def _begin(self, token: str) -> subprocess.Popen[bytes]:
        # In its environment other users of the machine do not see the token.
        environment = os.environ | {"PILOTHOUSE_TOKEN": token, PARENT: str(os.getpid())}
        return subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, env=environment)  # noqa: S603


def _format() -> str:
    return "console" if sys.stderr.isatty() else "json"


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and end it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=ENDING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
