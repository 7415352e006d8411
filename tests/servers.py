"""Real counterparts for the tests: PostgreSQL with PgBouncer before it, and a browser's binary."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOOPBACK = "127.0.0.1"
LOWEST_PORT, HIGHEST_PORT = 20000, 32000  # above are those that outgoing connections take
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ARGUMENTS = (  # nothing goes out on its own
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
)
NEEDS_POSTGRES = "PostgreSQL is not installed: apt install postgresql pgbouncer"
NEEDS_CHROMIUM = "Chromium is not installed: apt install chromium"
PATIENCE = 30.0
# What a database is made of: its columns and indexes, and the migration it stands at.
SHAPE = """
    SELECT (SELECT md5(string_agg(attrelid || attname || atttypid || attnotnull, ' '
                       ORDER BY attrelid, attnum))
            FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
            WHERE relnamespace = 'public'::regnamespace AND NOT attisdropped),
           (SELECT version_num FROM alembic_version)"""
AT_WORK = """
    SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"""
EMPTY = """DO $$
    DECLARE named text;
    BEGIN
      SET LOCAL session_replication_role = replica; -- foreign keys are not looked at
      FOR named IN SELECT quote_ident(tablename) FROM pg_tables
                   WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        IF pg_table_size(named::regclass) < 500000 THEN
          EXECUTE 'DELETE FROM ' || named; -- quick, but the dead rows stay
        ELSE
          EXECUTE 'TRUNCATE ' || named || ' CASCADE';
        END IF;
      END LOOP;
      PERFORM setval(format('%I', sequencename)::regclass, start_value, false) FROM pg_sequences
        WHERE schemaname = 'public';
    END $$"""


class DidNotStartError(Exception):
    """A server ended or stayed silent; the message has the end of its log."""


def free_port() -> int:
    """A loopback port that nobody listens on now, below the range of outgoing connections."""
    while True:
        port = random.SystemRandom().randint(LOWEST_PORT, HIGHEST_PORT)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port


def answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
        return True
    return False


def wait_until(true: Callable[[], bool], *, seconds: float = PATIENCE) -> bool:
    """Polls: for what another process does there is nothing to await."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.02)
    return False


def dies_with_us(*command: str, user: str | None = None, by: str = "KILL") -> list[str]:
    """The command, ended by the kernel should the test run be killed, as `user` if one is given.

    `setpriv` becomes the command, so the process id is the command's own. It is Linux's; elsewhere
    a killed test run leaves its servers behind.
    """
    if shutil.which("setpriv") is None:
        return list(command)
    as_user = [f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
    return ["setpriv", *as_user, "--pdeathsig", by, "--", *command]


def tail(log: Path, lines: int = 40) -> str:
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n".join(text.splitlines()[-lines:])


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running PostgreSQL and the PgBouncer before it, which pools by transaction."""

    port: int
    pooled_port: int
    created: list[str] = field(default_factory=list)
    emptied: list[str] = field(default_factory=list)
    shapes: dict[str, Any] = field(default_factory=dict)

    def url(self, database: str, *, pooled: bool = True) -> str:
        port = self.pooled_port if pooled else self.port
        return f"postgresql+psycopg://postgres@{LOOPBACK}:{port}/{database}"

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """The name of a new database that is dropped afterwards: a copy, or an empty one."""
        name = self.create(template)
        try:
            yield name
        finally:
            self.drop(name)

    @contextmanager
    def copy(self, template: str) -> Iterator[str]:
        """The name of a database of the template's shape that holds nothing, for one at a time.

        It is emptied for the next, which takes a tenth of the time of a new one. Where it cannot
        be, because it has another shape now or is still at work, it is dropped.
        """
        name = self.emptied.pop() if self.emptied else self.create(template)
        try:
            yield name
        finally:
            if self.empty(name, template):
                self.emptied.append(name)
            else:
                self.drop(name)

    def create(self, template: str) -> str:
        name = f"test_{len(self.created)}"
        self.created.append(name)
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self.run(made.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop(self, name: str) -> None:
        self.run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def empty(self, name: str, template: str) -> bool:
        """Whether nothing is left in it but the template's shape."""
        shape = self.shapes.get(template)
        if shape is None:
            with self.session(template) as session:
                shape = self.shapes[template] = session.execute(SHAPE).fetchone()
        with self.session(name) as session:
            if session.execute(SHAPE).fetchone() != shape or session.execute(AT_WORK).fetchone():
                return False
            session.execute(EMPTY)
        return True

    def takes_statements(self) -> bool:
        try:
            self.run(sql.SQL("SELECT 1"))
        except psycopg.OperationalError:
            return False
        return True

    def run(self, statement: sql.SQL | sql.Composed) -> None:
        """One statement as administrator, past the pool."""
        with self.session("postgres") as session:
            session.execute(statement)

    def session(self, name: str) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=LOOPBACK, port=self.port, user="postgres", dbname=name, autocommit=True
        )


def postgres_binaries() -> dict[str, str] | None:
    """Where initdb, postgres and pgbouncer are; Debian keeps the first two off PATH."""
    newest_first = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda folder: int(folder.parent.name),
        reverse=True,
    )
    path = os.pathsep.join([*map(str, newest_first), os.environ["PATH"], "/usr/sbin"])
    found = {
        name: shutil.which(name, path=path) or "" for name in ("initdb", "postgres", "pgbouncer")
    }
    return found if all(found.values()) else None


@contextmanager
def running_postgres(binaries: dict[str, str]) -> Iterator[Postgres]:
    """A cluster of its own in a temporary folder, on loopback only, gone afterwards."""
    with folder_of_servers() as (folder, user):
        make_cluster(binaries["initdb"], folder, user)
        with (
            serving(binaries["postgres"], postgres_arguments, folder, user, "INT") as port,
            serving(
                binaries["pgbouncer"], pgbouncer_arguments(port), folder, user, "KILL"
            ) as pooled_port,
        ):
            postgres = Postgres(port, pooled_port)
            wait_until(postgres.takes_statements)  # it listens a little sooner
            yield postgres


@contextmanager
def running_pooler(server: Postgres) -> Iterator[int]:
    """The port of another PgBouncer before the server, whose clients are its test's alone."""
    binary = (postgres_binaries() or {})["pgbouncer"]
    with (
        folder_of_servers() as (folder, user),
        serving(binary, pgbouncer_arguments(server.port), folder, user, "KILL") as port,
    ):
        yield port


@contextmanager
def folder_of_servers() -> Iterator[tuple[Path, str | None]]:
    """A folder, and as whom they run there: neither of the two runs as root."""
    user = "postgres" if os.geteuid() == 0 else None
    # Not below pytest's own folder: that one lets nobody but us through to what is in it.
    with tempfile.TemporaryDirectory(prefix="pilothouse-postgres-") as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, user, user)
        yield folder, user


def make_cluster(initdb: str, folder: Path, user: str | None) -> None:
    options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", "--no-sync"]
    command = dies_with_us(initdb, *options, "-D", str(folder / "data"), user=user)
    made = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if made.returncode:
        raise DidNotStartError(f"initdb: {made.stdout}{made.stderr}")


def postgres_arguments(folder: Path, port: int) -> list[str]:
    settings = {
        "listen_addresses": LOOPBACK,
        "port": port,
        "unix_socket_directories": "",
        "max_connections": 100,
        "shared_buffers": "64MB",
        "fsync": "off",  # a test's data need not outlive the machine
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "autovacuum": "off",
    }
    return ["-D", str(folder / "data"), *(f"--{name}={value}" for name, value in settings.items())]


def pgbouncer_arguments(server_port: int) -> Callable[[Path, int], list[str]]:
    def arguments(folder: Path, port: int) -> list[str]:
        lines = [
            "[databases]",
            f"* = host={LOOPBACK} port={server_port}",
            "[pgbouncer]",
            f"listen_addr = {LOOPBACK}",
            f"listen_port = {port}",
            "unix_socket_dir =",
            "auth_type = trust",
            "admin_users = postgres",
            f"auth_file = {folder / 'users.txt'}",
            "pool_mode = transaction",
            "default_pool_size = 10",
            "max_client_conn = 500",
            "server_login_retry = 1",
            "ignore_startup_parameters = extra_float_digits",
        ]
        (folder / "users.txt").write_text('"postgres" ""\n')
        (folder / "pgbouncer.ini").write_text("\n".join(lines) + "\n")
        return [str(folder / "pgbouncer.ini")]

    return arguments


@contextmanager
def serving(
    binary: str,
    arguments: Callable[[Path, int], list[str]],
    folder: Path,
    user: str | None,
    ends_by: str,
) -> Iterator[int]:
    """The port on which the server listens; tries another when somebody was quicker.

    `ends_by` is the signal that ends this server without waiting for its clients.
    """
    log = folder / f"{Path(binary).name}.log"
    for _ in range(3):
        port = free_port()
        command = dies_with_us(binary, *arguments(folder, port), user=user, by=ends_by)
        with log.open("w") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder)
        try:
            if wait_until(lambda p=process, on=port: p.poll() is not None or answers(on)) and (
                process.poll() is None
            ):
                yield port
                return
        finally:
            stop(process, signal.Signals[f"SIG{ends_by}"])
    raise DidNotStartError(f"{binary} did not start; its log ends:\n{tail(log)}")


def stop(process: subprocess.Popen[bytes], by: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(by)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def chromium_path() -> str | None:
    found = (shutil.which(name) for name in CHROMIUM_NAMES)
    return next((path for path in found if path), None)
