"""Results on disk until the server has them: bounded, in their order, whatever ends this process.

Lines of JSON in files that are appended to. What was sent stays until all of its file was sent, so
after a kill some are sent again; a result's id tells the server.
"""

from __future__ import annotations

import errno
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


@dataclass(frozen=True, slots=True)
class Peeked:
    """Results that wait, as JSON, and the ticket that `done` wants of whoever posted them.

    Results are numbered as they leave, on disk and in memory: what came or was dropped while a
    post was under way is never taken for what was posted.
    """

    lines: list[bytes]
    first: int  # the number of the first of them
    memory: bool = False


@dataclass(slots=True)
class _Segment:
    number: int
    size: int = 0  # bytes
    lines: int = 0  # that wait in it


@dataclass(slots=True)
class Spool:
    """One folder, of one agent."""

    folder: Path
    most: int = MOST
    dropped: int = 0  # results that there was no room for
    _segments: list[_Segment] = field(default_factory=list)
    _place: int = 0  # in the first segment: before it all were sent
    _torn: bool = False  # the last one has a piece at its end that is no result
    _out: int = -1
    _lock: int = -1
    _memory: deque[bytes] = field(default_factory=deque)
    _left_disk: int = 0  # results, sent or dropped
    _left_memory: int = 0

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
        for number in sorted(int(name) for name in names if name.isdigit()):
            self._segments.append(self._mended(number))
        self._begin()

    def close(self) -> None:
        """Let go of the folder."""
        for descriptor in (self._out, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._out = self._lock = -1

    def _mended(self, number: int) -> _Segment:
        """Cut off a last line that was not written to its end; count the others."""
        data = self._path(number).read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole != len(data):
            os.truncate(self._path(number), whole)
            log.warning("agent.spool_mended", bytes=len(data) - whole)
        return _Segment(number, whole, data.count(b"\n", 0, whole))

    def _begin(self) -> None:
        """A new file for what comes. Where none can be opened, the one before stays in use."""
        number = (self._segments[-1].number if self._segments else 0) + 1
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        before, self._out = self._out, os.open(self._path(number), flags, 0o600)
        self._segments.append(_Segment(number))
        self._torn = False
        if before >= 0:
            os.close(before)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:012d}{ENDING}"

    @property
    def waiting(self) -> int:
        """How many results wait."""
        return sum(segment.lines for segment in self._segments) + len(self._memory)

    def add(self, result: Result) -> None:
        """Keep a result. When this returns, a kill of this process does not lose it."""
        line = msgspec.json.encode(result) + b"\n"
        if len(line) > LONGEST_LINE:
            log.error("agent.result_too_long", check=result.check, bytes=len(line))
            return
        crash_point("agent.seen")
        try:
            self._append(line)
        except OSError as error:
            if self._keep_in_memory(line) == 1:  # said once, not for each
                log.warning("agent.spool_full", error=str(error))
            return
        crash_point("agent.kept")
        while sum(segment.size for segment in self._segments) > self.most:
            if len(self._segments) == 1:
                return
            self._drop()

    def _append(self, line: bytes) -> None:
        """Raises OSError when the disk does not take it; nothing of it is there then."""
        if self._torn:
            self._mend_end()
        if self._segments[-1].size >= SEGMENT:
            self._begin()
        last = self._segments[-1]
        if os.write(self._out, line) != len(line):  # what is half there must not be read
            self._torn = True
            self._mend_end()
            raise OSError(errno.ENOSPC, "no space left")
        last.size += len(line)
        last.lines += 1

    def _mend_end(self) -> None:
        os.ftruncate(self._out, self._segments[-1].size)
        self._torn = False

    def _keep_in_memory(self, line: bytes) -> int:
        if len(self._memory) >= MOST_IN_MEMORY:
            self._memory.popleft()
            self._left_memory += 1
            self.dropped += 1
        self._memory.append(line)
        return len(self._memory)

    def _drop(self) -> None:
        """Make room: the oldest go first."""
        lost = self._segments[0].lines
        self._left_disk += lost
        self.dropped += lost
        log.warning("agent.results_dropped", results=lost, why="the spool is full")
        self._forget()

    def _forget(self) -> None:
        segment = self._segments.pop(0)
        self._place = 0
        self._path(segment.number).unlink(missing_ok=True)

    def peek(self, most: int, most_bytes: int = READ) -> Peeked:
        """The oldest results that wait, from one file, else from memory; no lines when none do."""
        self._pass_by()
        first = self._segments[0]
        if not first.lines:
            return Peeked(self._from_memory(most, most_bytes), self._left_memory, memory=True)
        with self._path(first.number).open("rb") as file:
            file.seek(self._place)
            data = file.read(min(most_bytes, first.size - self._place))
            if b"\n" not in data:  # one that is longer alone
                data += file.readline(LONGEST_LINE)
        lines = data[: data.rfind(b"\n") + 1].splitlines(keepends=True)
        return Peeked(lines[:most], self._left_disk)

    def _from_memory(self, most: int, most_bytes: int) -> list[bytes]:
        taken, size = [], 0
        for line in self._memory:
            size += len(line)
            if len(taken) == most or (taken and size > most_bytes):
                break
            taken.append(line)
        return taken

    def done(self, peeked: Peeked) -> None:
        """The server has these, or never will: forget those that are still here."""
        crash_point("agent.posted")
        left = self._left_memory if peeked.memory else self._left_disk
        here = peeked.lines[max(0, left - peeked.first) :]
        if peeked.memory:
            self._left_memory += len(here)
            for _ in here:
                self._memory.popleft()
            return
        self._left_disk += len(here)
        self._place += sum(len(line) for line in here)
        self._segments[0].lines -= len(here)
        self._pass_by()

    def _pass_by(self) -> None:
        """Remove files of which all was sent; the last one is emptied."""
        while len(self._segments) > 1 and not self._segments[0].lines:
            self._forget()
        only = self._segments[0]
        if not only.lines and only.size:
            os.ftruncate(self._out, 0)
            only.size = self._place = 0
            self._torn = False

    def add_evidence(self, number: int, files: Mapping[str, bytes]) -> None:
        """Keep files that a result named, until they are sent or there is no room."""
        folder = self.folder / "evidence" / str(number)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, data in files.items():
                if EVIDENCE.fullmatch(name):
                    (folder / name).write_bytes(data)
        except OSError as error:  # half a picture is none
            log.warning("agent.evidence_not_kept", error=str(error))
            shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            self._make_room()

    def _make_room(self) -> None:
        """The oldest evidence goes first."""
        all_of = (one for one in (self.folder / "evidence").iterdir() if one.name.isdigit())
        kept = sorted(all_of, key=lambda one: int(one.name))
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
