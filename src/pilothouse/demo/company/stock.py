"""The database of products and orders: SQLite behind a bounded pool that tells of its use.

SQLite so that it runs wherever Python does. The pool is real: who finds no connection waits.
"""

from __future__ import annotations

import json
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pilothouse.demo.company.serving import ALIVE, NOT_FOUND, Answer, Request, as_json, serve
from pilothouse.demo.model import Company

SIZE = 10  # connections
PATIENCE = 2.0  # seconds that somebody waits for one
KEPT = 2000  # orders
PRODUCTS = (
    ("Sextant", "Brass, with its box", 18900),
    ("Log line", "Fifty fathoms, knotted by hand", 2400),
    ("Binnacle lamp", "Burns all night", 5650),
    ("Chart of the sound", "Soundings in fathoms, corrected this year", 3200),
    ("Parallel rulers", "Boxwood and brass", 2750),
    ("Storm glass", "Clouds before the wind does", 4100),
    ("Signal flags", "A full set of forty", 7900),
    ("Oilskins", "Yellow, in every size", 9900),
)


class ExhaustedError(Exception):
    """No connection was free in time."""


class Pool:
    """At most `size` connections; who finds none free waits, and is counted."""

    def __init__(self, path: Path, size: int = SIZE) -> None:
        self.size, self.waiting = size, 0
        self._guard = threading.Lock()
        self._free: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        for _ in range(size):
            self._free.put(sqlite3.connect(path, check_same_thread=False, isolation_level=None))

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """One of them. Raises ExhaustedError when none is free in PATIENCE."""
        with self._guard:
            self.waiting += 1
        try:
            one = self._free.get(timeout=PATIENCE)
        except queue.Empty:
            raise ExhaustedError from None
        finally:
            with self._guard:
                self.waiting -= 1
        try:
            yield one
        finally:
            self._free.put(one)

    def use(self) -> dict[str, float]:
        """How many there are, are used, and are waited for."""
        used = self.size - self._free.qsize()
        return {
            "limit": self.size,
            "in_use": used,
            "waiting": self.waiting,
            "share": used / self.size,
        }


def run(company: Company) -> None:
    """Serve the tables over HTTP."""
    path = Path(company.folder) / "stock.db"
    pool = Pool(path)
    with pool.connection() as db:
        _fill(db)
    threading.Thread(target=_report, args=(company, pool), daemon=True).start()

    def handle(request: Request) -> Answer:
        if request.path == "/health":
            return ALIVE
        if request.path == "/pool":
            return as_json(pool.use())
        try:
            with pool.connection() as db:
                return _answer(db, request)
        except ExhaustedError:
            return as_json({"error": f"no connection was free in {PATIENCE:g} s"}, 503)

    serve(company, "stock", handle)


def _fill(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = OFF")
    db.execute("CREATE TABLE product (id INTEGER PRIMARY KEY, name, told, price)")
    db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, basket, total)")
    db.executemany("INSERT INTO product (name, told, price) VALUES (?, ?, ?)", PRODUCTS)


def _answer(db: sqlite3.Connection, request: Request) -> Answer:
    if request.path == "/products":
        like = f"%{request.query.get('q', '')}%"
        rows = db.execute(
            "SELECT id, name, told, price FROM product WHERE name LIKE ? ORDER BY id", (like,)
        )
        names = ("id", "name", "told", "price")
        return as_json({"items": [dict(zip(names, row, strict=True)) for row in rows]})
    if request.path == "/orders" and request.method == "POST":
        said = request.json()
        basket, total = json.dumps(said.get("basket")), said.get("total")
        added = db.execute("INSERT INTO orders (basket, total) VALUES (?, ?)", (basket, total))
        db.execute("DELETE FROM orders WHERE id <= ?", ((added.lastrowid or 0) - KEPT,))
        return as_json({"order": added.lastrowid}, 201)
    return NOT_FOUND


def _report(company: Company, pool: Pool) -> None:
    """The fault: a report that gives nothing back until it is repaired."""
    while True:
        time.sleep(0.2)
        with ExitStack() as held:
            while company.broken("database-pool"):
                if pool.use()["in_use"] < pool.size - 1:
                    held.enter_context(pool.connection())
                else:
                    time.sleep(0.2)
