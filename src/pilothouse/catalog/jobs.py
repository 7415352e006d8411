"""Background work of the catalog: bringing what sources say into it, and keeping up with them."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
from pilothouse.kernel.jobs import JobKind
from pilothouse.kernel.jobs.worker import Work
from pilothouse.kernel.module import Kind
from pilothouse.kernel.program import Program
from pilothouse.kernel.tx import Database

log = structlog.get_logger("pilothouse.catalog")

SYNC = "catalog.sync"
MOST_BYTES = 50_000_000  # of one file that a placeholder brings in
CATALOG_BYTES = 5_000_000  # of one catalog file
CHUNK_FILES = 100  # written in one transaction, which others wait for
CHUNK_ENTITIES = 600

Progress = Callable[[int, int], None]  # files read, of so many


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
    progress: Progress = lambda _done, _total: None
    tally: Tally = field(default_factory=Tally)
    touched: set[str] = field(default_factory=set)
    commits: dict[str, Commit] = field(default_factory=dict)
    known: dict[str, FileState] = field(default_factory=dict)
    stamps: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    _done: int = 0

    def run(self) -> bool:
        """Bring the catalog to what the source says now; False when nothing had changed."""
        began_at = self._prepare()
        todo = [path for path, stamp in self.stamps.items() if not self._same(path, stamp)]
        self.commits = self.origin.commits(todo, self._since()) if todo else {}
        wrote = False
        for chunk in self._chunks(self._walk()):
            if not wrote:
                wrote = True
                with self.db.begin() as tx:
                    passes.begin(tx, self.source, len(todo))
            self._take(chunk, len(todo))
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
            began_at = tx.now
        self.stamps = {path: _salted(self.kinds, s) for path, s in self.origin.discover().items()}
        return began_at

    def _same(self, path: str, stamp: str) -> bool:
        state = self.known.get(path)
        if state is None or state.stamp != stamp:
            return False
        return not state.reads or self.origin.stamps(list(state.reads)) == state.reads

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
        place = reading.Place(
            read=lambda target: self.origin.read(target, MOST_BYTES),
            expand=self.origin.glob,
            exists=lambda target: target in self.stamps or bool(self.origin.stamps([target])),
            local=self.origin.local_path,
        )
        try:
            data = self.origin.read(path, CATALOG_BYTES)
        except PilothouseError as error:
            return reading.unreadable(path, stamp, error)
        file = reading.read_file(path, stamp, data, self.kinds, place)
        reads = self.origin.stamps(file.named) if file.named else {}
        return msgspec.structs.replace(file, reads=reads, commit=self.commits.get(path))

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

    def _take(self, chunk: list[FileReading], total: int) -> None:
        self._done += len(chunk)
        with self.db.begin() as tx:
            tally, touched = passes.take(tx, self.source, chunk, self._done)
        crash_point("catalog.taken")
        self.tally.add(tally)
        self.touched |= touched
        self.progress(self._done, max(total, self._done))

    def _settle(self, dropped: set[str], began_at: datetime) -> None:
        gone = sorted(dropped)
        commits = self.origin.commits(gone, self._since()) if gone else {}
        with self.db.begin() as tx:
            self.touched |= passes.drop_files(tx, self.source, gone)
            tally, touched = passes.finish(tx, began_at, self.commits | commits)
        crash_point("catalog.finished")
        self.tally.add(tally)
        self.touched |= touched
        if self.source.unsettled:  # an earlier pass was cut off: what it touched is not known
            with self.db.read() as tx:
                self.touched |= set(passes.refs_of(tx, self.source))
        hints, refs = passes.Hints(), sorted(self.touched)
        for start in range(0, len(refs), 400):
            with self.db.begin() as tx:
                passes.check_references(tx, refs[start : start + 400], hints)


def _salted(kinds: Mapping[str, Kind], stamp: str | None) -> str:
    """A stamp that another version of the rules, or other kinds, would not recognise.

    So whatever is judged otherwise by a new program is read again at its first start.
    """
    rules = hashlib.sha256(" ".join([__version__, *sorted(kinds)]).encode()).hexdigest()
    return f"{rules[:12]}:{stamp or ''}"


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def look(program: Program, spec: str, progress: Progress = lambda _done, _total: None) -> Look:
    """Look at one source now: fetch it, and bring the catalog to what it says.

    Raises NotFound for a source that is not registered. A source that cannot be reached is
    written down as a problem, and keeps what it gave.
    """
    settings = program.settings
    with program.db.read() as tx:
        source = passes.source(tx, spec)
    bounds = {"shortest": settings.git_fetch_shortest, "longest": settings.git_fetch_longest}
    try:
        origin = outside.open_source(spec, Path(settings.data))
        origin.refresh(settings.git_timeout)
        revision = origin.revision()
        known = source.revision == _salted(program.kinds, revision)
        if revision is not None and known and not source.unsettled:
            work = None
        else:
            work = Pass(program.db, source, origin, program.kinds, progress)
        changed = work is not None and work.run()
    except PilothouseError as error:
        wait = next_interval(source.interval, changed=False, **bounds)
        with program.db.begin() as tx:
            passes.unreachable(tx, source, str(error), wait)
        log.warning("catalog.source_unreachable", source=spec, error=str(error))
        return Look(Tally(), wait, failed=str(error))
    wait = next_interval(source.interval, changed=changed, **bounds)
    with program.db.begin() as tx:
        passes.end(tx, source, _salted(program.kinds, revision), changed=changed, interval=wait)
    tally = work.tally if work else Tally()
    if changed:
        log.info("catalog.synced", source=spec, **msgspec.structs.asdict(tally))
    return Look(tally, wait)


def _sync(work: Work) -> None:
    spec = work.job.data()["source"]
    try:
        done = look(work.program, spec)
    except NotFound:
        return  # no longer a source; the job ends
    with work.finish(again_after=timedelta(seconds=done.wait)):
        pass


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
