"""Objects of a git repository, read through one long-lived process."""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilothouse.catalog.outside import git, processes
from pilothouse.catalog.outside.failures import SourceUnreachable
from pilothouse.catalog.outside.paths import size_of
from pilothouse.kernel.errors import Invalid

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


@dataclass(slots=True)
class _Running:
    process: subprocess.Popen[bytes] | None = None

    def end(self) -> None:
        if self.process is not None:
            processes.end(self.process)
            self.process = None


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Blobs:
    """`git cat-file --batch`, started at the first read and ended with its owner."""

    repository: Path
    shown: str
    _running: _Running = field(default_factory=_Running, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def __post_init__(self) -> None:
        weakref.finalize(self, self._running.end)

    def read(self, blob: str, path: str, limit: int) -> bytes:
        """An object's bytes. Raises Invalid when there are more than `limit` of them.

        `path` is what the object is called in messages.
        """
        with self._lock:
            try:
                return self._read(blob, path, limit)
            except (OSError, ValueError, EOFError):
                self._running.end()
            try:
                return self._read(blob, path, limit)
            except (OSError, ValueError, EOFError):
                self._running.end()
                raise SourceUnreachable(
                    f"{self.shown}: git cannot read {path}; the copy of the repository may be "
                    "damaged, or gone"
                ) from None

    def close(self) -> None:
        with self._lock:
            self._running.end()

    def _read(self, blob: str, path: str, limit: int) -> bytes:
        process = self._started()
        if process.stdin is None or process.stdout is None:
            raise EOFError
        process.stdin.write(f"{blob}\n".encode())
        process.stdin.flush()
        head = process.stdout.readline().split()
        if len(head) != 3 or head[1] != b"blob":  # noqa: PLR2004 - <id> blob <size>
            raise EOFError
        size = int(head[2])
        if size > limit:
            self._running.end()  # cheaper than reading past it
            raise Invalid(f"{path} is larger than {size_of(limit)}, which is the limit")
        data = process.stdout.read(size + 1)
        if len(data) != size + 1:
            raise EOFError
        return data[:size]

    def _started(self) -> subprocess.Popen[bytes]:
        if self._running.process is None:
            argv = git.command(self.repository, "cat-file", "--batch")
            self._running.process = processes.start(argv, git.environ(), given=True)
        return self._running.process
