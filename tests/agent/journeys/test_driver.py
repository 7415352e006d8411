"""Where an installation is root's alone, the driver is lent to who walks."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilothouse.agent.journeys import driver


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Not below pytest's own folder, which lets nobody but us through."""
    with tempfile.TemporaryDirectory(prefix="pilothouse-drivers-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def hidden(open_folder: Path) -> Path:
    """A driver that only we get to."""
    hidden = open_folder / "mine" / "driver"
    (hidden / "package").mkdir(parents=True)
    hidden.parent.chmod(0o700)
    (hidden / "node").write_text("#!/bin/sh\n")
    (hidden / "node").chmod(0o755)
    (hidden / "package" / "cli.js").write_text("// walks")
    (hidden / "package" / "package.json").write_text("{}")
    return hidden


def test_a_driver_that_everybody_gets_to_stays_where_it_is(hidden: Path) -> None:
    hidden.parent.chmod(0o755)
    assert driver.placed(hidden, hidden.parent) == hidden


def test_a_hidden_driver_is_linked_once(hidden: Path, open_folder: Path) -> None:
    assert not driver.reachable(hidden)
    place = driver.placed(hidden, open_folder)
    assert driver.reachable(place / "node")
    assert (place / "package" / "cli.js").read_text() == "// walks"
    assert os.stat(place / "node").st_ino == os.stat(hidden / "node").st_ino  # noqa: PTH116
    assert not place.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    assert driver.placed(hidden, open_folder) == place
    assert sorted(path.name for path in open_folder.iterdir()) == ["mine", place.name]


def test_a_place_that_somebody_else_prepared_is_not_used(hidden: Path, open_folder: Path) -> None:
    place = driver.placed(hidden, open_folder)
    place.chmod(0o777)
    with pytest.raises(PermissionError, match="somebody else's"):
        driver.placed(hidden, open_folder)
