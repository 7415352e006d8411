"""What was acknowledged is there after a kill in the middle of its being worked out."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING

from tests.servers import LOOPBACK, free_port, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.programs import Programs

CATALOG = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: checkout, annotations: {github.com/project-slug: shop/checkout}}
spec: {type: service, lifecycle: production, owner: payments}
"""


def send(port: int, number: int) -> int:
    body = {
        "deployment_status": {"state": "success", "updated_at": f"2026-11-02T09:{number:02}:00Z"},
        "deployment": {
            "id": number,
            "sha": f"{number:040x}",
            "ref": f"v1.{number}",
            "environment": "production",
            "created_at": "2026-11-02T09:00:00Z",
        },
        "repository": {"full_name": "shop/checkout"},
    }
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "deployment_status",
        "X-GitHub-Delivery": f"delivery-{number}",
    }
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
    try:
        connection.request("POST", "/hooks/github", json.dumps(body), headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0  # killed before it could answer
    finally:
        connection.close()


def test_a_kill_amid_the_work_loses_no_acknowledged_delivery(
    program: Programs, tmp_path: Path
) -> None:
    source, port = tmp_path / "source", free_port()
    source.mkdir()
    (source / "catalog-info.yaml").write_text(CATALOG)
    up = ("up", str(source), "--port", str(port), "--data", str(tmp_path / "data"))
    running = program(*up, env={"PILOTHOUSE_CRASH_AT": "deploys.taking"})
    running.wait_for_http(port, "/catalog/component/default/checkout")
    kept = [number for number in range(20) if send(port, number) == 202]
    assert wait_until(lambda: not running.running), "it should have been killed"
    assert kept
    again = program(*up)
    for number in kept:
        assert send_until(port, number) == 200  # known already
    page = f"/deploys/{len(kept)}"
    again.wait_for_http(port, page)
    history = again.wait_for_http(port, "/catalog/component/default/checkout/deployments")
    assert all(f"v1.{number}<" in history.decode() for number in kept)


def send_until(port: int, number: int) -> int:
    """The answer, once somebody listens again."""
    answers: list[int] = []

    def answered() -> bool:
        answers.append(send(port, number))
        return answers[-1] != 0

    assert wait_until(answered)
    return answers[-1]
