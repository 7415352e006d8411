"""One SQLite file under load, and backups while others write."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

from sqlalchemy import func, select
from tests.kernel.opening import opened
from tests.programs import get
from tests.servers import free_port
from tests.system import bells
from tests.system.http import post

from pilothouse.kernel import events
from pilothouse.kernel.jobs import store

SECONDS = 4.0
KINDS = ("bells.unknown", "bells.hear")
KEPT = 5  # seconds that anybody waits at most


def test_readers_and_writers_of_one_sqlite_file_are_never_told_that_it_is_locked(
    program, ringing, sqlite_url
):
    """Two programs serve and work on one file; ten clients read and write through both."""
    env = ringing.environment(sqlite_url)
    ports = [free_port(), free_port()]
    running = [program("serve", "--port", str(port), env=env) for port in ports]
    running.append(program("work", env=env))
    for server, port in zip(running, ports, strict=False):
        server.wait_for_http(port, "/readyz")
    until = time.monotonic() + SECONDS
    slowest = []

    def client(number):
        statuses, n = [], 0
        while time.monotonic() < until:
            n += 1
            begun = time.monotonic()
            if number % 2:
                statuses.append(post(ports[n % 2], f"/bells/inside/{number * 100_000 + n}")[0])
            else:
                answer = get(ports[n % 2], "/bells")
                statuses.append(answer[0] if answer else 0)
            slowest.append(time.monotonic() - begun)
        return statuses

    with ThreadPoolExecutor(10) as clients:
        answers = [status for found in clients.map(client, range(10)) for status in found]
    written = answers.count(201)
    assert set(answers) == {200, 201}
    assert written > 50
    assert max(slowest) < KEPT
    for db in opened(sqlite_url):
        assert bells.wait_until_done(db)
        assert len(bells.told(db, "bells.heard")) == written
    for one in running:
        assert "locked" not in one.output(), one.output()


@contextmanager
def writers(port, number=3):
    """Clients that go on writing; an event and its job are written in one transaction."""
    stop = Event()

    def write(start):
        n = start
        while not stop.is_set():
            assert post(port, f"/bells/unknown/{n}")[0] == 201
            n += 1
        return n - start

    with ThreadPoolExecutor(number) as clients:
        going = [clients.submit(write, n * 1_000_000) for n in range(number)]
        try:
            yield lambda: not any(one.done() for one in going)
        finally:
            stop.set()


def test_a_backup_amid_writes_is_of_one_instant(program, ringing, database_url, tmp_path):
    """Nobody is stopped by it, and what belongs together is in it together or not at all."""
    env = ringing.environment(database_url)
    port = free_port()
    serving = program("serve", "--port", str(port), env=env)
    serving.wait_for_http(port, "/readyz")
    counts = []
    with writers(port) as all_go_on:
        for number in range(2):
            before = count(port)
            copy = program("backup", str(tmp_path / f"copy{number}"), env=env)
            assert copy.wait() == 0, copy.complaint("no backup")
            after = count(port)
            assert all_go_on()
            restored = f"sqlite:///{tmp_path}/restored{number}.db"
            back = program(
                "restore", str(tmp_path / f"copy{number}"), env=ringing.environment(restored)
            )
            assert back.wait() == 0, back.complaint("no restore")
            counts.append(numbers(restored))
            assert before <= counts[-1][0] <= after
    for pulled, asked, handling in counts:
        assert pulled == asked == handling
    assert counts[0] < counts[1]


def count(port):
    answer = get(port, "/bells")
    assert answer is not None
    return json.loads(answer[1])["events"]


def numbers(url):
    """Events, the jobs asked for with them, and the jobs of their handlers."""
    pulled = select(func.count()).select_from(events.events)
    jobs = select(func.count()).select_from(store.jobs)
    queries = [pulled, *(jobs.where(store.jobs.c.kind == kind) for kind in KINDS)]
    found = ()
    for db in opened(url):
        with db.read() as tx:
            found = tuple(tx.conn.execute(query).scalar_one() for query in queries)
    return found
