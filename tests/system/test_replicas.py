"""Several programs on one database: started at once, writing at once, stopped one by one."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.kernel.opening import opened
from tests.servers import free_port
from tests.system import bells
from tests.system.http import post

ORDERS = 100


@pytest.mark.empty
def test_replicas_started_at_once_on_an_empty_database_share_the_work(
    program, ringing, database_url
):
    env = ringing.environment(database_url)
    ports = [free_port(), free_port()]
    servers = [program("serve", "--port", str(port), env=env) for port in ports]
    workers = [program("work", env=env) for _ in ports]
    for server, port in zip(servers, ports, strict=True):
        server.wait_for_http(port, "/readyz")

    with ThreadPoolExecutor(8) as clients:
        orders = [(ports[n % 2], f"/bells/inside/{n}") for n in range(ORDERS)]
        statuses = list(clients.map(lambda order: post(*order)[0], orders))
    assert statuses == [201] * ORDERS

    for db in opened(database_url):
        assert bells.wait_until_done(db), workers[0].complaint("jobs are left")
        assert bells.told(db, "bells.pulled") == list(range(ORDERS))
        assert bells.told(db, "bells.rung") == list(range(ORDERS)), "each job once"
        assert bells.told(db, "bells.heard") == list(range(ORDERS)), "each event handled once"
    for running in (*servers, *workers):
        assert running.running, running.complaint("ended")
        assert "database is locked" not in running.output()
        assert "error" not in running.output().lower(), running.output()


def test_of_two_replicas_one_goes_on_when_the_other_is_killed(program, ringing, db, database_url):
    env = ringing.environment(database_url)
    first, second = program("work", env=env), program("work", env=env)
    bells.pull(db, "inside", range(100))
    assert bells.wait_until_traced(ringing, "inside", 10)
    first.kill()
    assert bells.wait_until_done(db), second.complaint("jobs are left")
    assert bells.told(db, "bells.rung") == list(range(100))
