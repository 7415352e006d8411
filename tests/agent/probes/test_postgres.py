"""PostgreSQL and PgBouncer, the real ones: how full they are, before nobody gets in."""

from __future__ import annotations

import resource
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta

import psycopg
import pytest
from tests.agent.probes.looking import look
from tests.servers import LOOPBACK, Postgres, free_port, running_pooler, wait_until

from pilothouse.checks.model import documents


def direct(server: Postgres, database: str = "postgres") -> str:
    return f"postgresql://postgres@{LOOPBACK}:{server.port}/{database}"


def pooled(server: Postgres, database: str) -> str:
    return f"postgresql://postgres@{LOOPBACK}:{server.pooled_port}/{database}"


@contextmanager
def filled_up_to(server: Postgres, connections: int) -> Iterator[None]:
    """Other tests' pools may hold some of them already, and let them go meanwhile."""
    count = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    with ExitStack() as stack:
        first = stack.enter_context(psycopg.connect(direct(server)))
        (used,) = first.execute(count).fetchone() or (0,)
        for _ in range(connections - used):
            stack.enter_context(psycopg.connect(direct(server)))
        yield


def test_it_connects_asks_and_counts(postgres: Postgres) -> None:
    query = "SELECT 7 AS orders, 1.5::numeric AS rate, true AS paid, 'x' AS name, NULL AS gone"
    seen = look(documents.Postgres(dsn=direct(postgres), query=query))
    assert (seen.fault, seen.reason, seen.degraded) == ("", "", "")
    row = {"orders": 7, "rate": 1.5, "paid": True, "name": "x", "gone": None}
    assert seen.values["rows"] == [row]
    connections = seen.values["connections"]
    assert 0 < connections["used"] < 50
    assert connections["limit"] == 97  # of 100, three are the superuser's
    assert seen.values["version"][0].isdigit()
    assert {"connect", "first_byte", "state", "query"} <= set(seen.phases)


def test_a_server_that_is_nearly_full_is_degraded_before_it_fails(postgres: Postgres) -> None:
    with filled_up_to(postgres, 95):
        seen = look(documents.Postgres(dsn=direct(postgres)))
    assert seen.fault == ""
    assert seen.values["connections"]["share"] >= 0.9
    assert "of 97 connections are used" in seen.degraded


def test_a_server_that_is_full_says_so(postgres: Postgres) -> None:
    with ExitStack() as stack:
        with suppress(psycopg.OperationalError):
            while True:
                stack.enter_context(psycopg.connect(direct(postgres)))
        seen = look(documents.Postgres(dsn=direct(postgres)))
    assert seen.fault == "full"
    assert "too many clients" in seen.reason


def test_clients_that_wait_at_the_pooler_are_seen_while_the_database_answers(
    postgres: Postgres,
) -> None:
    """All ten connections of the pool are taken; PostgreSQL itself has plenty."""
    with (
        running_pooler(postgres) as port,
        postgres.database() as name,
        ExitStack() as stack,
    ):
        through, console = (
            f"postgresql://postgres@{LOOPBACK}:{port}/{x}" for x in (name, "pgbouncer")
        )
        for _ in range(10):
            busy = stack.enter_context(psycopg.connect(through, autocommit=True))
            busy.prepare_threshold = None
            busy.execute("BEGIN")
        waiting = [threading.Thread(target=ask, args=(through,)) for _ in range(3)]
        for one in waiting:
            one.start()
        spec = documents.Postgres(dsn=direct(postgres), pgbouncer=console)
        assert wait_until(lambda: "3 clients wait" in look(spec).degraded)
        seen = look(spec)
        refused = look(
            documents.Postgres(dsn=through, pgbouncer=console),
            seconds=1.5,
        )
        stack.close()
        for one in waiting:
            one.join()
    assert seen.fault == ""
    assert seen.values["pgbouncer"]["waiting"] == 3
    assert seen.values["pgbouncer"]["longest_wait"] >= timedelta(seconds=1)
    assert seen.values["pgbouncer"]["share"] == 1.0
    assert f"in pool {name}/postgres" in seen.degraded
    assert seen.measured["pgbouncer"]["waiting"] == 3
    assert refused.fault == "time"
    assert "clients wait for a connection at PgBouncer" in refused.reason


def ask(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SELECT 1")


def test_only_so_many_rows_are_read_however_many_there_are(postgres: Postgres) -> None:
    query = "SELECT generate_series(1, 100000000) AS n"
    seen = look(documents.Postgres(dsn=direct(postgres), query=query), seconds=5)
    assert len(seen.values["rows"]) == 100


def test_a_row_that_is_huge_is_given_up_before_it_is_kept(postgres: Postgres) -> None:
    query = "SELECT repeat('x', 100000000) AS much"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seen = look(documents.Postgres(dsn=direct(postgres), query=query), seconds=20)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert (seen.fault, seen.reason) == ("size", "the answer is longer than 32 MiB")
    assert held < 100_000  # KiB


def test_a_query_that_does_not_end_is_late(postgres: Postgres) -> None:
    seen = look(documents.Postgres(dsn=direct(postgres), query="SELECT pg_sleep(30)"), seconds=0.7)
    assert seen.fault == "time"
    assert seen.total < 1500


def test_a_wrong_query_is_told_in_the_servers_words(postgres: Postgres) -> None:
    seen = look(documents.Postgres(dsn=direct(postgres), query="SELECT * FROM nothing_here"))
    assert seen.fault == "SQL"
    assert "nothing_here" in seen.reason


def test_a_database_that_is_away_is_refused() -> None:
    seen = look(documents.Postgres(dsn=f"postgresql://x:y@{LOOPBACK}:{free_port()}/z"))
    assert seen.fault == "conn"
    assert "refused" in seen.reason


def test_the_agents_own_password_goes_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that anybody may name asks for one in the clear."""
    monkeypatch.setenv("PGPASSWORD", "of the agent")
    listening = socket.create_server((LOOPBACK, 0))
    heard: list[bytes] = []

    def ask_for_it() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(8)  # may it be encrypted?
            connection.sendall(b"N")
            connection.recv(1000)
            connection.sendall(b"R" + struct.pack(">II", 8, 3))
            heard.append(connection.recv(1000))

    thread = threading.Thread(target=ask_for_it)
    thread.start()
    port = listening.getsockname()[1]
    seen = look(documents.Postgres(dsn=f"postgresql://watch@{LOOPBACK}:{port}/x"))
    thread.join()
    listening.close()
    assert (seen.fault, heard) == ("auth", [b""])


@pytest.mark.parametrize(
    "dsn", ["postgresql:///x", "host=/var/run/postgresql", "host=a,b dbname=x", "nonsense"]
)
def test_only_one_host_is_reached_and_only_by_tcp(dsn: str) -> None:
    seen = look(documents.Postgres(dsn=dsn))
    assert (seen.fault, seen.unable) == ("dsn", True)


def test_an_address_that_must_not_be_visited_is_not(postgres: Postgres) -> None:
    seen = look(
        documents.Postgres(dsn=direct(postgres) + "?hostaddr=127.0.0.1"),
        allowed=lambda _address, _port: False,
    )
    assert seen.unable
