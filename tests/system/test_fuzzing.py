"""Our own HTTP API as it describes itself, asked at random: nothing it is sent is our fault."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.auth.browsing import token
from tests.kernel.portal import serving
from tests.programs import clean_environment

from pilothouse import app
from pilothouse.catalog import jobs
from pilothouse.catalog.service import passes

SECONDS = 24
ENDLESS = "/live"  # a stream that ends with the page
WAITING = "/api/checks/confirm"  # for something to happen, if need be for 25 seconds
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("scope", ["admin", "read"])
def test_nothing_that_is_sent_makes_a_fault(sqlite_url, tmp_path, scope):
    settings = {"local_users": True, "data": str(tmp_path)}
    with serving(sqlite_url, app.OURS, **settings) as portal:
        fill(portal.program)
        secret = token(portal.program, None, scope)
        command = [
            str(Path(sys.executable).parent / "schemathesis"),
            "run",
            f"http://127.0.0.1:{portal.port}/api/openapi/openapi.json",
            "--header", f"Authorization: Bearer {secret}",
            "--checks", "not_a_server_error",
            "--phases", "examples,coverage,fuzzing",
            "--exclude-path", ENDLESS,
            "--exclude-path", WAITING,
            "--max-time", str(SECONDS if scope == "admin" else SECONDS // 4),
            "--seed", "8400",
            "--workers", "1",  # more than one cannot parse Python at once before 3.11.8
            "--request-timeout", "60",  # a busy machine is no fault
            "--warnings", "off",
            "--continue-on-failure",
            "--generation-database", "none",
            "--no-color",
        ]  # fmt: skip
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=clean_environment(),
        )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def fill(program) -> None:
    """Our own repository's catalog, so that what is asked for may be there."""
    spec = str(ROOT / "catalog-info.yaml")
    with program.db.begin() as tx:
        passes.register(tx, [spec])
    assert jobs.look(program, spec).failed is None
