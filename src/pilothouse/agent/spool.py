"""Results on disk until the server has them: bounded, in their order, whatever ends this process.

Lines of JSON in files that are appended to. What was sent stays until all of its file was sent, so
after a kill some are sent again; a result's id tells the server.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog

from pilothouse.checks.model.results import Result
from pilothouse.kernel.errors import Conflict
from pilothouse.kernel.faults import crash_point

log = structlog.get_logger("pilothouse.agent")

SEGMENT = 1_048_576  # bytes, about, of one file
MOST = 67_108_864  # bytes of all of them
MOST_EVIDENCE = 67_108_864
MOST_IN_MEMORY = 2000  # results, where the disk takes none
LONGEST_LINE = 4_194_304
READ = 1_048_576
ENDING = ".jsonl"
EVIDENCE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(slots=True)
class Spool:
    """One folder, of one agent."""

    folder: Path
    most: int = MOST
    dropped: int = 0  # results that there was no room for
    _segments: list[int] = field(default_factory=list)
    _sizes: dict[int, int] = field(default_factory=dict)
    _place: int = 0  # in the first segment: before it all were sent
    _out: int = -1
    _lock: int = -1
    _memory: deque[bytes] = field(default_factory=lambda: deque(maxlen=MOST_IN_MEMORY))
    _lines: int = 0  # that wait on disk

    def open(self) -> None:
        """Take the folder, and what an earlier run left in it. Raises Conflict if it is in use."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            self._lock = -1
            raise Conflict(
                f"another agent uses {self.folder}: give this one a --name or a --spool of its own"
            ) from None
        names = (file.stem for file in self.folder.glob(f"*{ENDING}"))
        self._segments = sorted(int(name) for name in names if name.isdigit())
        for number in self._segments:
            self._mend(number)
        self._begin()

    def close(self) -> None:
        """Let go of the folder."""
        for descriptor in (self._out, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._out = self._lock = -1

    def _mend(self, number: int) -> None:
        """Cut off a last line that was not written to its end; count the others."""
        data = self._path(number).read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole != len(data):
            os.truncate(self._path(number), whole)
            log.warning("agent.spool_mended", bytes=len(data) - whole)
        self._sizes[number] = whole
        self._lines += data.count(b"\n", 0, whole)

    def _begin(self) -> None:
        """A new file for what comes."""
        if self._out >= 0:
            os.close(self._out)
        number = (self._segments[-1] if self._segments else 0) + 1
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._out = os.open(self._path(number), flags, 0o600)
        self._segments.append(number)
        self._sizes[number] = 0

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:012d}{ENDING}"

    @property
    def waiting(self) -> int:
        """How many results wait."""
        return self._lines + len(self._memory)

    def add(self, result: Result) -> None:
        """Keep a result. When this returns, a kill of this process does not lose it."""
        line = msgspec.json.encode(result) + b"\n"
        if len(line) > LONGEST_LINE:
            log.error("agent.result_too_long", check=result.check, bytes=len(line))
            return
        crash_point("agent.seen")
        last = self._segments[-1]
        try:
            if self._sizes[last] >= SEGMENT:
                self._begin()
                last = self._segments[-1]
            written = os.write(self._out, line)
            if written != len(line):  # the disk is full: what is half there must not be read
                os.ftruncate(self._out, self._sizes[last])
                raise OSError(28, "no space left")  # noqa: TRY301
        except OSError as error:
            log.warning("agent.spool_full", error=str(error))
            self.dropped += len(self._memory) == MOST_IN_MEMORY
            self._memory.append(line)
            return
        self._sizes[last] += len(line)
        self._lines += 1
        crash_point("agent.kept")
        while sum(self._sizes.values()) > self.most and len(self._segments) > 1:
            self._drop()

    def _drop(self) -> None:
        """Make room: the oldest go first."""
        number = self._segments[0]
        with suppress(OSError):
            lost = self._path(number).read_bytes().count(b"\n", self._place)
            self._lines -= lost
            self.dropped += lost
            log.warning("agent.results_dropped", results=lost, why="the spool is full")
        self._forget()

    def _forget(self) -> None:
        number = self._segments.pop(0)
        self._sizes.pop(number)
        self._place = 0
        self._path(number).unlink(missing_ok=True)

    def peek(self, most: int, most_bytes: int = READ) -> list[bytes]:
        """The oldest results that wait, as JSON, from one file; [] when none does."""
        self._pass_by()
        if self._lines == 0:
            return self._from_memory(most, most_bytes)
        with self._path(self._segments[0]).open("rb") as file:
            file.seek(self._place)
            data = file.read(most_bytes)
            if b"\n" not in data:  # one that is longer alone
                data += file.readline(LONGEST_LINE)
        lines = data[: data.rfind(b"\n") + 1].splitlines(keepends=True)
        return lines[:most]

    def _from_memory(self, most: int, most_bytes: int) -> list[bytes]:
        taken, size = [], 0
        for line in self._memory:
            size += len(line)
            if len(taken) == most or (taken and size > most_bytes):
                break
            taken.append(line)
        return taken

    def done(self, lines: list[bytes]) -> None:
        """The server has these, which `peek` gave, or never will: forget them."""
        crash_point("agent.posted")
        if self._lines == 0:
            for _ in lines:
                self._memory.popleft()
            return
        self._place += sum(len(line) for line in lines)
        self._lines -= len(lines)
        self._pass_by()

    def _pass_by(self) -> None:
        """Remove files of which all was sent; the last one is emptied."""
        while len(self._segments) > 1 and self._place >= self._sizes[self._segments[0]]:
            self._forget()
        only = self._segments[0]
        if len(self._segments) == 1 and self._place >= self._sizes[only] > 0:
            os.ftruncate(self._out, 0)
            self._sizes[only] = self._place = 0

    def add_evidence(self, number: int, files: Mapping[str, bytes]) -> None:
        """Keep files that a result named, until they are sent or there is no room."""
        folder = self.folder / "evidence" / str(number)
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            for name, data in files.items():
                if EVIDENCE.fullmatch(name):
                    (folder / name).write_bytes(data)
        kept = sorted((self.folder / "evidence").iterdir(), key=lambda one: int(one.name))
        sizes = {one: sum(file.stat().st_size for file in one.iterdir()) for one in kept}
        while sum(sizes.values()) > MOST_EVIDENCE and kept:
            oldest = kept.pop(0)
            sizes.pop(oldest)
            shutil.rmtree(oldest, ignore_errors=True)

    def evidence(self) -> list[Path]:
        """Files that wait, the oldest first: …/{result}/{name}."""
        root = self.folder / "evidence"
        return sorted(root.glob("*/*")) if root.is_dir() else []

    def sent(self, file: Path) -> None:
        """A file is at the server, or will never be."""
        file.unlink(missing_ok=True)
        with suppress(OSError):
            file.parent.rmdir()
