"""A copy in a folder: files appear whole, and nothing that others wrote is touched."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO

from pilothouse.export.model import MANIFEST
from pilothouse.kernel.errors import Conflict, Invalid

FEW = 50  # files that are brought to the disk one by one; of more, everything at once
PARTS = ".pilothouse-parts"  # where files are written before they are put in their places


class Folder:
    """A folder with a copy, or an empty one; held by one run at a time."""

    def __init__(self, path: Path) -> None:
        """Raises Invalid for a folder with other things in it, Conflict when a run has it."""
        self.path = path
        self._number = 0
        self._written: list[Path] = []  # since all was known to be on the disk
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._check()
            self._lock = self._take()
            shutil.rmtree(path / PARTS, ignore_errors=True)  # of a run that did not end
            (path / PARTS).mkdir()
        except OSError as error:
            raise Invalid(f"{path} cannot be written: {error.strerror}") from error

    def _check(self) -> None:
        there = {entry.name for entry in self.path.iterdir()}
        if there <= {PARTS, f"{MANIFEST}.lock"} or MANIFEST in there:
            return
        raise Invalid(
            f"{self.path} is not empty and no copy of a portal. Name an empty folder, or one that "
            "pilothouse export wrote."
        )

    def _take(self) -> IO[bytes]:
        lock = (self.path / f"{MANIFEST}.lock").open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise Conflict(f"another pilothouse export is writing {self.path}") from error
        return lock

    def read(self, name: str) -> bytes | None:
        """A file of the copy; None when it is not there."""
        with suppress(FileNotFoundError):
            return (self.path / name).read_bytes()
        return None

    def write(self, name: str, data: bytes) -> None:
        """Put a file in its place, whole."""
        target = self.path / name
        self._number += 1
        part = self.path / PARTS / str(self._number)
        part.write_bytes(data)
        if name == MANIFEST:  # it says what is there, so it is whole whatever happens
            _sync(part)
        try:
            part.replace(target)
        except (FileNotFoundError, NotADirectoryError):
            target.parent.mkdir(parents=True, exist_ok=True)
            part.replace(target)
        self._written.append(target)

    def missing(self, names: Iterable[str], *, thorough: bool) -> set[str]:
        """Which of these files are not there."""
        del thorough  # looking is cheap
        there: set[str] = set()
        top = str(self.path)
        for folder, _, files in os.walk(top):
            inner = folder[len(top) + 1 :].replace(os.sep, "/")
            there.update(f"{inner}/{file}" if inner else file for file in files)
        return {name for name in names if name not in there}

    def remove(self, names: Iterable[str]) -> None:
        """Take files away, and the folders that are empty then."""
        folders: set[Path] = set()
        for name in names:
            path = self.path / name
            path.unlink(missing_ok=True)
            folders.update(parent for parent in path.parents if parent.is_relative_to(self.path))
        folders.discard(self.path)
        for folder in sorted(folders, key=lambda one: len(one.parts), reverse=True):
            with suppress(OSError):  # something is in it still
                folder.rmdir()

    def settle(self) -> None:
        """Wait until the disk has what was written: after it the manifest may say so."""
        written, self._written = self._written, []
        if len(written) > FEW:
            os.sync()
            return
        for path in dict.fromkeys(written):
            with suppress(FileNotFoundError):  # somebody took it away
                _sync(path)
        for folder in dict.fromkeys(path.parent for path in written):
            with suppress(OSError):  # not every file system can
                _sync(folder)

    def close(self) -> None:
        """Let others have it."""
        shutil.rmtree(self.path / PARTS, ignore_errors=True)
        self._lock.close()

    def __str__(self) -> str:
        return str(self.path)


def _sync(path: Path) -> None:
    """Have the disk keep a file, or the names in a folder."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
