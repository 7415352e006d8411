"""A kill amid what pages tell loses the last second at most, and nothing counts twice."""

from __future__ import annotations

import http.client
import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.servers import LOOPBACK, free_port, wait_until
from tests.vitals.telling import KEY, SHOP, component, group

from pilothouse import app
from pilothouse.kernel import faults
from pilothouse.kernel.measurements import service as measurements
from pilothouse.kernel.program import open_program
from pilothouse.kernel.settings import Settings
from pilothouse.vitals.service import taking

if TYPE_CHECKING:
    from pathlib import Path

    from tests.programs import Programs


def tell(port: int) -> bool:
    """Whether a page view was answered."""
    body = json.dumps({"e": SHOP, "k": KEY, "p": "/", "w": 390, "m": {"lcp": 1000}})
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
    try:
        connection.request("POST", "/rum/v1/beacon", body)
        return connection.getresponse().status == 204
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def counted(program) -> int:
    with program.db.read() as tx:
        labels = {"metric": "lcp", "entity": SHOP, "by": "all"}
        start, end = tx.now - timedelta(days=2), tx.now + timedelta(hours=1)
        found = measurements.read(tx, taking.NAME, labels, start, end, "hour")
    return sum(bucket.sketch.count for one in found.values() for bucket in one)


@pytest.mark.parametrize("point", ["vitals.folding", f"jobs.finishing@{taking.FOLD}"])
def test_what_was_written_down_is_counted_once(
    program: Programs, database_url: str, tmp_path: Path, point: str
) -> None:
    source, port = tmp_path / "source", free_port()
    source.mkdir()
    (source / "catalog-info.yaml").write_text("---\n".join((component("shop"), group())))
    env = {"PILOTHOUSE_DATABASE_URL": database_url, "PILOTHOUSE_DATA": str(tmp_path / "data")}
    up = ("up", str(source), "--port", str(port))
    running = program(*up, env={**env, faults.ENVIRONMENT: point})
    running.wait_for_http(port, "/catalog/component/default/shop")
    told, safe, began = 0, 0, time.monotonic()
    while running.running and time.monotonic() - began < 60:
        if tell(port):
            told += 1
            if time.monotonic() - began < 3:
                safe = told  # these are older than a second when the kill comes, five seconds on
        time.sleep(0.01)
    assert not running.running, running.complaint(f"not killed at {point}")
    again = program(*up, env=env)
    again.wait_for_http(port, "/catalog/component/default/shop")
    ours = open_program(Settings(database_url=database_url), app.modules())
    try:
        assert wait_until(lambda: counted(ours) >= safe, seconds=90), (counted(ours), safe, told)
        time.sleep(1)
        assert safe <= counted(ours) <= told
    finally:
        ours.db.engine.dispose()


def test_an_orderly_stop_loses_nothing(program: Programs, sqlite_url: str, tmp_path: Path) -> None:
    source, port = tmp_path / "source", free_port()
    source.mkdir()
    (source / "catalog-info.yaml").write_text("---\n".join((component("shop"), group())))
    env = {"PILOTHOUSE_DATABASE_URL": sqlite_url, "PILOTHOUSE_DATA": str(tmp_path / "data")}
    running = program("up", str(source), "--port", str(port), env=env)
    running.wait_for_http(port, "/catalog/component/default/shop")
    told = sum(tell(port) for _ in range(50))
    running.terminate()
    ours = open_program(Settings(database_url=sqlite_url), app.modules())
    with ours.db.begin() as tx:
        while taking.fold(tx):
            pass
    assert counted(ours) == told == 50
    ours.db.engine.dispose()
