"""Beacons on their way: kept each second as they are, worked into sketches a little later."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import annotated
from pilothouse.kernel.measurements import service as measurements
from pilothouse.kernel.measurements.model import Bucket, Series
from pilothouse.kernel.measurements.sketch import Sketch
from pilothouse.vitals import rules, store
from pilothouse.vitals.model import OVERFLOW, Batch, Place, Seen, Site

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.kernel.tx import Tx

FOLD = "vitals.fold"
NAME = "vitals"  # of the measurements
SOON = timedelta(seconds=5)
KEY, ORIGINS = "pilothouse/vitals-key", "pilothouse/vitals-origins"
PAGES = 50  # patterns of an entity that are kept
AT_ONCE = 30  # seconds' worth that are worked in at once
MINUTES_KEPT = timedelta(days=3)
PAGES_KEPT = timedelta(days=35)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)
_read = msgspec.msgpack.Decoder(Batch)
Numbers = defaultdict[Series, dict[datetime, list[float]]]


def sites(tx: Tx) -> dict[str, Site]:
    """The entities whose pages may tell, with the page patterns that are known of each."""
    found = annotated.carrying(tx, KEY)
    known = store.pages_of(tx.conn, found) if found else {}
    return {
        ref: Site(
            ref=ref,
            key=said[KEY],
            team=team,
            origins=rules.origins(said.get(ORIGINS, "")),
            pages=tuple(known.get(ref, ())),
        )
        for ref, (team, said) in found.items()
        if rules.KEY.fullmatch(said[KEY])
    }


def keep(tx: Tx, batch: Batch) -> None:
    """Keep what came in, and have it worked in soon."""
    store.wait(tx.conn, msgspec.msgpack.encode(batch))
    tx.enqueue(FOLD, key=FOLD, after=SOON)


def fold(tx: Tx) -> bool:
    """Work what waits into sketches, exactly once; whether there may be more.

    Two may be at it, where the first has lost its lease: what one works in, the other leaves.
    """
    store.one_folder(tx.conn)  # what is added to, a minute's sketch, is read before it is written
    found = store.waiting(tx.conn, AT_ONCE)
    batches = [_read.decode(body) for _, body in found]
    seen, overflown = _bounded(tx, [one for batch in batches for one in batch.seen])
    measurements.add(tx, _hours(seen))
    _add_minutes(tx, seen)
    counts: Counter[tuple[str, str]] = Counter(overflown)
    for one in (one for batch in batches for one in batch.dropped):
        counts[one.entity, one.reason] += one.count
    store.count_dropped(tx.conn, counts, day_of(tx.now))
    store.worked_in(tx.conn, [number for number, _ in found])
    return len(found) == AT_ONCE


def _bounded(
    tx: Tx, seen: Sequence[Seen]
) -> tuple[list[tuple[Seen, Place]], Mapping[tuple[str, str], int]]:
    """What was seen and where, with no more page patterns than are kept, whoever took it in."""
    refs = {one.entity for one in seen}
    known = (
        {ref: set(pages) for ref, pages in store.pages_of(tx.conn, refs).items()} if refs else {}
    )
    used: set[tuple[str, str]] = set()
    overflown: Counter[tuple[str, str]] = Counter()
    placed: list[tuple[Seen, Place]] = []
    for one in seen:
        pages = known.setdefault(one.entity, set())
        page = rules.bounded(one.page, pages, PAGES)
        if page != rules.OTHER:
            pages.add(page)
            used.add((one.entity, page))
        elif one.page != page:
            overflown[one.entity, OVERFLOW] += len(one.values)
        placed.append((one, Place(page, one.country, one.device)))
    store.see_pages(tx.conn, used, day_of(tx.now))
    return placed, overflown


def _hours(seen: Sequence[tuple[Seen, Place]]) -> dict[Series, list[Bucket]]:
    found: Numbers = defaultdict(dict)
    for one, place in seen:
        hour = _EPOCH + timedelta(hours=one.minute // 60)
        for by, value in rules.series_of(place):
            found[series(one, by, value)].setdefault(hour, []).extend(one.values)
    return {
        one: [Bucket(hour, Sketch.of(values)) for hour, values in hours.items()]
        for one, hours in found.items()
    }


def series(one: Seen, by: str, value: str) -> Series:
    """Where numbers go: everything of an entity, with its team of then; or one side of it."""
    labels = {"metric": one.metric, "entity": one.entity, "by": by}
    if by == "all":
        return Series.of(NAME, {**labels, "team": one.team})
    return Series.of(NAME, {**labels, "is": value}, part=True)


def _add_minutes(tx: Tx, seen: Sequence[tuple[Seen, Place]]) -> None:
    """Merge into the minutes, which objectives count in."""
    found: defaultdict[store.Minute, dict[str, list[float]]] = defaultdict(dict)
    for one, _ in seen:
        found[one.entity, one.minute].setdefault(one.metric, []).extend(one.values)
    if not found:
        return
    known = store.minutes_of(tx.conn, found)
    written: dict[store.Minute, bytes] = {}
    for minute, values in found.items():
        packed = unpacked(known.get(minute))
        for metric, numbers in values.items():
            before = Sketch.from_bytes(packed.get(metric, b""))
            packed[metric] = Sketch.merged((before, Sketch.of(numbers))).to_bytes()
        written[minute] = msgspec.msgpack.encode(packed)
    store.put_minutes(tx.conn, written)


def unpacked(body: bytes | None) -> dict[str, bytes]:
    """The packed sketches of a minute, by metric."""
    return msgspec.msgpack.decode(body, type=dict[str, bytes]) if body else {}


def forget(tx: Tx) -> None:
    """Let go of what is too old."""
    day = day_of(tx.now - PAGES_KEPT)
    store.forget(tx.conn, minute_of(tx.now - MINUTES_KEPT), day)


def day_of(at: datetime) -> int:
    """Days since 1970."""
    return (at - _EPOCH) // _DAY


def minute_of(at: datetime) -> int:
    """Minutes since 1970."""
    return (at - _EPOCH) // _MINUTE


def at_minute(minute: int) -> datetime:
    return _EPOCH + minute * _MINUTE
