"""A server that is killed between a result and its acknowledgement: none lost, none twice."""

from __future__ import annotations

import http.client
import json
import secrets
import sqlite3
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from tests.checks.watched import CATALOG, CHECK, WORLD, check, places
from tests.servers import LOOPBACK, free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.programs import Program, Programs

POINTS = ("checks.storing", "checks.judged", "checks.finding", "checks.stored")


@dataclass
class Server:
    """A server that is started again whenever it was killed."""

    program: Programs
    tmp_path: Path
    crash: Iterator[str]
    port: int = field(default_factory=free_port)
    running: Program | None = None
    kills: int = 0

    def up(self) -> None:
        if self.running is not None and self.running.running:
            return
        self.kills += self.running is not None
        point = next(self.crash, "")
        up = ("up", str(self.tmp_path / "source"), "--port", str(self.port))
        self.running = self.program(
            *up,
            "--data",
            str(self.tmp_path / "data"),
            env={"PILOTHOUSE_CRASH_AT": point} if point else None,
        )
        self.running.wait_for_http(self.port, "/healthz")

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer of a request that is made again until there is one."""
        for _ in range(20):
            self.up()
            connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=40)
            try:
                connection.request(method, path, json.dumps(body) if body else None)
                answer = connection.getresponse()
                said = answer.read()
                if answer.status == 200:
                    return json.loads(said)
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            time.sleep(0.05)
        raise AssertionError("no answer")


def visit(location: str, outcome: str, asked: int = 0) -> dict[str, Any]:
    one = {
        "id": int(time.time() * 1000) << 20 | secrets.randbits(20),
        "check": CHECK,
        "location": location,
        "total": 12.5,
        "outcome": outcome,
        "asked": asked,
    }
    return one if outcome == "ok" else {**one, "fault": "503", "reason": "answered 503"}


@pytest.mark.parametrize("point", POINTS)
def test_no_acknowledged_result_is_lost_and_no_finding_is_missed_or_made_twice(
    program: Programs, tmp_path: Path, point: str
) -> None:
    (tmp_path / "source").mkdir()
    only = check(locations=list(WORLD), every="5m")
    (tmp_path / "source" / "catalog-info.yaml").write_text(f"{CATALOG}---\n{places()}---\n{only}")
    server = Server(program, tmp_path, iter([f"{point}:{1 if 'finding' in point else 4}", point]))
    server.up()
    path = "/api/checks/plan?agent=a&location=eu-1"
    assert wait_until(lambda: bool(server.ask("GET", path)["checks"]))
    acknowledged: list[int] = []

    def post(location: str, outcome: str, asked: int = 0) -> None:
        one = visit(location, outcome, asked)
        said = {"agent": "a", "location": location, "results": [one]}
        taken = server.ask("POST", "/api/checks/results", said)
        assert taken["kept"] + taken["known"] == 1, taken
        acknowledged.append(one["id"])

    for location in WORLD:
        post(location, "ok")
    post("us-1", "failed")
    for location in WORLD:
        for want in server.ask("GET", f"/api/checks/confirm?agent=a&location={location}")["wanted"]:
            post(location, "failed", want["id"])
    for location in WORLD:
        post(location, "failed")
    assert server.kills >= 1
    server.running.terminate()
    tell = sqlite3.connect(tmp_path / "data" / "pilothouse.db").execute
    kept = [row[0] for row in tell("SELECT id FROM checks_results")]
    assert sorted(kept) == sorted(acknowledged)
    numbers = [row[0] for row in tell("SELECT number FROM checks_findings ORDER BY id")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert tell("SELECT state FROM checks_states").fetchall() == [("failed",)]
    events = tell("SELECT count(*), count(DISTINCT dedup_key) FROM events WHERE type = ?",
                  ("checks.failed",)).fetchone()  # fmt: skip
    findings = tell("SELECT count(*) FROM checks_findings WHERE state = 'failed'").fetchone()[0]
    assert events == (findings, findings)
    assert findings >= 1
    raised = tell("SELECT count(*) FROM events WHERE type = 'alerts.raised' "
                  "AND dedup_key LIKE 'checks:%'").fetchone()[0]  # fmt: skip
    assert raised == findings
