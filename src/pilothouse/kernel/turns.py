"""Writers of one SQLite file write in turn: threads of a process, and processes of a machine.

SQLite's own waiting is by polling, up to 100 ms apart: a process whose threads write one after the
other leaves another process no gap. A lock on a file is waited for in the kernel, which wakes who
waits, and lets go when its holder is killed. It is for order only: SQLite's own lock stays.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Turns:
    """The turns of one database file; None for a database in memory."""

    path: str | None
    _lock: Any = field(default_factory=threading.RLock)  # Any: msgspec looks into dataclasses
    _depth: int = 0
    _file: int | None = None

    @contextmanager
    def mine(self) -> Generator[None]:
        """Wait for the turn, and have it."""
        with self._lock:
            if self._depth == 0:
                self._take()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0 and self._file is not None:
                    fcntl.flock(self._file, fcntl.LOCK_UN)

    def _take(self) -> None:
        if self.path is None:
            return
        with suppress(OSError):  # a file system without locks: SQLite's own polling then
            if self._file is None:
                self._file = os.open(f"{self.path}-turn", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)
