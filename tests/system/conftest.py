"""Fixtures of whole programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.kernel.opening import opened
from tests.system import bells

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pilothouse.kernel.tx import Database


@pytest.fixture
def ringing(tmp_path: Path) -> bells.Bells:
    """An installed package that brings a module with jobs, a handler, a kind and a panel."""
    folder = tmp_path / "bells"
    folder.mkdir()
    return bells.make(folder)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """The database of the programs in a test, to look into."""
    yield from opened(database_url)
