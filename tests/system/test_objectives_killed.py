"""An objective that burns is told of once, however often the program is killed meanwhile."""

from __future__ import annotations

import http.client
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.servers import LOOPBACK, free_port, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.programs import Programs

COMPONENT = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: checkout}
spec: {type: service, lifecycle: production, owner: payments}
"""
SLO = """
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: deployments, displayName: Deployments succeed}
spec:
  service: checkout
  indicator:
    spec:
      thresholdMetric:
        metricSource:
          {type: pilothouse, spec: {measure: deploys.finished, labels: {service: checkout}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  objectives: [{target: 0.9}]
"""
POINTS = ("objectives.recording", "objectives.turning")
FAILED = 14  # deployments, one a minute


def tell(port: int) -> None:
    """Deployments of the last minutes, all of which failed."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
    now = datetime.now(UTC)
    for number in range(1, FAILED + 1):
        data = {
            "entity": "checkout",
            "environment": "production",
            "version": f"1.{number}",
            "status": "failed",
            "at": (now - timedelta(minutes=number)).isoformat(),
        }
        event = {"specversion": "1.0", "id": str(number), "source": "/ci", "data": data}
        body = json.dumps(event | {"type": "pilothouse.deployment"})
        headers = {"Content-Type": "application/cloudevents+json"}
        connection.request("POST", "/api/events", body, headers)
        answer = connection.getresponse()
        assert answer.status == 202, answer.read()
        answer.read()
    connection.close()


def happened(data: Path, kind: str) -> int:
    with closing(sqlite3.connect(data / "pilothouse.db")) as db:
        return db.execute("SELECT count(*) FROM events WHERE type = ?", (kind,)).fetchone()[0]


def test_kills_amid_reading_and_telling_make_one_alert(program: Programs, tmp_path: Path) -> None:
    source, data, port = tmp_path / "source", tmp_path / "data", free_port()
    source.mkdir()
    file = source / "catalog-info.yaml"
    file.write_text(COMPONENT)
    up = ("up", str(source), "--port", str(port), "--data", str(data))
    first = program(*up)
    first.wait_for_http(port, "/catalog/component/default/checkout")
    tell(port)
    first.wait_for_http(port, f"/deploys/{FAILED}")
    first.terminate()
    file.write_text(COMPONENT + SLO)
    for point in POINTS:
        crashing = program(*up, env={"PILOTHOUSE_CRASH_AT": point})
        assert wait_until(lambda one=crashing: not one.running), f"not killed at {point}"
        assert happened(data, "alerts.raised") == 0
    last = program(*up)
    assert wait_until(lambda: happened(data, "objectives.burning") > 0)
    page = last.wait_for_http(port, "/objectives").decode()
    assert "1 objective burns its error budget" in page
    assert happened(data, "objectives.burning") == 1
    assert happened(data, "alerts.raised") == 1
