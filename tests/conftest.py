"""Fixtures for every test: real databases, a real browser, real processes of the program."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from tests import programs, servers
from xdist.scheduler import LoadScopeScheduling

from pilothouse.kernel import migrations
from pilothouse.kernel.db import connect
from pilothouse.kernel.tx import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page


# How long an example takes says how busy the machine is, not whether the rule is right.
hypothesis.settings.register_profile(
    "pilothouse", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("pilothouse")

LINES, LETTERS = 30, 4000  # of what is told of a failure at once


# Whole programs that are looked at in a browser, not timed: they may run beside the others.
BROWSED = tuple(
    f"tests/system/test_{name}.py" for name in ("account_pages", "export", "pages", "sign_in")
)


class Shared(LoadScopeScheduling):
    """Whole programs share one worker: two of their tests at once would measure each other.

    What xdist's own groups are for; they do nothing under pytest 9.2 (xdist 3.8 marks `_nodeid`).
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith("tests/system/test_demo"):  # most of it is waiting
            return "walk"
        if nodeid.startswith(BROWSED):
            return "browsed"
        if nodeid.startswith("tests/system/"):
            return "system"
        if nodeid.startswith("tests/demo/"):  # a company is founded once a worker
            return nodeid.partition("::")[0]
        return nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Shared:
    return Shared(config, log)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Tell of a failure at once: a run that is cut off later has told of it then."""
    if report.failed and os.environ.get("PYTEST_XDIST_WORKER") is None:
        said = "\n".join(report.longreprtext.splitlines()[-LINES:])
        sys.stdout.write(f"\nFAILED {report.nodeid} ({report.when})\n{said[-LETTERS:]}\n")
        sys.stdout.flush()


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Postgres]:
    """PostgreSQL behind PgBouncer, started once in each worker that asks for it."""
    binaries = servers.postgres_binaries()
    if binaries is None:
        pytest.skip(servers.NEEDS_POSTGRES)
    with servers.running_postgres(binaries) as running:
        yield running


@pytest.fixture(scope="session")
def postgres_shaped(postgres: servers.Postgres) -> Iterator[str]:
    """A PostgreSQL database of this program's shape, which others are copies of."""
    with postgres.database() as name:
        shape(postgres.url(name, pooled=False))
        yield name


@pytest.fixture(scope="session")
def sqlite_shaped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file of this program's shape, which others are copies of."""
    path = tmp_path_factory.mktemp("shaped") / "pilothouse.db"
    shape(f"sqlite:///{path}")
    return path


def shape(url: str) -> None:
    """Once a worker: to migrate costs more than most tests of what stands on a database."""
    db = Database(connect(url))
    migrations.upgrade(db)
    db.engine.dispose()


@pytest.fixture
def postgres_url(postgres: servers.Postgres, request: pytest.FixtureRequest) -> Iterator[str]:
    """A new PostgreSQL database with nothing in its tables, through PgBouncer.

    It has no tables at all where a test is marked `empty`.
    """
    with (
        postgres.database()
        if request.node.get_closest_marker("empty")
        else postgres.copy(request.getfixturevalue("postgres_shaped"))
    ) as name:
        yield postgres.url(name)


@pytest.fixture
def sqlite_url(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A new SQLite file with nothing in its tables; where a test is marked `empty`, none yet."""
    path = tmp_path / "pilothouse.db"
    if not request.node.get_closest_marker("empty"):
        shutil.copyfile(request.getfixturevalue("sqlite_shaped"), path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A new database with nothing in its tables; the test runs once on each of the two."""
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_database_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Like `database_url`, one for a module: for tests that only read what its fixture wrote."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("shared") / "pilothouse.db"
        shutil.copyfile(request.getfixturevalue("sqlite_shaped"), path)
        yield f"sqlite:///{path}"
        return
    postgres: servers.Postgres = request.getfixturevalue("postgres")
    with postgres.copy(request.getfixturevalue("postgres_shaped")) as name:
        yield postgres.url(name)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[programs.Programs]:
    """Call it to start `pilothouse ARGUMENTS`; what still runs after the test is killed."""
    yield from programs.started_programs(tmp_path)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, once a module: its driver occupies the thread's event loop while it lives."""
    path = servers.chromium_path()
    if path is None:
        pytest.skip(servers.NEEDS_CHROMIUM)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        running = driver.chromium.launch(
            executable_path=path,
            args=servers.CHROMIUM_ARGUMENTS,
            chromium_sandbox=os.geteuid() != 0,  # as root it cannot run
        )
        yield running
        running.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """An empty tab without cookies; a script that throws, or is refused, fails the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    errors: list[str] = []
    view = context.new_page()
    view.on("pageerror", lambda error: errors.append(str(error)))
    view.on(
        "console",
        lambda said: errors.append(said.text) if "Content Security" in said.text else None,
    )
    yield view
    context.close()
    assert not errors, f"the browser complained: {errors}"
