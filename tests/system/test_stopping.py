"""How programs end, and when they do not begin."""

import time

import pytest
from psycopg import sql
from tests.kernel.opening import opened
from tests.servers import free_port, wait_until
from tests.system import bells
from tests.system.http import listening

PROMPT = 8.0  # seconds, on a machine that has other things to do; a live page holds for ever
END_CONNECTIONS = sql.SQL(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = {} AND pid <> pg_backend_pid()"
)


def ended_promptly(running):
    begun = time.monotonic()
    code = running.terminate()
    seconds = time.monotonic() - begun
    assert code == 0, running.complaint("not in order")
    assert "Traceback" not in running.output(), running.output()
    assert seconds < PROMPT, f"{seconds:.1f} s"


@pytest.mark.parametrize("command", ["up", "serve"])
def test_a_portal_ends_while_a_live_page_is_open(program, ringing, sqlite_url, tmp_path, command):
    port = free_port()
    arguments = [str(tmp_path)] if command == "up" else []
    env = ringing.environment(sqlite_url)
    running = program(command, *arguments, "--port", str(port), env=env)
    running.wait_for_http(port)
    with listening(port):
        ended_promptly(running)


@pytest.mark.parametrize("kind", ["slow", "deaf"])
def test_a_worker_ends_amid_a_long_job_and_gives_it_back(program, ringing, db, database_url, kind):
    """One that looks whether it should stop, and one that does not."""
    env = ringing.environment(database_url)
    running = program("work", env=env)
    bells.pull(db, kind, [1])
    assert bells.wait_until_traced(ringing, kind, 1)
    ended_promptly(running)
    other = program("work", env=env)
    assert bells.wait_until_traced(ringing, kind, 2), other.complaint("not given back")


def test_a_portal_ends_amid_a_long_job(program, ringing, db, database_url, tmp_path):
    port = free_port()
    env = ringing.environment(database_url)
    running = program("up", str(tmp_path), "--port", str(port), env=env)
    running.wait_for_http(port)
    bells.pull(db, "deaf", [1])
    assert bells.wait_until_traced(ringing, "deaf", 1)
    with listening(port):
        ended_promptly(running)


def test_an_idle_worker_ends(program, ringing, db, database_url):
    running = program("work", env=ringing.environment(database_url))
    bells.pull(db, "inside", [1])
    assert bells.wait_until_done(db)
    ended_promptly(running)


@pytest.mark.parametrize("command", ["up", "serve"])
@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_without_sign_in_it_serves_this_machine_only(program, sqlite_url, command, host):
    refused = program(
        command,
        "--host",
        host,
        "--port",
        str(free_port()),
        env={"PILOTHOUSE_DATABASE_URL": sqlite_url},
    )
    assert refused.wait() == 1
    assert "set host to 127.0.0.1" in refused.output()
    assert "Traceback" not in refused.output()


@pytest.mark.parametrize("command", ["up", "serve"])
def test_a_port_that_is_taken_is_said_in_a_line(program, sqlite_url, tmp_path, command):
    port = free_port()
    env = {"PILOTHOUSE_DATABASE_URL": sqlite_url}
    first = program("serve", "--port", str(port), env=env)
    first.wait_for_http(port, "/healthz")
    second = program(command, "--port", str(port), env=env, cwd=tmp_path)
    assert second.wait() == 1
    assert f"127.0.0.1:{port} cannot be used" in second.output()
    assert "Traceback" not in second.output()
    assert first.running


def test_a_database_that_does_not_answer_is_said_in_a_line(program):
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    ended = program("work", env={"PILOTHOUSE_DATABASE_URL": url})
    assert ended.wait() == 1
    assert "the database does not answer" in ended.output()
    assert "Traceback" not in ended.output()


def test_a_worker_outlives_the_end_of_its_connections(program, ringing, postgres, postgres_url):
    running = program("work", env=ringing.environment(postgres_url))
    for db in opened(postgres_url):
        bells.pull(db, "inside", [1])
        assert bells.wait_until_done(db)
        ours = sql.Literal(db.engine.url.database)
        postgres.run(END_CONNECTIONS.format(ours))
        assert wait_until(db.reachable)
        bells.pull(db, "inside", [2])
        assert bells.wait_until_done(db), running.complaint("not done")
        assert bells.told(db, "bells.rung") == [1, 2]
    assert running.running
