"""A kill amid telling of an alert: it is told all the same, and known to be the same if twice."""

from __future__ import annotations

import signal

import pytest
from sqlalchemy import update
from tests.alerts.listening import PAY, web
from tests.servers import wait_until

from pilothouse import app
from pilothouse.kernel import faults
from pilothouse.kernel.alerts import service
from pilothouse.kernel.jobs import store
from pilothouse.kernel.program import open_program
from pilothouse.kernel.settings import Settings

POINTS = (
    "jobs.claimed",
    "jobs.finishing@alerts.take_raised",
    "jobs.finished@alerts.take_raised",
    "alerts.sending",
    "alerts.sent",
    "jobs.finishing@alerts.deliver",
)


def free_leases(db) -> None:
    """As if the leases of those who were killed had passed."""
    with db.begin() as tx:
        tx.conn.execute(update(store.jobs).values(lease_until=None, lease_token=None))


@pytest.mark.parametrize("point", POINTS)
def test_an_alert_is_told_though_its_teller_is_killed(program, database_url, tmp_path, point):
    ours = open_program(Settings(database_url=database_url), app.modules())
    with web() as heard:
        env = {
            "PILOTHOUSE_DATABASE_URL": database_url,
            "PILOTHOUSE_DATA": str(tmp_path / "data"),
            "PILOTHOUSE_ALERT_WEBHOOK": heard.url,
        }
        with ours.db.begin() as tx:
            service.raise_alert(tx, PAY)
        killed = program("work", env={**env, faults.ENVIRONMENT: point})
        assert killed.wait() == -signal.SIGKILL, killed.complaint(f"not killed at {point}")
        free_leases(ours.db)
        program("work", env=env)

        def told() -> bool:
            with ours.db.read() as tx:
                open_ones = service.still_open(tx)
            return any(one.version == 1 for each in open_ones for one in each.told)

        assert wait_until(told), point
    ours.db.engine.dispose()
    assert 1 <= len(heard.got) <= 2
    assert len({headers["Pilothouse-Delivery"] for _, headers, _ in heard.got}) == 1
