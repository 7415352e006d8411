"""Fixtures of sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.auth.browsing import MODULES, Browser, add, generous, portal

from pilothouse.kernel import migrations
from pilothouse.kernel.actors import Role
from pilothouse.kernel.program import connected
from pilothouse.kernel.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kernel.portal import Portal

    from pilothouse.kernel.tx import Database


@pytest.fixture
def running(sqlite_url: str) -> Iterator[Portal]:
    """A portal with one user of each role."""
    with generous(), portal(sqlite_url) as found:
        for role in (Role.VIEWER, Role.RESPONDER, Role.EDITOR, Role.ADMIN):
            add(found.program, role.name.lower(), role)
        yield found


@pytest.fixture
def browser(running: Portal) -> Browser:
    return Browser.of(running)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """Each of the two databases, with what the catalog says of people and owners."""
    found = connected(Settings(database_url=database_url), MODULES)
    migrations.upgrade(found)
    yield found
    found.engine.dispose()
