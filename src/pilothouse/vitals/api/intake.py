"""Beacons in memory: judged and counted as they come, written down once a second by one thread."""

from __future__ import annotations

import atexit
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import structlog
from prometheus_client import Counter as Metric

from pilothouse.kernel import clock
from pilothouse.kernel.db import DatabaseAway, NoConnection
from pilothouse.kernel.faults import crash_point
from pilothouse.kernel.web.limits import Buckets
from pilothouse.vitals import rules
from pilothouse.vitals.model import (
    FLOOD,
    GARBAGE,
    KEY,
    LOST,
    ORIGIN,
    OTHER,
    OVERFLOW,
    UNKNOWN,
    VALUE,
    Batch,
    Beacon,
    Dropped,
    Seen,
    Site,
)
from pilothouse.vitals.service import taking

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Database

log = structlog.get_logger("pilothouse.vitals")

EACH = 1.0  # seconds between writing down
SITES = 5.0  # seconds for which what the catalog says of keys holds
RATE, BURST = 1000.0, 5000  # beacons of one key: a second, at once
MOST_HELD = 200_000  # numbers in memory while the database is away
MOST_UNKNOWN = 500  # beacons that wait until it is known whose they are
MOST_PATTERNS = 2 * taking.PAGES  # of an entity in one second; the rest is other
LOST_NUMBERS = Metric(
    "pilothouse_vitals_lost", "Numbers of page views that could not be written down"
)
_read = msgspec.json.Decoder(Beacon)
Where = tuple[str, str, str, str, int]  # entity, page, country, device, minute


class Arrived(msgspec.Struct, frozen=True):
    """A beacon and what the request says beside it."""

    beacon: Beacon
    origin: str
    country: str
    mobile: str
    minute: int


@dataclass(slots=True)
class Intake:
    """What came in since it was last written down."""

    db: Database
    sites: dict[str, Site] = field(default_factory=dict)
    _pages: dict[str, set[str]] = field(default_factory=dict)
    _patterns: dict[str, str] = field(default_factory=dict)
    _seen: dict[Where, dict[str, list[float]]] = field(default_factory=dict)
    _dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    _unknown: list[Arrived] = field(default_factory=list)
    _held: int = 0
    _loaded: float = float("-inf")
    _buckets: Buckets = field(default_factory=lambda: Buckets(RATE, BURST))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _writing: threading.Lock = field(default_factory=threading.Lock)
    _waiting: Batch | None = None  # taken out, and not in the database yet
    _something: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def take(self, body: bytes, origin: str, country: str, mobile: str) -> None:
        """Judge and count a beacon; never waits for anything."""
        try:
            beacon = _read.decode(body)
        except (msgspec.ValidationError, msgspec.DecodeError):
            self.drop("", GARBAGE)
            return
        arrived = Arrived(beacon, origin, country, mobile, int(clock.seconds() // 60))
        with self._lock:
            self._judge(arrived)
        if not self._something.is_set():
            self._something.set()
            self._start()

    def drop(self, entity: str, reason: str) -> None:
        """Count what is not taken."""
        with self._lock:
            self._dropped[entity, reason] += 1
        self._something.set()
        self._start()

    def _judge(self, one: Arrived, *, again: bool = False) -> None:
        beacon = one.beacon
        site = self.sites.get(beacon.e)
        if site is None or (site.key != beacon.k and not again):
            if again or len(self._unknown) >= MOST_UNKNOWN:
                self._dropped["", UNKNOWN] += 1
            else:
                self._unknown.append(one)  # the catalog may know by now
        elif site.key != beacon.k:
            self._dropped[site.ref, KEY] += 1
        elif site.origins and one.origin.lower() not in site.origins:
            self._dropped[site.ref, ORIGIN] += 1
        elif self._held > MOST_HELD or self._buckets.wait(site.ref):
            self._dropped[site.ref, FLOOD] += 1
        else:
            self._count(site, one)

    def _count(self, site: Site, one: Arrived) -> None:
        numbers = rules.believable(one.beacon.m)
        if len(numbers) < len(one.beacon.m):
            self._dropped[site.ref, VALUE] += len(one.beacon.m) - len(numbers)
        page = self._page(site.ref, one.beacon.p)
        device = rules.device(one.beacon.w, one.mobile)
        there = self._seen.setdefault((site.ref, page, one.country, device, one.minute), {})
        for name, value in numbers.items():
            there.setdefault(name, []).append(value)
        self._held += len(numbers)

    def _page(self, ref: str, path: str) -> str:
        """The pattern of a path, of no more patterns than are kept."""
        pattern = self._patterns.get(path)
        if pattern is None:
            pattern = rules.pattern(path)
            if len(self._patterns) >= 10 * MOST_UNKNOWN:
                self._patterns.clear()
            self._patterns[path] = pattern
        known = self._pages.setdefault(ref, set())
        page = rules.bounded(pattern, known, MOST_PATTERNS)
        if page == OTHER:
            self._dropped[ref, OVERFLOW] += 1
        else:
            known.add(page)
        return page

    def _start(self) -> None:
        if self._thread is None:
            with self._lock:
                if self._thread is not None:
                    return
                self._thread = threading.Thread(target=self._run, name="vitals", daemon=True)
            self._thread.start()
            atexit.register(self.write_down)

    def _run(self) -> None:
        while True:
            self._something.wait()
            time.sleep(EACH)
            self._something.clear()
            self.write_down()

    def write_down(self) -> None:
        """Give what came in to the database; never raises.

        While it is away, all is kept for the next time. What it does not take although it is
        there is dropped and counted: whatever comes after it is taken.
        """
        with self._writing:
            try:
                self._write_down()
            except (DatabaseAway, NoConnection) as error:
                log.warning("vitals.database_away", error=str(error))
                self._something.set()
            except Exception:
                log.exception("vitals.not_written")
                self._let_go()

    def _write_down(self) -> None:
        self._look_up()
        self._waiting = self._waiting or self._taken()
        if self._waiting.seen or self._waiting.dropped:
            crash_point("vitals.writing")
            with self.db.begin() as tx:
                taking.keep(tx, self._waiting)
        self._waiting = None

    def _let_go(self) -> None:
        """Drop the batch that does not go in; what is counted of it goes with the next."""
        lost, self._waiting = self._waiting, None
        if lost is None:
            return
        with self._lock:
            for one in lost.seen:
                self._dropped[one.entity, LOST] += len(one.values)
        LOST_NUMBERS.inc(sum(len(one.values) for one in lost.seen))

    def _look_up(self) -> None:
        """What the catalog says of keys, and whose those are that were not known."""
        if time.monotonic() - self._loaded > SITES:
            with self.db.read() as tx:
                self.sites = taking.sites(tx)
            self._pages = {ref: set(site.pages) for ref, site in self.sites.items()}
            self._loaded = time.monotonic()
        with self._lock:
            unknown, self._unknown = self._unknown, []
            for one in unknown:
                self._judge(one, again=True)

    def _taken(self) -> Batch:
        with self._lock:
            seen, self._seen = self._seen, {}
            dropped, self._dropped = self._dropped, Counter()
            self._held = 0
        teams = {ref: site.team for ref, site in self.sites.items()}
        return Batch(
            [
                Seen(ref, teams.get(ref, ""), name, page, country, device, minute, values)
                for (ref, page, country, device, minute), numbers in seen.items()
                for name, values in numbers.items()
            ],
            [Dropped(ref, reason, count) for (ref, reason), count in dropped.items()],
        )
