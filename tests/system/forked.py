"""`pilothouse ARGUMENTS` in forks of one process that has imported all: a start costs a tenth.

For tests and benchmarks that kill programs again and again. A fork is a process of its own, with
settings, a log and a crash point of its own; it is forked before any thread runs.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.programs import clean_environment
from tests.servers import PATIENCE, dies_with_us, tail, wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

ROOT = Path(__file__).parents[2]
DIES_WITH_ITS_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


@dataclass(slots=True)
class Fork:
    """One of them."""

    pid: int
    log: Path
    code: Path  # where its exit code is written once it ended

    @property
    def running(self) -> bool:
        return not self.code.exists()

    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait(self, seconds: float = PATIENCE) -> int:
        """The exit code once it ended by itself; of a kill the signal, negative."""
        assert wait_until(lambda: not self.running, seconds=seconds), self.complaint("still runs")
        return int(self.code.read_text())

    def kill(self) -> None:
        if self.running:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()

    def complaint(self, what: str) -> str:
        return f"{what}; its log ends:\n{tail(self.log)}"


@dataclass(slots=True)
class Forks:
    """What makes them; at its end all are gone."""

    folder: Path
    env: Mapping[str, str]
    _parent: subprocess.Popen[str] | None = None
    started: list[Fork] = field(default_factory=list)

    def __enter__(self) -> Self:
        paths = f"{ROOT}:{ROOT / 'src'}"
        self._parent = subprocess.Popen(
            dies_with_us(sys.executable, "-m", "tests.system.forked"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env={**clean_environment(), **self.env, "PYTHONPATH": paths},
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._parent is not None
        for one in self.started:
            one.kill()
        self._parent.communicate(timeout=10)

    def __call__(self, *arguments: str, crash_at: str = "") -> Fork:
        """Start one; `crash_at` as in PILOTHOUSE_CRASH_AT."""
        assert self._parent is not None
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        name = str(self.folder / f"fork-{len(self.started)}")
        asked = {"arguments": arguments, "crash_at": crash_at, "name": name}
        self._parent.stdin.write(json.dumps(asked) + "\n")
        self._parent.stdin.flush()
        fork = Fork(int(self._parent.stdout.readline()), Path(f"{name}.log"), Path(f"{name}.code"))
        self.started.append(fork)
        return fork


def _become(arguments: list[str], crash_at: str, name: str) -> None:
    """The child: from here on it is `pilothouse ARGUMENTS`."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIES_WITH_ITS_PARENT, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(f"{name}.log", os.O_WRONLY | os.O_CREAT)
    for stream, to in ((0, os.open(os.devnull, os.O_RDONLY)), (1, log), (2, log)):
        os.dup2(to, stream)
    from pilothouse import cli
    from pilothouse.kernel import faults

    faults.arm(crash_at)
    cli.main(arguments)


def _serve() -> None:
    from pilothouse import app, cli  # noqa: F401

    app.modules()
    import pilothouse.kernel.program
    import pilothouse.oncall.outside.sending  # noqa: F401

    names: dict[int, str] = {}
    early: dict[int, int] = {}

    def note(pid: int, status: int) -> None:
        if pid not in names:  # it ended before its parent knew its number
            early[pid] = status
            return
        path = Path(f"{names.pop(pid)}.code")
        path.with_suffix(".new").write_text(str(os.waitstatus_to_exitcode(status)))
        path.with_suffix(".new").rename(path)

    def reap(*_: object) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            note(pid, status)

    signal.signal(signal.SIGCHLD, reap)
    while line := sys.stdin.readline():
        asked = json.loads(line)
        pid = os.fork()
        if not pid:
            _become(**asked)
            os._exit(0)
        names[pid] = asked["name"]
        if pid in early:
            note(pid, early.pop(pid))
        print(pid, flush=True)  # noqa: T201


if __name__ == "__main__":
    _serve()
