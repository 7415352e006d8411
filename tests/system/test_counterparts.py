"""The servers that other tests stand on do what is believed of them."""

import os
import signal
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import psycopg
import pytest
from pytest_socket import SocketConnectBlockedError
from sqlalchemy import create_engine, make_url, text
from tests import servers


def connect(url):
    parts = make_url(url)
    return psycopg.connect(
        host=parts.host,
        port=parts.port,
        user=parts.username,
        dbname=parts.database,
        prepare_threshold=None,
    )


@pytest.mark.empty
def test_postgresql_answers_through_a_pool_of_transactions(postgres_url):
    with connect(postgres_url) as connection:
        answered = 0
        for number in range(100):
            answered += connection.execute("SELECT %s::int", [number]).fetchone() == (number,)
            connection.commit()
    assert answered == 100


@pytest.mark.empty
def test_the_pool_does_not_keep_a_session_for_a_client(postgres, postgres_url):
    """What makes transaction pooling differ from a plain connection: servers are shared."""
    clients = [connect(postgres_url) for _ in range(30)]
    processes = set()
    for client in clients:
        processes.add(client.execute("SELECT pg_backend_pid()").fetchone())
        client.commit()
    for client in clients:
        client.close()
    assert len(processes) <= 10
    assert make_url(postgres_url).port == postgres.pooled_port


@pytest.mark.empty
def test_each_test_has_a_database_of_its_own(database_url):
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE only_here (id int)"))
    engine.dispose()


@pytest.mark.parametrize("again", [1, 2])
def test_nothing_is_left_from_the_test_before(database_url, again):
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE left_behind (id int)"))
        connection.execute(text("INSERT INTO left_behind VALUES (:again)"), {"again": again})
        count = connection.execute(text("SELECT count(*) FROM left_behind")).scalar_one()
    engine.dispose()
    assert count == 1


def test_nothing_but_loopback_can_be_reached():
    with (
        socket.socket() as outgoing,
        pytest.warns(UserWarning, match="allowed"),
        pytest.raises(SocketConnectBlockedError),
    ):
        outgoing.connect(("192.0.2.1", 80))


def test_a_server_ends_when_its_test_run_is_killed():
    if not Path("/proc/self/stat").exists():
        pytest.skip("only Linux ends a process with its parent")
    program = (
        "import subprocess, time; from tests.servers import dies_with_us\n"
        "print(subprocess.Popen(dies_with_us('sleep', '60')).pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    with parent:
        child = int(parent.stdout.readline())
        # The process is setpriv first and the command after, and only the command is bound to us.
        assert servers.wait_until(lambda: command_of(child) == "sleep")
        os.kill(parent.pid, signal.SIGKILL)
    assert servers.wait_until(lambda: command_of(child) != "sleep")


def command_of(pid):
    """The name of a living process; a dead one that nobody has collected has none."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    name, _, rest = status.partition("(")[2].rpartition(")")
    return "" if rest.split()[0] == "Z" else name


def test_a_program_shows_the_end_of_its_log_when_it_fails(program):
    command = (sys.executable, "-c", "import sys; print('it is on fire'); sys.exit(3)")
    failed = program(command=command)
    with pytest.raises(AssertionError, match=r"ended with 3(.|\n)*it is on fire"):
        failed.wait_for_http(servers.free_port(), seconds=10)


def test_a_program_is_awaited_and_ended(program):
    port = servers.free_port()
    command = (sys.executable, "-m", "http.server", "--bind", servers.LOOPBACK, str(port))
    running = program(command=command)
    assert b"program-0.log" in running.wait_for_http(port)
    assert "GET / " in running.wait_for_log('"GET / ')
    assert running.terminate() == -signal.SIGTERM
    assert not running.running


class Page(BaseHTTPRequestHandler):
    """One page, whose script throws when asked to."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Lookout</title><h1>All is well</h1>")

    def log_message(self, format, *args):  # noqa: A002  the parent's word
        pass


def test_the_browser_opens_a_page(tab):
    with HTTPServer((servers.LOOPBACK, servers.free_port()), Page) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        tab.goto(f"http://{servers.LOOPBACK}:{server.server_port}/")
        assert tab.get_by_role("heading").inner_text() == "All is well"
        server.shutdown()
        thread.join()
