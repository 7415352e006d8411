"""How many probes an agent makes on a core, what each costs, and how exactly it keeps its turns.

python -m benchmarks.checks [--probes 6000] [--seconds 30] [--json FILE]

Beside it Debian's prometheus-blackbox-exporter, where that is installed, asked for the same: an
HTTP GET over a connection of its own, every phase measured, the status judged.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.lines import HEAD, Line, keep, row
from benchmarks.measuring import TICKS
from tests.programs import clean_environment
from tests.servers import LOOPBACK, answers, dies_with_us, free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
AT_ONCE = 50
ROUNDS = 5
RATE, EVERY = 400, 10  # probes a second, seconds between two of one check
BLACKBOX = "prometheus-blackbox-exporter"
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n"
    b"connection: close\r\n\r\nok"
)


async def serve(port: int, certificate: str) -> None:
    """What is probed: it costs as little as a server in Python can."""

    class Target(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def data_received(self, _data: bytes) -> None:
            self.transport.write(ANSWER)
            self.transport.close()

    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Target, LOOPBACK, port, ssl=context, backlog=4096)
    await server.serve_forever()


async def probe(url: str, number: int) -> dict[str, float]:
    """CPU milliseconds a probe and probes a second, the median of rounds."""
    from pilothouse.agent.addresses import LOOPBACK as HERE
    from pilothouse.agent.addresses import judge
    from pilothouse.agent.secrets import Secrets
    from pilothouse.agent.visiting import Visitor
    from pilothouse.checks.model.documents import CheckSpec, Http
    from pilothouse.checks.model.plans import Planned

    spec = CheckSpec(entity="component:default/x", http=Http(url=url), expect=("status == 200",))
    planned = Planned(check="check:default/x", version="1", spec=spec, offset=0)
    visitor = Visitor("here", Secrets(), judge([str(network) for network in HERE]))

    async def some(times: int) -> None:
        for _ in range(times):
            result, _ = await visitor.visit(planned)
            if result.outcome != "ok":
                raise RuntimeError(result)

    await some(20)
    costs, rates = [], []
    for _ in range(ROUNDS):
        cpu, began = time.process_time(), time.perf_counter()
        await asyncio.gather(*(some(number // ROUNDS // AT_ONCE) for _ in range(AT_ONCE)))
        made = number // ROUNDS // AT_ONCE * AT_ONCE
        costs.append((time.process_time() - cpu) * 1000 / made)
        rates.append(made / (time.perf_counter() - began))
    return {"cpu": statistics.median(costs), "rate": statistics.median(rates)}


@contextmanager
def child(*arguments: str, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "benchmarks.checks", *arguments]
    with running(command, env) as process:
        yield process


@contextmanager
def running(
    command: list[str], env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    environment = clean_environment() | {"PYTHONPATH": str(ROOT / "src")} | (env or {})
    process = subprocess.Popen(
        dies_with_us(*command), cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=10)


@contextmanager
def target(certificate: str = "") -> Iterator[int]:
    port = free_port()
    with child("--serve", str(port), "--certificate", certificate):
        wait_until(lambda: answers(port))
        yield port


def probed(url: str, number: int, authority: str = "") -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.checks", "--probe", url, "--probes", str(number)]
    env = clean_environment() | {"PYTHONPATH": str(ROOT / "src")}
    if authority:
        env["SSL_CERT_FILE"] = authority
    done = subprocess.run(command, capture_output=True, check=True, cwd=ROOT, env=env)
    return json.loads(done.stdout)


def certificate_in(folder: Path) -> str:
    """A key and a certificate that signs itself, in one file."""
    key, made = folder / "key.pem", folder / "made.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", str(key), "-out", str(made), "-days", "2", "-subj", "/CN=localhost",
         "-addext", f"subjectAltName=DNS:localhost,IP:{LOOPBACK}"],
        check=True, capture_output=True,
    )  # fmt: skip
    both = folder / "both.pem"
    both.write_bytes(key.read_bytes() + made.read_bytes())
    return str(both)


def handshake(certificate: str, times: int = 500) -> float:
    """CPU milliseconds of OpenSSL's own part in a verified handshake, over memory: the floor."""
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate)
    ours, spent = ssl.create_default_context(cafile=certificate), 0.0
    for _ in range(times):
        come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = ours.wrap_bio(come, go, server_hostname="localhost")
        server = theirs.wrap_bio(go, come, server_side=True)
        for side in (client, server, client, server):
            began = time.process_time()
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
            spent += (time.process_time() - began) * (side is client)
    return spent * 1000 / times


def plainly(port: int, certificate: str, times: int = 800) -> float:
    """CPU milliseconds of the least that Python can do for the same: its own ssl, no event loop."""
    context, costs = ssl.create_default_context(cafile=certificate), []
    asking = f"GET / HTTP/1.1\r\nhost: {LOOPBACK}\r\nconnection: close\r\n\r\n".encode()
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(times // ROUNDS):
            with socket.create_connection((LOOPBACK, port)) as connected:
                wire = context.wrap_socket(connected, server_hostname=LOOPBACK)
                wire.sendall(asking)
                while wire.recv(65536):
                    pass
                wire.close()
        costs.append((time.process_time() - began) * 1000 / (times // ROUNDS))
    return statistics.median(costs)


def cpu_of(pid: int) -> float:
    stat = Path(f"/proc/{pid}/stat").read_text()
    return sum(map(int, stat.rpartition(")")[2].split()[11:13])) / TICKS


def memory_of(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024 / 1e6


def blackbox(url: str, folder: Path, number: int) -> float | None:
    """CPU milliseconds that blackbox_exporter takes for the same."""
    program = shutil.which(BLACKBOX)
    if program is None:
        return None
    port, config = free_port(), folder / "blackbox.yml"
    config.write_text(
        "modules:\n  http:\n    prober: http\n    http:\n      valid_status_codes: [200]\n"
        f"      tls_config: {{ca_file: {folder / 'made.pem'}}}\n"
    )
    command = [program, f"--config.file={config}", f"--web.listen-address={LOOPBACK}:{port}"]
    path = f"/probe?module=http&target={url}"
    with running(command) as process:
        wait_until(lambda: answers(port))
        asked(port, path, 50)
        before = cpu_of(process.pid)
        threads = [threading.Thread(target=asked, args=(port, path, number // 8)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return (cpu_of(process.pid) - before) * 1000 / (number // 8 * 8)


def asked(port: int, path: str, times: int) -> None:
    connection = http.client.HTTPConnection(LOOPBACK, port)
    for _ in range(times):
        connection.request("GET", path)
        body = connection.getresponse().read()
        if b"probe_success 1" not in body:
            raise RuntimeError(body.decode()[-500:])


def agent_at(rate: int, seconds: float, folder: Path) -> tuple[list[float], float, float]:
    """How late turns were (ms), resident MB, CPU share, of a whole agent at so many probes/s."""
    from tests.portals import running_portal

    from pilothouse.checks.model.documents import CheckSpec, Http
    from pilothouse.checks.model.plans import Plan, Planned

    with ExitStack() as stack:
        port = stack.enter_context(target())
        spec = CheckSpec(
            entity="component:default/x",
            every=f"{EVERY}s",
            http=Http(url=f"http://{LOOPBACK}:{port}/"),
            expect=("status == 200",),
        )
        number = max(rate * EVERY, 1) if rate else 10
        checks = tuple(
            Planned(check=f"check:default/x{n}", version="1", spec=spec, offset=n * EVERY / number)
            for n in range(number)
        )
        plan = Plan("here", "here", checks, private_targets=("127.0.0.0/8",))
        portal = stack.enter_context(running_portal(plan))
        command = [sys.executable, "-m", "pilothouse.agent", "agent", "--server", portal.url]
        command += ["--location", "here", "--spool", str(folder), "--name", "one"]
        process = stack.enter_context(running(command, {"PILOTHOUSE_TOKEN": "ph_x"}))
        portal.keep = bool(rate)
        time.sleep(EVERY if rate else 5)  # until it runs evenly
        portal.posted.clear()
        began, cpu = time.perf_counter(), cpu_of(process.pid)
        time.sleep(seconds)
        share = (cpu_of(process.pid) - cpu) / (time.perf_counter() - began)
        memory = memory_of(process.pid)
        offsets = {planned.check: planned.offset for planned in checks}
        late = [
            (one.id / 2**20 - offsets[one.check] * 1000 + 5) % (EVERY * 1000) - 5
            for one in portal.results
        ]
        return late, memory, share


def lines(number: int, seconds: float) -> list[Line]:
    found = []
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        both = certificate_in(folder)
        plain, secure = stack.enter_context(target()), stack.enter_context(target(both))
        for url, most, what in (
            (f"http://{LOOPBACK}:{plain}/", 0.3, "HTTP"),
            (f"https://{LOOPBACK}:{secure}/", 0.8, "HTTPS, verified"),
        ):
            times = number if what == "HTTP" else number // 3
            own = probed(url, times, both)
            other = blackbox(url, folder, times // 2)
            beside = "" if other is None else f"{other:.2f} ms"
            note = f"{own['rate']:.0f}/s while its target shares the machine; blackbox_exporter"
            note = f"{note}: {beside or 'not installed'}"
            if what != "HTTP":
                note += f"; OpenSSL alone, over memory: {handshake(both):.2f} ms"
                note += f"; Python's ssl, no more than that: {plainly(secure, both):.2f} ms"
            found.append(Line(f"CPU a probe: {what}", own["cpu"], "ms", most, beside, note))
            if what == "HTTP":
                words = "1 over the CPU time of one"
                peer = "" if other is None else f"{1000 / other:.0f}/s"
                rate = 1000 / own["cpu"]
                found.append(
                    Line("HTTP probes a second on one core", rate, "/s", None, peer, words, 3000)
                )
        _, memory, _ = agent_at(0, 5, folder / "rest")
        found.append(Line("memory of an agent at rest", memory, "MB", 60, "", "10 checks"))
        late, memory, share = agent_at(RATE, seconds, folder / "busy")
        p99 = statistics.quantiles(late, n=100)[98]
        note = f"median {statistics.median(late):.1f} ms, {len(late):,} visits, {share:.2f} core"
        found.append(Line(f"scheduling error at {RATE} probes/s, p99", p99, "ms", 50, "", note))
        found.append(Line(f"memory of an agent at {RATE} probes/s", memory, "MB", 120))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--probes", type=int, default=6000)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--certificate", default="", help=argparse.SUPPRESS)
    parser.add_argument("--probe", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve, options.certificate))
    elif options.probe:
        print(json.dumps(asyncio.run(probe(options.probe, options.probes))))
    else:
        print(HEAD)
        made = lines(options.probes, options.seconds)
        for line in made:
            print(row(line))
        keep(options.json, "Agents", "python -m benchmarks.checks", made)


if __name__ == "__main__":
    main()
