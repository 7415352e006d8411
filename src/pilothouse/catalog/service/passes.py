"""One pass over a source: what its files say now replaces what they said before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import msgspec

from pilothouse.catalog.model import (
    Commit,
    Entity,
    FileReading,
    FileState,
    Problem,
    Scope,
    Severity,
    Source,
    Tally,
)
from pilothouse.catalog.rules.nearest import nearest
from pilothouse.catalog.service import settling
from pilothouse.catalog.store import (
    brief,
    documents,
    entities,
    problems,
    relations,
    sources,
)
from pilothouse.catalog.store.tables import GROWING
from pilothouse.kernel.db import analyse as analyse_tables
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.events import Event
from pilothouse.kernel.tx import Tx

SHORTEST = 60  # seconds; the first interval between looks at a git source
MOST_AT_ONCE = 400  # refs of one query; both databases have a limit for its values
AWAY = "its source cannot be read"  # why entities are stale that are not themselves at fault
MOST_HINTS = 200  # dangling references of one pass that get a hint


class Registered(msgspec.Struct, frozen=True):
    """The sources from now on, and those that are none any more with what they took along."""

    sources: list[Source]
    forgotten: dict[str, int]  # spec → entities that left the catalog


def register(tx: Tx, specs: Sequence[str]) -> Registered:
    """Make these the sources, in this order.

    One that is no longer among them is emptied: its entities leave the catalog, with their
    history kept.
    """
    known = {source.spec: source for source in sources.all_sources(tx.conn)}
    for position, spec in enumerate(dict.fromkeys(specs)):
        if spec not in known:
            sources.add(tx.conn, spec, position, SHORTEST)
        elif known[spec].position != position:
            sources.place(tx.conn, known[spec].id, position)
    forgotten = {spec: _forget(tx, known[spec]) for spec in sorted(known.keys() - set(specs))}
    return Registered(sources.all_sources(tx.conn), forgotten)


def _forget(tx: Tx, source: Source) -> int:
    entities.one_writer(tx.conn)
    removed = 0
    _, touched = drop_files(tx, source, sources.files_of(tx.conn, source.id), {})
    while gone := entities.orphans(tx.conn, source.id):
        settling.remove(tx, gone, {})
        removed += len(gone)
    problems.clear_source(tx.conn, source.id)
    sources.remove(tx.conn, source.id)
    hints = Hints()
    for part in referring(tx, touched):
        check_references(tx, part, hints)
    return removed


def source(tx: Tx, spec: str) -> Source:
    """Raises NotFound for a source that is not among those of this catalog."""
    if (found := sources.find(tx.conn, spec)) is None:
        known = ", ".join(source.spec for source in sources.all_sources(tx.conn)) or "none"
        raise NotFound(f"{spec} is not a source of this catalog. Its sources are: {known}")
    return found


def all_sources(tx: Tx) -> list[Source]:
    """Every source, in the order it was given."""
    return sources.all_sources(tx.conn)


def is_turn(tx: Tx, source: Source) -> bool:
    """Whether every source named before this one has been looked at.

    At a first sync the order of sources decides who keeps a ref that two of them claim.
    """
    return all(
        other.looks for other in sources.all_sources(tx.conn) if other.position < source.position
    )


def known_files(tx: Tx, source: Source) -> dict[str, FileState]:
    """The files of a source as they were last read, by path."""
    return sources.files_of(tx.conn, source.id)


def all_refs(tx: Tx) -> set[str]:
    """All entities of the catalog."""
    return {
        ref
        for source in sources.all_sources(tx.conn)
        for ref in brief.refs_of_source(tx.conn, source.id)
    }


def begin(tx: Tx, source: Source, total: int) -> None:
    """A pass that will write begins; until `finish`, the next one starts over."""
    sources.mark(tx.conn, source.id, unsettled=1, done=0, total=total)


def take(
    tx: Tx, source: Source, readings: Sequence[FileReading], done: int
) -> tuple[Tally, set[str]]:
    """Keep what some files say now. Returns what that changed and which refs it touched."""
    entities.one_writer(tx.conn)
    ids = sources.put_files(tx.conn, source.id, readings)
    kept = documents.of_files(tx.conn, list(ids.values()))
    touched: set[str] = set()
    fresh: list[tuple[int, Entity]] = []
    known: list[tuple[int, Entity]] = []
    stale: list[tuple[int, str]] = []
    gone: list[int] = []
    for reading in readings:
        file_id = ids[reading.path]
        plan = _plan(reading, kept.get(file_id, []))
        fresh += [(file_id, entity) for entity in plan.fresh]
        known += plan.known
        stale += plan.stale
        gone += plan.gone
        touched |= plan.touched
    documents.remove(tx.conn, gone)
    documents.replace(tx.conn, known)
    documents.spoil(tx.conn, stale)
    documents.add(tx.conn, fresh)
    earlier = problems.clear_files(tx.conn, source.id, [reading.path for reading in readings])
    found = [(source.id, problem) for reading in readings for problem in reading.problems]
    problems.add(tx.conn, Scope.FILE, found, tx.now, earlier)
    commits = {reading.path: reading.commit for reading in readings if reading.commit}
    tally = settling.settle(tx, touched, commits)
    sources.mark(tx.conn, source.id, done=done)
    return tally, touched


class _Plan:
    """What one file's reading does to the documents kept for it."""

    def __init__(self) -> None:
        self.fresh: list[Entity] = []
        self.known: list[tuple[int, Entity]] = []
        self.stale: list[tuple[int, str]] = []
        self.gone: list[int] = []
        self.touched: set[str] = set()


def _plan(reading: FileReading, kept: list[documents.Row]) -> _Plan:
    """Match documents by ref, then by place; what no longer validates keeps its last good form.

    By place, too, where what is wrong is the name itself.
    """
    plan = _Plan()
    waiting: dict[str, list[documents.Row]] = {}
    for row in sorted(kept, key=lambda row: row.place):
        waiting.setdefault(row.ref, []).append(row)
        plan.touched.add(row.ref)
    for entity in reading.entities:
        ref = str(entity.ref)
        plan.touched.add(ref)
        if rows := waiting.get(ref):
            plan.known.append((rows.pop(0).id, entity))
        else:
            plan.fresh.append(entity)
    left = [row for rows in waiting.values() for row in rows]
    nameless: list[tuple[int, str]] = []
    for place, ref, why in reading.invalid:
        if row := next((row for row in left if row.ref == ref), None):
            left.remove(row)
            plan.stale.append((row.id, why))
        else:
            nameless.append((place, why))
    for place, why in nameless:
        if row := next((row for row in left if row.place == place), None):
            left.remove(row)
            plan.stale.append((row.id, why))
    for row in left:
        if reading.unreadable is None:
            plan.gone.append(row.id)
        else:
            plan.stale.append((row.id, reading.unreadable))
    return plan


def drop_files(
    tx: Tx, source: Source, files: Iterable[str], commits: dict[str, Commit]
) -> tuple[Tally, set[str]]:
    """Forget files that are no longer in the source.

    Whatever else claims their refs has them now: a document that moved, or a rival. Returns what
    that changed, and those refs.
    """
    entities.one_writer(tx.conn)
    known = sources.files_of(tx.conn, source.id)
    paths = [path for path in files if path in known]
    tally, touched = Tally(), set[str]()
    for start in range(0, len(paths), MOST_AT_ONCE):
        part = paths[start : start + MOST_AT_ONCE]
        ids = [known[path].id for path in part]
        rows = [row for rows in documents.of_files(tx.conn, ids).values() for row in rows]
        documents.remove(tx.conn, (row.id for row in rows))
        problems.clear_files(tx.conn, source.id, part)
        sources.drop_files(tx.conn, ids)
        refs = {row.ref for row in rows}
        tally.add(settling.settle(tx, refs, commits))
        touched |= refs
    return tally, touched


def finish(
    tx: Tx, source: Source, began_at: datetime, commits: dict[str, Commit]
) -> tuple[Tally, set[str]]:
    """Entities that no document of the source claims any more are renamed, or leave the catalog.

    Until `end` the pass is one that was cut off: what refers to them is not yet checked.
    """
    entities.one_writer(tx.conn)
    sources.mark(tx.conn, source.id, unsettled=1)
    tally, touched = Tally(), set[str]()
    added = {item.ref: item for item in entities.added_since(tx.conn, source.id, began_at)}
    while gone := entities.orphans(tx.conn, source.id):
        pairs = settling.renamed(gone, list(added.values()))
        for old in gone:
            if old.ref in pairs:
                settling.rename(tx, old, added.pop(pairs[old.ref]))
                touched |= {old.ref, pairs[old.ref]}
        lost = [old for old in gone if old.ref not in pairs]
        settling.remove(tx, lost, commits)
        touched |= {item.ref for item in lost}
        tally.add(Tally(added=-len(pairs), changed=len(pairs), removed=len(lost)))
    return tally, touched


class Hints:
    """What was probably meant, for the first dangling references of a pass."""

    def __init__(self) -> None:
        self._left = MOST_HINTS
        self._known: dict[str, list[str]] = {}

    def near(self, tx: Tx, missing: str) -> str | None:
        """The entity of the same kind whose name is nearest, if one is near."""
        if self._left <= 0:
            return None
        self._left -= 1
        kind = missing.partition(":")[0]
        if kind not in self._known:
            self._known[kind] = brief.refs_of_kind(tx.conn, kind)
        return nearest(missing, self._known[kind])


def referring(tx: Tx, refs: Collection[str]) -> list[list[str]]:
    """These entities and those whose documents name them, each once, in parts for a check."""
    found, wanted = set(refs), sorted(refs)
    for part in _parts(wanted):
        found |= relations.emitters_towards(tx.conn, part)
    return _parts(sorted(found))


def _parts(refs: list[str]) -> list[list[str]]:
    return [refs[start : start + MOST_AT_ONCE] for start in range(0, len(refs), MOST_AT_ONCE)]


def check_references(tx: Tx, refs: Sequence[str], hints: Hints) -> None:
    """Find what these entities, of which there are not too many, refer to that does not exist."""
    earlier = problems.clear_refs(tx.conn, Scope.REFERENCE, refs)
    found = relations.dangling(tx.conn, refs)
    if not found:
        return
    places = brief.places(tx.conn, sorted({item.emitter for item in found}))
    told = [
        (places[item.emitter].source_id, _dangling(tx, item, places[item.emitter], hints))
        for item in found
        if item.emitter in places
    ]
    problems.add(tx.conn, Scope.REFERENCE, told, tx.now, earlier)


def _dangling(tx: Tx, item: relations.Dangling, place: brief.FilePlace, hints: Hints) -> Problem:
    return Problem(
        code="dangling-ref",
        severity=Severity.WARNING,
        message=f"{item.field} names {item.missing}, which is not in the catalog",
        file=place.path,
        line=item.line,
        ref=item.emitter,
        field=item.field,
        found=item.missing,
        expected=f"a {item.missing.partition(':')[0]} that some catalog file declares",
        hint=hints.near(tx, item.missing),
    )


def analyse(tx: Tx) -> None:
    """Many entities came or changed at once: the database plans its queries anew."""
    analyse_tables(tx.conn, GROWING)


class Outcome(msgspec.Struct, frozen=True):
    """How a look at a source ended."""

    revision: str | None
    tally: Tally
    changed: bool  # whether the catalog did
    moved: bool  # whether any of its files may have
    interval: int  # seconds until the next look


def end(tx: Tx, source: Source, outcome: Outcome) -> None:
    """A look ended well."""
    problems.clear_source(tx.conn, source.id, Scope.SOURCE)
    if source.error:
        entities.mark_away(tx.conn, source.id, AWAY, away=False)
    values = {"changed_at": tx.now} if outcome.changed else {}
    tally = outcome.tally
    rest = brief.count_of_source(tx.conn, source.id) - tally.added - tally.changed
    sources.looked(
        tx.conn,
        source.id,
        tx.now,
        msgspec.structs.replace(tally, unchanged=max(rest, 0)),
        revision=outcome.revision,
        error=None,
        interval=outcome.interval,
        unsettled=0,
        **values,
    )
    if outcome.moved:
        tx.emit(Event(type="catalog.source_read", data={"source": source.spec}))


def unreachable(tx: Tx, source: Source, why: str, interval: int) -> None:
    """A source could not be read: all that it gave stays, and the problem is told."""
    earlier = problems.clear_source(tx.conn, source.id, Scope.SOURCE)
    problem = Problem(
        code="unreachable-source",
        severity=Severity.ERROR,
        message=f"{why.rstrip('.')}. What it gave before stays in the catalog.",
    )
    problems.add(tx.conn, Scope.SOURCE, [(source.id, problem)], tx.now, earlier)
    entities.mark_away(tx.conn, source.id, AWAY, away=True)
    sources.looked(tx.conn, source.id, tx.now, Tally(), error=why, interval=interval)
