"""Who draws: this process, or several of their own, polite where a portal is being asked."""

from __future__ import annotations

import gc
import itertools
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import IO, Any, Protocol

import msgspec

from pilothouse.export.model import Drawn, Failed, Planned
from pilothouse.export.outside.drawing import Painter, Site
from pilothouse.kernel.errors import Conflict
from pilothouse.kernel.program import Program
from pilothouse.kernel.settings import Settings

COMMAND = "draw-pages"  # of the command line, not for people
BATCH = 20  # pages asked for at once
FEW = 300  # pages that are drawn sooner than other processes have started
COLLECT_EVERY = 10  # batches
POLITE = 5  # niceness of the processes that draw
_HEAD = struct.Struct(">I")

Wanted = Sequence[tuple[Planned, str]]


class Painters(Protocol):
    """Draws pages of one copy, in any order."""

    def draw(self, wanted: Wanted) -> Iterator[list[Drawn | Failed]]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Alone:
    """This process draws."""

    painter: Painter

    def draw(self, wanted: Wanted) -> Iterator[list[Drawn | Failed]]:
        for start in range(0, len(wanted), BATCH):
            yield self.painter.draw(wanted[start : start + BATCH])

    def close(self) -> None:
        """Nothing to end."""


class Setup(msgspec.Struct, frozen=True):
    """The first message to a process that draws."""

    settings: Settings
    site: Site
    polite: bool


class Batch(msgspec.Struct, frozen=True):
    """Pages that it is to draw, each with the digest known."""

    wanted: list[tuple[Planned, str]]


class Answer(msgspec.Struct, frozen=True):
    """What came of a batch."""

    drawn: list[Drawn]
    failed: list[Failed]


class Several:
    """Processes that draw. They end when this one does, however it ends: their input does."""

    def __init__(self, first: Setup, many: int) -> None:
        data = msgspec.msgpack.encode(first)
        self._running = [_start() for _ in range(many)]
        for process in self._running:
            _write(process.stdin, data)

    def draw(self, wanted: Wanted) -> Iterator[list[Drawn | Failed]]:
        """Raises Conflict when a process ends before its work."""
        parts = [list(wanted[at : at + BATCH]) for at in range(0, len(wanted), BATCH)]
        todo = iter(parts)
        done: SimpleQueue[list[Drawn | Failed] | Exception] = SimpleQueue()
        turn = threading.Lock()

        def feed(process: subprocess.Popen[bytes]) -> None:
            try:
                while True:
                    with turn:
                        part = next(todo, None)
                    if part is None:
                        return
                    _write(process.stdin, msgspec.msgpack.encode(Batch(part)))
                    answer = _read(process.stdout, Answer)
                    done.put([*answer.drawn, *answer.failed])
            except Exception as error:  # noqa: BLE001  (raised where it is waited for)
                done.put(error)

        for process in self._running:
            threading.Thread(target=feed, args=(process,), name="draw", daemon=True).start()
        for _ in parts:
            answer = done.get()
            if isinstance(answer, Exception):
                raise Conflict(f"a process that draws pages ended: {answer}") from answer
            yield answer

    def close(self) -> None:
        """End them."""
        for process in self._running:
            for stream in (process.stdin, process.stdout):
                with suppress(OSError):
                    stream.close()  # pyright: ignore[reportOptionalMemberAccess]
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=1)
            process.kill()
            process.wait()


def painters(program: Program, site: Site, pages: int, *, apart: bool) -> Painters:
    """Whoever is to draw so many pages; `apart`: never this process, which has others to serve."""
    if pages <= FEW and not apart:
        return Alone(Painter(program, site))
    many = 1 if pages <= FEW else max(1, min(4, len(os.sched_getaffinity(0))))
    return Several(Setup(program.settings, site, polite=apart), many)


def serve(open_program: Any) -> None:
    """Be a process that draws: batches in at stdin, pages out at stdout, until stdin ends."""
    source, out = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not come among the pages
    try:
        setup = _read(source, Setup)
        if setup.polite:
            os.nice(POLITE)
        painter = Painter(open_program(setup.settings), setup.site)
        _rest()
        for number in itertools.count(1):
            answers = painter.draw(_read(source, Batch).wanted)
            if not number % COLLECT_EVERY:
                gc.collect()
            drawn = [answer for answer in answers if isinstance(answer, Drawn)]
            failed = [answer for answer in answers if isinstance(answer, Failed)]
            _write(out, msgspec.msgpack.encode(Answer(drawn, failed)))
    except (EOFError, BrokenPipeError):
        return


def _rest() -> None:
    """What stays need not be looked through; what is drawn is let go of after a few batches."""
    gc.collect()
    gc.freeze()
    gc.disable()


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pilothouse.cli", COMMAND]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _write(stream: IO[bytes] | None, data: bytes) -> None:
    if stream is None:
        raise EOFError
    stream.write(_HEAD.pack(len(data)) + data)
    stream.flush()


def _read(stream: IO[bytes] | None, kind: type[Any]) -> Any:
    """Raises EOFError when the other side ended."""
    head = stream.read(_HEAD.size) if stream else b""
    if stream is None or len(head) < _HEAD.size:
        raise EOFError("it closed its end")
    (length,) = _HEAD.unpack(head)
    data = stream.read(length)
    if len(data) < length:
        raise EOFError("it closed its end")
    return msgspec.msgpack.decode(data, type=kind)
