"""The real program as a process, and requests to it timed one by one."""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.programs import clean_environment
from tests.servers import LOOPBACK, answers, dies_with_us, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

TICKS = os.sysconf("SC_CLK_TCK")
WARM_UP, REQUESTS, ROUNDS = 30, 300, 3
PATIENCE = 300.0  # seconds until a state that is waited for counts as never reached
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Timing:
    """Many requests of one sort; each figure is the median of that of several rounds."""

    p50_ms: float
    p95_ms: float
    cpu_ms: float  # of the program, a request
    kilobytes: float  # of the last answer

    @property
    def note(self) -> str:
        return f"p50 {self.p50_ms:.1f}, {self.cpu_ms:.1f} CPU ms, {self.kilobytes:.0f} kB"


class Client:
    """One kept connection."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection(LOOPBACK, port, timeout=60)

    def get(self, path: str) -> tuple[int, bytes]:
        try:
            self.connection.request("GET", path)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise

    def json(self, path: str) -> Any:
        status, body = self.get(path)
        if status != http.client.OK:
            raise RuntimeError(f"{path} answered {status}: {body[:300]!r}")
        return json.loads(body)


@dataclass(slots=True)
class Served:
    """`pilothouse up`, running."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    started: float = field(default_factory=time.perf_counter)

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.perf_counter() - self.started

    def cpu(self) -> float:
        """Seconds of processor time used so far."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / TICKS

    def memory(self) -> float:
        """Resident megabytes (10^6 bytes)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024 / 1e6

    def client(self) -> Client:
        """A connection, once somebody listens."""
        self.wait(lambda: answers(self.port), "listen")
        return Client(self.port)

    def wait(self, true: Callable[[], Any], what: str, every: float = 0.01) -> float:
        """Seconds until it is true. Raises RuntimeError when it never is."""
        began = time.perf_counter()
        while not _is(true):
            if time.perf_counter() - began > PATIENCE or self.process.poll() is not None:
                raise RuntimeError(f"does not {what}:\n{self.log.read_text()[-3000:]}")
            time.sleep(every)
        return time.perf_counter() - began

    def total(self, client: Client) -> int:
        """How many entities are in the catalog."""
        return client.json("/api/catalog/entities/by-query?limit=0")["totalItems"]

    def timing(self, paths: Sequence[str]) -> Timing:
        """Ask for these paths in turn."""
        client, turn = self.client(), cycle(paths)
        for _ in range(WARM_UP):
            client.get(next(turn))
        rounds = [self._round(client, turn) for _ in range(ROUNDS)]
        middle = [statistics.median(values) for values in zip(*rounds, strict=True)]
        return Timing(*middle)

    def _round(self, client: Client, turn: Iterator[str]) -> tuple[float, float, float, float]:
        took, cpu, size = [], self.cpu(), 0
        for _ in range(REQUESTS):
            path = next(turn)
            began = time.perf_counter()
            status, body = client.get(path)
            took.append((time.perf_counter() - began) * 1000)
            size = len(body)
            if status != http.client.OK:
                raise RuntimeError(f"{path} answered {status}: {body[:300]!r}")
        used = (self.cpu() - cpu) * 1000 / REQUESTS
        return statistics.median(took), percentile(took, 95), used, size / 1000


def _is(true: Callable[[], Any]) -> bool:
    with suppress(OSError, http.client.HTTPException):
        return bool(true())
    return False


def percentile(values: Sequence[float], share: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]


@contextmanager
def serving(
    sources: Sequence[Path],
    data: Path,
    database: str | None,
    env: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    """The program with these sources, ended afterwards; `env` are more settings of it."""
    port = free_port()
    named = {"PILOTHOUSE_DATABASE_URL": database} if database else {}
    command = [sys.executable, "-m", "pilothouse.cli", "up", *map(str, sources)]
    command += ["--data", str(data), "--port", str(port)]
    data.mkdir(parents=True, exist_ok=True)
    log = data / "program.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            dies_with_us(*command),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=data,
            env=clean_environment() | {"PYTHONPATH": str(ROOT / "src")} | named | dict(env or {}),
        )
    try:
        yield Served(process, port, log)
    finally:
        process.terminate()
        process.wait(timeout=30)


class Pulse(threading.Thread):
    """Asks for one path over and over; what it waits longest is how long the program stalled."""

    def __init__(self, port: int, path: str, pause: float) -> None:
        super().__init__(daemon=True)
        self.port, self.path, self.pause = port, path, pause
        self.took: list[float] = []
        self._stop_now = threading.Event()

    def run(self) -> None:
        client = Client(self.port)
        while not self._stop_now.wait(self.pause):
            began = time.perf_counter()
            client.get(self.path)
            self.took.append((time.perf_counter() - began) * 1000)

    def end(self) -> list[float]:
        """Milliseconds that each request took."""
        self._stop_now.set()
        self.join()
        return self.took
