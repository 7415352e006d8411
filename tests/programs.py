"""The real program as a process: started, awaited, killed, and its log shown when a test fails."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers import LOOPBACK, PATIENCE, dies_with_us, tail, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PILOTHOUSE = (sys.executable, "-m", "pilothouse.cli")


@dataclass(slots=True)
class Program:
    """One running process. Its output, both streams, is in `log`."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for_http(
        self, port: int, path: str = "/", *, status: int = 200, seconds: float = PATIENCE
    ) -> bytes:
        """The body of the first answer with this status."""
        bodies: list[bytes] = []

        def answered() -> bool:
            answer = get(port, path)
            if answer and answer[0] == status:
                bodies.append(answer[1])
            return bool(bodies) or not self.running

        wait_until(answered, seconds=seconds)
        assert bodies, self.complaint(f"no {status} from {path} on port {port} in {seconds} s")
        return bodies[0]

    def wait_for_log(self, text: str, *, seconds: float = PATIENCE) -> str:
        """The first line of the log that has the text."""
        wait_until(lambda: text in self.output() or not self.running, seconds=seconds)
        lines = [line for line in self.output().splitlines() if text in line]
        assert lines, self.complaint(f"no {text!r} in the log in {seconds} s")
        return lines[0]

    def wait(self, *, seconds: float = PATIENCE) -> int:
        """The exit code of a program that ends by itself."""
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # faulthandler writes where each thread is
            self.process.wait()
            raise AssertionError(self.complaint(f"still running after {seconds} s")) from None

    def terminate(self, *, seconds: float = PATIENCE) -> int:
        """SIGTERM, as a supervisor sends it; the exit code."""
        self.process.terminate()
        return self.wait(seconds=seconds)

    def kill(self) -> None:
        """SIGKILL: no chance to clean up."""
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """SIGSTOP: alive and silent, as a machine that swaps or a VM that migrates."""
        self.process.send_signal(signal.SIGSTOP)
        tasks = Path(f"/proc/{self.pid}/task")
        if tasks.exists():  # a thread may go on for a moment
            assert wait_until(lambda: all(map(stopped, tasks.glob("*/stat"))))

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def complaint(self, what: str) -> str:
        state = "running" if self.running else f"ended with {self.process.returncode}"
        return f"{what}; the program is {state}. Its log ends:\n{tail(self.log)}"


@dataclass(slots=True)
class Programs:
    """Starts programs for one test and ends what is left of them after it."""

    folder: Path
    started: list[Program] = field(default_factory=list)

    def __call__(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        command: tuple[str, ...] = PILOTHOUSE,
    ) -> Program:
        """`pilothouse ARGUMENTS`, with no setting of the caller's own but those in `env`."""
        log = self.folder / f"program-{len(self.started)}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                dies_with_us(*command, *arguments),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=cwd or self.folder,
                env={**clean_environment(), **(env or {})},
            )
        program = Program(process, log)
        self.started.append(program)
        return program

    def end(self) -> None:
        for program in self.started:
            if program.running:
                program.kill()


def stopped(stat: Path) -> bool:
    """Whether a thread of Linux is, by proc_pid_stat(5)."""
    return stat.read_text().rpartition(") ")[2].startswith("T")


def started_programs(folder: Path) -> Iterator[Programs]:
    programs = Programs(folder)
    try:
        yield programs
    finally:
        programs.end()


# Of the environment of whoever runs the tests: our own settings, and what would have Python compile
# itself and its libraries anew at each start, which takes longer than all else of a start.
NOT_OURS = ("PILOTHOUSE_", "OTEL_", "PYTHONDONTWRITEBYTECODE")


def clean_environment() -> dict[str, str]:
    """The environment that a program would have whose user set nothing."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(NOT_OURS)}
    return ours | {"PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"}


def get(port: int, path: str) -> tuple[int, bytes] | None:
    """Status and body; nothing when nobody answers yet."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    with closing(connection), suppress(OSError, http.client.HTTPException):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    return None
