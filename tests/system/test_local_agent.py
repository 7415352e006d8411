"""The agent beside `up`: there once there are checks, begun again when it ends, ended with it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.agent.speaking import ok, saying, speaking
from tests.programs import Program, Programs, started_programs
from tests.servers import LOOPBACK, free_port, wait_until

SYSTEM = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: shop}
spec: {type: service, lifecycle: production, owner: group:default/shop}
"""
CHECK = """
---
apiVersion: pilothouse/v1
kind: ProbeLocation
metadata: {name: local}
spec: {region: local, private_targets: [127.0.0.0/8]}
---
apiVersion: pilothouse/v1
kind: Check
metadata: {name: shop-answers}
spec:
  entity: component:default/shop
  every: 10s
  timeout: 2s
  http: {url: "http://HOST:PORT/"}
"""


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    yield from started_programs(tmp_path)


def children(of: int) -> list[int]:
    """Agents that this process started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if parent == of and b"pilothouse.agent" in command:
            found.append(int(folder.name))
    return found


def gone(pid: int) -> bool:
    try:
        return (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]) == "Z"
    except OSError:
        return True


def started(programs: Programs, folder: Path, port: int) -> Program:
    running = programs("up", str(folder), "--port", str(port), "--data", "data")
    running.wait_for_http(port, "/healthz")
    return running


def test_it_comes_with_the_first_check_and_goes_with_the_portal(
    programs: Programs, tmp_path: Path
) -> None:
    folder, port = tmp_path / "catalog", free_port()
    folder.mkdir()
    file = folder / "catalog-info.yaml"
    file.write_text(SYSTEM)
    with speaking(saying(ok())) as target:
        running = started(programs, folder, port)
        running.wait_for_log("entities in the catalog")
        assert children(running.pid) == []
        file.write_text(SYSTEM + CHECK.replace("HOST", LOOPBACK).replace("PORT", str(target)))
        assert wait_until(lambda: bool(children(running.pid)))
        (first,) = children(running.pid)
        running.wait_for_log("agent.plan")
        assert wait_until(lambda: b"Working" in running.wait_for_http(port, "/checks"))

        os.kill(first, signal.SIGKILL)
        assert wait_until(lambda: children(running.pid) not in ([], [first]))
        (second,) = children(running.pid)
        assert running.terminate() == 0
        assert gone(second)
    assert "Traceback" not in running.output()


def test_a_killed_portal_leaves_no_agent_behind(programs: Programs, tmp_path: Path) -> None:
    folder, port = tmp_path / "catalog", free_port()
    folder.mkdir()
    text = SYSTEM + CHECK.replace("HOST", LOOPBACK).replace("PORT", "9")
    (folder / "catalog-info.yaml").write_text(text)
    running = started(programs, folder, port)
    assert wait_until(lambda: bool(children(running.pid)))
    (agent,) = children(running.pid)
    running.wait_for_log("agent.plan")
    running.kill()
    assert wait_until(lambda: gone(agent))
