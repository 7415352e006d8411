"""Noticing changes of files."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING

import pytest

from pilothouse.catalog.outside.watch import watch

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def watched(tmp_path: Path):
    """A folder, and a queue of what was noticed in it."""
    seen: queue.Queue[set[Path]] = queue.Queue()
    stop = threading.Event()
    thread = threading.Thread(target=watch, args=([tmp_path], seen.put, stop), daemon=True)
    thread.start()
    assert seen.get(timeout=30) == {tmp_path}  # it watches now, and what was before is to be read
    yield tmp_path, seen
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_a_change_is_told_within_a_fraction_of_a_second(watched) -> None:
    folder, seen = watched
    began = time.monotonic()
    (folder / "catalog-info.yaml").write_text("x")

    assert folder / "catalog-info.yaml" in seen.get(timeout=5)
    assert time.monotonic() - began < 15


def test_gits_own_files_and_ours_are_not_told(watched) -> None:
    folder, seen = watched
    for name in (".git", ".pilothouse", "node_modules"):
        (folder / name).mkdir()
        (folder / name / "x").write_text("x")
    (folder / "a.yaml").write_text("x")
    told: set[Path] = set()
    while folder / "a.yaml" not in told:
        told |= seen.get(timeout=5)

    assert not any(path.name == "x" for path in told)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        watch([tmp_path / "absent" / "file"], lambda _: None, threading.Event())
