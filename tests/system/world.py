"""A small internet for one test: a site, and places with a network namespace of their own.

Everything is inside a namespace of its own (`unshare`), which ends with the test: the machine's own
network is not touched. The site and the portal are at SITE; each place has one way there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.programs import clean_environment
from tests.servers import dies_with_us, wait_until

SITE = "10.231.0.1"  # what is visited
PORTAL = "10.231.0.2"
GATES = {"eu": "10.231.1.1", "us": "10.231.2.1"}  # the edges; a place has the way through its own
NEEDS_NAMESPACES = "network namespaces cannot be made here: run as root, with iproute2"


def can_be_made() -> bool:
    """Whether this machine lets us make network namespaces."""
    if shutil.which("ip") is None or shutil.which("unshare") is None or os.geteuid() != 0:
        return False
    made = subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True, check=False)
    return made.returncode == 0


@dataclass(slots=True)
class Space:
    """A network namespace, kept by a process that waits; `hosts` are the names known in it."""

    process: subprocess.Popen[bytes]

    @property
    def enter(self) -> list[str]:
        return ["nsenter", f"--target={self.process.pid}", "--net", "--mount"]

    def run(self, *command: str) -> str:
        """A command within, to its end."""
        done = subprocess.run(
            [*self.enter, *command], capture_output=True, text=True, check=False, timeout=30
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout


@dataclass(slots=True)
class World:
    """The site's namespace, the places', and the programs that were started in them."""

    folder: Path
    core: Space
    places: dict[str, Space] = field(default_factory=dict)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add(self, name: str, region: str, hosts: Mapping[str, str]) -> None:
        """A place with a way to the site through the gate of its region."""
        number = len(self.places) + 10
        space = _space()
        self.places[name] = space
        gate = GATES[region]
        address = f"{gate.rpartition('.')[0]}.{number}"
        near, far = f"near{number}", f"far{number}"
        self.core.run("ip", "link", "add", near, "type", "veth", "peer", "name", far)
        self.core.run("ip", "link", "set", far, "netns", str(space.process.pid))
        self.core.run("ip", "link", "set", near, "master", f"gate-{region}", "up")
        space.run("ip", "addr", "add", f"{address}/24", "dev", far)
        space.run("ip", "link", "set", far, "up")
        space.run("ip", "route", "add", "default", "via", gate)
        file = self.folder / f"hosts-{name}"
        lines = ["127.0.0.1 localhost", *(f"{at} {host}" for host, at in hosts.items())]
        file.write_text("\n".join(lines) + "\n")
        space.run("mount", "--bind", str(file), "/etc/hosts")

    def cut_off(self, name: str) -> None:
        """The place reaches the portal, and nothing of the site or its edges."""
        for address in (SITE, *GATES.values()):
            self.places[name].run("ip", "route", "add", "unreachable", f"{address}/32")

    def join_again(self, name: str) -> None:
        for address in (SITE, *GATES.values()):
            self.places[name].run("ip", "route", "del", "unreachable", f"{address}/32")

    def start(
        self,
        space: Space,
        *arguments: str,
        log: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """`python ARGUMENTS` within, until the world ends."""
        with (self.folder / log).open("wb") as out:
            process = subprocess.Popen(
                dies_with_us(*space.enter, sys.executable, *arguments),
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=cwd or self.folder,
                env={**clean_environment(), **(env or {})},
            )
        self.started.append(process)
        return process

    def end(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
            if process.stdin:
                process.stdin.close()


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A site with a bridge to each gate, and no place yet."""
    core = _space()
    one = World(folder, core)
    try:
        core.run("ip", "link", "set", "lo", "up")
        for address in (SITE, PORTAL):
            core.run("ip", "addr", "add", f"{address}/32", "dev", "lo")
        for region, gate in GATES.items():
            core.run("ip", "link", "add", f"gate-{region}", "type", "bridge")
            core.run("ip", "addr", "add", f"{gate}/24", "dev", f"gate-{region}")
            core.run("ip", "link", "set", f"gate-{region}", "up")
        yield one
    finally:
        spaces = [core, *one.places.values()]
        one.end([*one.started, *(space.process for space in spaces)])


def _space() -> Space:
    process = subprocess.Popen(
        dies_with_us("unshare", "--net", "--mount", "cat"),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    ours = _net_of(os.getpid())
    assert wait_until(lambda: _net_of(process.pid) not in ("", ours))
    space = Space(process)
    space.run("ip", "link", "set", "lo", "up")
    return space


def _net_of(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    except OSError:
        return ""
