"""Beacons of real users, and what they cost: `python -m benchmarks.vitals`.

The program is one process on one core; the beacons come from another. Each is what the script
sends: six numbers of one page view. Afterwards every one of them is in the sketches.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.lines import Line, keep, row
from tests.programs import Programs
from tests.servers import LOOPBACK, free_port, wait_until

from pilothouse import app
from pilothouse.kernel.measurements import service as measurements
from pilothouse.kernel.program import open_program
from pilothouse.kernel.settings import Settings
from pilothouse.vitals.service import taking

SITES = 4
PAGES = ("/", "/products/8412", "/basket", "/basket/77/pay", "/search?q=socks", "/help/returns")
CONNECTIONS = 32
TICKS = os.sysconf("SC_CLK_TCK")


def catalog(folder: Path) -> None:
    documents = [
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n"
        f"  name: shop{number}\n  annotations: {{pilothouse/vitals-key: shop-web-{number}}}\n"
        "spec: {type: website, lifecycle: production, owner: storefront}\n"
        for number in range(SITES)
    ]
    (folder / "catalog-info.yaml").write_text("---\n".join(documents))


def requests(count: int) -> list[bytes]:
    """What the script would send, as bytes on the wire."""
    chance, found = random.Random(4), []
    for number in range(count):
        body = json.dumps(
            {
                "e": f"component:default/shop{number % SITES}",
                "k": f"shop-web-{number % SITES}",
                "p": chance.choice(PAGES),
                "w": chance.choice((390, 820, 1440)),
                "m": {
                    "ttfmi": round(chance.lognormvariate(8.2, 0.5), 1),
                    "lcp": round(chance.lognormvariate(7.4, 0.4), 1),
                    "inp": round(chance.lognormvariate(4.6, 0.5), 1),
                    "cls": round(chance.random() / 5, 4),
                    "fcp": round(chance.lognormvariate(6.8, 0.4), 1),
                    "ttfb": round(chance.lognormvariate(5.5, 0.5), 1),
                },
            }
        ).encode()
        found.append(
            b"POST /rum/v1/beacon HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://shop.example\r\n"
            b"Content-Type: text/plain;charset=UTF-8\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)"
            b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
    return found


class Sender(asyncio.Protocol):
    """A kept connection that sends one beacon after the other, as the clock allows."""

    def __init__(self) -> None:
        self.done = asyncio.Event()
        self.left = b""
        self.answers = 0
        self.bad = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.left += data
        while (end := self.left.find(b"\r\n\r\n")) >= 0:
            head, self.left = self.left[:end], self.left[end + 4 :]
            self.answers += 1
            self.bad += not head.startswith(b"HTTP/1.1 204")
            self.done.set()


async def send(port: int, rate: float, seconds: float) -> tuple[int, int, list[float]]:
    """Beacons at a rate (0: as many as are answered); answered, refused, time to each answer."""
    wire, loop = requests(2000), asyncio.get_running_loop()
    senders = [
        (await loop.create_connection(Sender, LOOPBACK, port))[1] for _ in range(CONNECTIONS)
    ]
    began, sent, times = time.perf_counter(), 0, []

    async def drive(one: Sender) -> None:
        nonlocal sent
        while (now := time.perf_counter() - began) < seconds:
            due = sent / rate if rate else 0
            sent += 1
            if due > now:
                await asyncio.sleep(due - now)
            at = time.perf_counter()
            one.done.clear()
            one.transport.write(wire[sent % len(wire)])
            await one.done.wait()
            times.append(time.perf_counter() - at)

    await asyncio.gather(*(drive(one) for one in senders))
    for one in senders:
        one.transport.close()
    return sum(one.answers for one in senders), sum(one.bad for one in senders), sorted(times)


def cpu(pid: int) -> float:
    """Seconds of processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def counted(url: str) -> int:
    """Page views in the sketches."""
    program = open_program(Settings(database_url=url), app.modules())
    with program.db.read() as tx:
        start, end = tx.now - taking.PAGES_KEPT, tx.now + taking.SOON
        labels = {"metric": "lcp", "by": "all"}
        found = measurements.read(tx, taking.NAME, labels, start, end, "day")
    program.db.engine.dispose()
    return sum(bucket.sketch.count for one in found.values() for bucket in one)


def memory(pid: int) -> float:
    """Resident, in MB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) / 1000


def run(rate: float, seconds: float) -> list[Line]:
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        (folder / "catalog").mkdir()
        catalog(folder / "catalog")
        programs = Programs(folder)
        url = f"sqlite:///{folder / 'data' / 'pilothouse.db'}"
        try:
            core = min(os.sched_getaffinity(0))
            program = programs(
                "up", str(folder / "catalog"), "--port", str(port), "--data", str(folder / "data")
            )
            os.sched_setaffinity(program.pid, {core})
            program.wait_for_http(port, "/catalog/component/default/shop0")
            asyncio.run(send(port, 200, 2))  # whose keys these are is known by now
            assert wait_until(lambda: counted(url) > 0, seconds=30)
            return measure(program.pid, port, url, rate, seconds)
        finally:
            programs.end()


def measure(pid: int, port: int, url: str, rate: float, seconds: float) -> list[Line]:
    time.sleep(8)  # all that came before is worked in
    known, used, began = counted(url), cpu(pid), time.perf_counter()
    answered, refused, times = asyncio.run(send(port, rate, seconds))
    elapsed = time.perf_counter() - began
    spent = cpu(pid) - used
    wait_until(lambda: counted(url) - known >= answered - refused, seconds=30)
    kept = counted(url) - known
    after = cpu(pid) - used
    return [
        Line(
            "beacons a second, one core",
            answered / elapsed,
            "/s",
            note=f"{answered:,} of them",
            at_least=2000,
        ),
        Line("answered otherwise than 204", refused, ""),
        Line("CPU a beacon, answering", 1000 * spent / answered, "ms", 0.5),
        Line("CPU a beacon, with working in", 1000 * after / answered, "ms", 0.5),
        Line("an answer, p50", 1000 * times[len(times) // 2], "ms"),
        Line("an answer, p99", 1000 * times[int(len(times) * 0.99)], "ms"),
        Line("in the sketches, of those answered", 100 * kept / answered, "%"),
        Line("memory", memory(pid), "MB"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=2200, help="a second; 0: as many as go")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    lines = run(chosen.rate, chosen.seconds)
    for line in lines:
        print(row(line))
    title, command = "Beacons of real users", f"python -m benchmarks.vitals --rate {chosen.rate:g}"
    keep(chosen.json, title, command, lines)


if __name__ == "__main__":
    main()
