"""Background work of the catalog: bringing what sources say into it, and keeping up with them."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import structlog

from pilothouse import __version__
from pilothouse.catalog.model import Commit, FileReading, FileState, Source, Tally
from pilothouse.catalog.outside import sources as outside
from pilothouse.catalog.outside import watch
from pilothouse.catalog.outside.specs import watched
from pilothouse.catalog.rules.intervals import next_interval
from pilothouse.catalog.service import passes, reading
from pilothouse.kernel.db import DatabaseAway
from pilothouse.kernel.errors import NotFound, PilothouseError
from pilothouse.kernel.faults import crash_point
from pilothouse.kernel.jobs import JobKind, waiting
from pilothouse.kernel.jobs.worker import Work
from pilothouse.kernel.module import Kind
from pilothouse.kernel.program import Program
from pilothouse.kernel.tx import Database

log = structlog.get_logger("pilothouse.catalog")

SYNC = "catalog.sync"
READ = "catalog.source_read"  # the type of the event that tells of a look
MOST_ATTEMPTS = 2  # of a job that a lint waits for
MOST_BYTES = 50_000_000  # of one file that a placeholder brings in
CATALOG_BYTES = 5_000_000  # of one catalog file
CHUNK_FILES = 100  # written in one transaction, which others wait for
CHUNK_ENTITIES = 600
MANY = 500  # entities; when so many came, and each time twice as many, plans are made anew
PATIENCE = 20.0  # seconds that a new source waits for those named before it
TURN_POLL = 0.1

THERE, ABSENT = "there", ""  # of what a Location names; of what a placeholder names its stamp

_EVER = datetime.min.replace(tzinfo=UTC)


class Look(msgspec.Struct, frozen=True):
    """What a look at a source came to."""

    tally: Tally
    wait: int  # seconds until the next one
    failed: str | None = None


@dataclass(slots=True)
class Pass:
    """One look at one source, from its files to the catalog."""

    db: Database
    source: Source
    origin: outside.Source
    kinds: Mapping[str, Kind]
    tally: Tally = field(default_factory=Tally)
    touched: set[str] = field(default_factory=set)
    commits: dict[str, Commit] = field(default_factory=dict)
    known: dict[str, FileState] = field(default_factory=dict)
    stamps: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)  # paths whose commits were asked for
    _done: int = 0
    _analysed: int = MANY // 2  # entities that were touched when the database last planned anew

    def run(self) -> bool:
        """Bring the catalog to what the source says now; False when nothing had changed."""
        began_at = self._prepare()
        todo = [path for path, stamp in self.stamps.items() if not self._same(path, stamp)]
        self._ask_commits(todo)
        wrote = False
        for chunk in self._chunks(self._walk()):
            if not wrote:
                wrote = True
                with self.db.begin() as tx:
                    passes.begin(tx, self.source, len(todo))
            self._take(chunk)
        dropped = self.known.keys() - self.seen
        if wrote or dropped or self.source.unsettled:
            self._settle(dropped, began_at)
            return True
        return False

    def _since(self) -> str | None:
        return (self.source.revision or "").partition(":")[2] or None

    def _prepare(self) -> datetime:
        with self.db.read() as tx:
            self.known = passes.known_files(tx, self.source)
            # What a pass that was cut off added may be what an entity that went was renamed to.
            began_at = (self.source.checked_at or _EVER) if self.source.unsettled else tx.now
        self.stamps = {path: _salted(self.kinds, s) for path, s in self.origin.discover().items()}
        return began_at

    def _same(self, path: str, stamp: str) -> bool:
        state = self.known.get(path)
        if state is None or state.stamp != stamp:
            return False
        return all(self._as_before(target, was) for target, was in state.reads.items())

    def _as_before(self, target: str, was: str) -> bool:
        """Whether what a file names is there as it was, or still is not."""
        if was not in (THERE, ABSENT):
            return self._stamp(target) == was
        return self._is_there(target) == (was == THERE)

    def _stamp(self, target: str) -> str:
        return self.origin.stamps([target]).get(target, ABSENT)

    def _is_there(self, target: str) -> bool:
        if outside.is_glob(target):
            return bool(self.origin.glob(target))
        return target in self.stamps or self._stamp(target) != ABSENT

    def _walk(self) -> Iterator[FileReading]:
        """Files that are new or changed, in the order of their paths, then what they include."""
        queue = deque(sorted(self.stamps, key=_bytes))
        self.seen = set(queue)
        while queue:
            path = queue.popleft()
            stamp = self.stamps[path]
            if self._same(path, stamp):
                includes = self.known[path].includes
            else:
                if path not in self.asked:
                    self._ask_commits([path, *queue])
                file = self._read(path, stamp)
                includes = file.includes
                yield file
            for target in includes:
                for found in self._expand(target):
                    if found not in self.seen:
                        self.seen.add(found)
                        queue.append(found)

    def _expand(self, target: str) -> list[str]:
        """The files that a Location's path or glob names; their stamps are noted."""
        paths = self.origin.glob(target) if outside.is_glob(target) else [target]
        missing = [path for path in paths if path not in self.stamps]
        if missing:
            found = self.origin.stamps(missing)
            self.stamps |= {path: _salted(self.kinds, stamp) for path, stamp in found.items()}
        return [path for path in paths if path in self.stamps]

    def _read(self, path: str, stamp: str) -> FileReading:
        reads: dict[str, str] = {}

        def read(target: str) -> bytes:
            reads[target] = self._stamp(target)  # before it is read, lest it change in between
            return self.origin.read(target, MOST_BYTES)

        place = reading.Place(read, self.origin.glob, self._is_there, self.origin.local_path)
        try:
            data = self.origin.read(path, CATALOG_BYTES)
        except PilothouseError as error:
            file = reading.unreadable(path, stamp, error)
        else:
            file = reading.read_file(path, stamp, data, self.kinds, place)
        there = {one: THERE if self._is_there(one) else ABSENT for one in file.includes}
        return msgspec.structs.replace(
            file,
            includes=self._kept_includes(file),
            reads=there | reads,
            commit=self._commit(path, reads),
        )

    def _kept_includes(self, file: FileReading) -> tuple[str, ...]:
        """While something in a file is not valid, what it named before stays in the catalog too."""
        if file.path not in self.known or not (file.invalid or file.unreadable):
            return file.includes
        return tuple(dict.fromkeys([*file.includes, *self.known[file.path].includes]))

    def _ask_commits(self, paths: Iterable[str]) -> None:
        wanted = sorted(set(paths) - self.asked)
        self.asked.update(wanted)
        if wanted:
            self.commits |= self.origin.commits(wanted, self._since())

    def _commit(self, path: str, reads: Iterable[str]) -> Commit | None:
        """The commit that brought a file; where only what it reads is newer, that one's."""
        if path in self.commits or not self._since():
            return self.commits.get(path)
        self._ask_commits(reads)
        found = [self.commits[read] for read in reads if read in self.commits]
        return max(found, key=lambda commit: commit.at, default=None)

    def _chunks(self, files: Iterator[FileReading]) -> Iterator[list[FileReading]]:
        chunk: list[FileReading] = []
        size = 0
        for file in files:
            chunk.append(file)
            size += len(file.entities)
            if len(chunk) >= CHUNK_FILES or size >= CHUNK_ENTITIES:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    def _take(self, chunk: list[FileReading]) -> None:
        self._done += len(chunk)
        with self.db.begin() as tx:
            tally, touched = passes.take(tx, self.source, chunk, self._done)
        crash_point("catalog.taken")
        self.tally.add(tally)
        self.touched |= touched
        if len(self.touched) >= 2 * self._analysed:
            self._analyse()

    def _settle(self, dropped: set[str], began_at: datetime) -> None:
        gone = sorted(dropped)
        self._ask_commits(gone)
        with self.db.begin() as tx:
            moved, claimed = passes.drop_files(tx, self.source, gone, self.commits)
            tally, touched = passes.finish(tx, self.source, began_at, self.commits)
        crash_point("catalog.finished")
        self.tally.add(moved)
        self.tally.add(tally)
        self.touched |= claimed | touched
        if len(self.touched) >= MANY:
            self._analyse()
        if self.source.unsettled:  # an earlier pass was cut off: what it touched is not known
            with self.db.read() as tx:
                self.touched |= passes.all_refs(tx)
        with self.db.read() as tx:
            parts = passes.referring(tx, self.touched)
        hints = passes.Hints()
        for part in parts:
            with self.db.begin() as tx:
                passes.check_references(tx, part, hints)

    def _analyse(self) -> None:
        with self.db.begin() as tx:
            passes.analyse(tx)
        self._analysed = len(self.touched)


def _salted(kinds: Mapping[str, Kind], stamp: str | None) -> str:
    """A stamp that another version of the rules, or other kinds, would not recognise.

    So whatever is judged otherwise by a new program is read again at its first start.
    """
    rules = hashlib.sha256(" ".join([__version__, *sorted(kinds)]).encode()).hexdigest()
    return f"{rules[:12]}:{stamp or ''}"


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def look(
    program: Program, spec: str, await_turn: Callable[[Source], None] = lambda _: None
) -> Look:
    """Look at one source now: fetch it, and bring the catalog to what it says.

    `await_turn` is called between the two. Raises NotFound for a source that is not registered.
    A source that cannot be reached is written down as a problem, and keeps what it gave.
    """
    settings = program.settings
    with program.db.read() as tx:
        source = passes.source(tx, spec)
    bounds = {"shortest": settings.git_fetch_shortest, "longest": settings.git_fetch_longest}
    try:
        origin = outside.open_source(spec, Path(settings.data))
        origin.refresh(settings.git_timeout)
        await_turn(source)
        revision = origin.revision()
        known = source.revision == _salted(program.kinds, revision)
        if revision is not None and known and not source.unsettled:
            work = None
        else:
            work = Pass(program.db, source, origin, program.kinds)
        changed = work is not None and work.run()
    except PilothouseError as error:
        wait = next_interval(source.interval, changed=False, **bounds)
        with program.db.begin() as tx:
            passes.unreachable(tx, source, str(error), wait)
        log.warning("catalog.source_unreachable", source=spec, error=str(error))
        return Look(Tally(), wait, failed=str(error))
    wait = next_interval(source.interval, changed=changed, **bounds)
    with program.db.begin() as tx:
        salted, tally = _salted(program.kinds, revision), work.tally if work else Tally()
        moved = revision is None or not known
        ended = passes.Outcome(salted, tally, changed=changed, moved=moved, interval=wait)
        passes.end(tx, source, ended)
    if changed:
        log.info("catalog.synced", source=spec, **msgspec.structs.asdict(tally))
    return Look(tally, wait)


def _sync(work: Work) -> None:
    spec = work.job.data()["source"]

    def await_turn(source: Source) -> None:
        give_up = time.monotonic() + PATIENCE
        while not work.stopping.is_set() and time.monotonic() < give_up:
            with work.db.read() as tx:
                if passes.is_turn(tx, source):
                    return
            time.sleep(TURN_POLL)

    try:
        done = look(work.program, spec, await_turn)
    except NotFound:
        return  # no longer a source; the job ends
    except Exception as error:
        _tell_fault(work, spec, error)
        raise
    with work.finish(again_after=timedelta(seconds=done.wait)):
        pass


def _tell_fault(work: Work, spec: str, error: Exception) -> None:
    """A look failed for a reason nobody foresaw: it is tried again, and its source says so."""
    why = f"Pilothouse failed to read it ({type(error).__name__}); its log tells more."
    with work.db.begin() as tx:
        source = passes.source(tx, spec)
        passes.unreachable(tx, source, why, source.interval)


def judging(program: Program) -> list[str]:
    """Jobs of other modules that find problems in the files of a source, once it was looked at."""
    named = [kind.name for kind in program.job_kinds.values() if kind.judges]
    return [*program.db.handlers.get(READ, ()), *named] if named else []


def still_judged(program: Program, kinds: Sequence[str]) -> bool:
    """Whether such a job is still to be done; one that fails again and again is not waited for."""
    if not kinds:
        return False
    with program.db.read() as tx:
        return waiting(tx.conn, kinds, MOST_ATTEMPTS) > 0


jobs = [JobKind(SYNC, _sync, lease=timedelta(seconds=60))]


def follow(program: Program, specs: Sequence[str]) -> None:
    """Have each of these sources looked at again and again, from now on."""
    with program.db.begin() as tx:
        for spec in specs:
            tx.enqueue(SYNC, {"source": spec}, key=spec)


def upkeep(program: Program, stop: threading.Event) -> None:
    """Watch the sources that are folders, so that a file saved is seen at once."""
    with program.db.read() as tx:
        specs = [source.spec for source in passes.all_sources(tx)]
    folders = {spec: folder for spec in specs if (folder := watched(spec))}
    if folders:
        watcher = threading.Thread(
            target=_watch, args=(program, folders, stop), name="watch", daemon=True
        )
        watcher.start()


def _watch(program: Program, folders: Mapping[str, Path], stop: threading.Event) -> None:
    def changed(paths: set[Path]) -> None:
        touched = [
            spec
            for spec, folder in folders.items()
            if any(path == folder or folder in path.parents for path in paths)
        ]
        try:
            follow(program, touched)
        except DatabaseAway as error:
            log.warning("catalog.watch_missed", sources=touched, error=str(error.orig))

    watch.watch(sorted(set(folders.values())), changed, stop)
