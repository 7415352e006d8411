"""The database is away for a while: what was acknowledged is stored, the rest is refused."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import make_url, select
from tests.kernel.portal import Portal, serving
from tests.oncall.paged import CHECKOUT, ONE, Paged, policy
from tests.servers import LOOPBACK, free_port

from pilothouse import app
from pilothouse.catalog.service import passes
from pilothouse.kernel import db as kernel_db
from pilothouse.oncall.service import keys
from pilothouse.oncall.store.tables import alerts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pytest

BUSY = 0.2  # seconds that SQLite waits for its turn


@contextmanager
def between(url: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """The address of a database, and what takes it away for as long as it is entered."""
    if url.startswith("sqlite"):
        yield url, lambda: locked(url)
        return
    parts = make_url(url)
    assert parts.port
    with relayed(parts.port) as (port, away):
        yield parts.set(host=LOOPBACK, port=port).render_as_string(hide_password=False), away


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Another program writes to the file and does not end."""
    holding = sqlite3.connect(make_url(url).database or "", isolation_level=None)
    holding.execute("BEGIN IMMEDIATE")
    yield
    holding.execute("ROLLBACK")
    holding.close()


@contextmanager
def relayed(port: int) -> Iterator[tuple[int, Callable[[], Any]]]:
    """A port before a server's; while it is away, connections break and none is taken."""
    loop, taken = asyncio.new_event_loop(), free_port()
    tasks: set[asyncio.Task[None]] = set()
    writers: set[asyncio.StreamWriter] = set()
    gone = threading.Event()

    async def pump(source: asyncio.StreamReader, into: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while said := await source.read(65536):
                into.write(said)
                await into.drain()
        into.close()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if gone.is_set():
            writer.close()
            return
        there, back = await asyncio.open_connection(LOOPBACK, port)
        writers.update((writer, back))
        for one in (pump(reader, back), pump(there, writer)):
            task = loop.create_task(one)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    def cut() -> None:
        for one in writers:
            one.transport.abort()
        writers.clear()

    @contextmanager
    def away() -> Iterator[None]:
        gone.set()
        loop.call_soon_threadsafe(cut)
        yield
        gone.clear()

    async def end() -> None:
        server.close()
        cut()
        await asyncio.gather(*tasks, return_exceptions=True)

    server = loop.run_until_complete(asyncio.start_server(take, LOOPBACK, taken))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield taken, away
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def trigger(portal: Portal, key: str, name: str) -> int:
    payload = {"summary": f"{name} is bad", "source": "a", "severity": "critical"}
    body = {"routing_key": key, "event_action": "trigger", "dedup_key": name, "payload": payload}
    return portal.ask("POST", "/v2/enqueue", {"Content-Type": "application/json"}, json.dumps(body)).status  # noqa: E501  # fmt: skip


def hook(portal: Portal, name: str) -> int:
    body = {"alerts": [{"labels": {"job": "checkout"}, "fingerprint": name}]}
    return portal.ask("POST", "/hooks/alertmanager", {}, json.dumps(body)).status


def event(portal: Portal, name: str) -> int:
    data = {"entity": "checkout", "summary": "x", "key": name}
    said = {"specversion": "1.0", "id": name, "source": "/ci", "type": "pilothouse.alert.raised"}
    sent = {"Content-Type": "application/cloudevents+json"}
    return portal.ask("POST", "/api/events", sent, json.dumps(said | {"data": data})).status


def test_alerts_that_come_while_the_database_is_away_are_refused_and_none_is_lost(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel_db, "BUSY_SECONDS", BUSY)
    source = tmp_path / "catalog"
    source.mkdir()
    with between(database_url) as (url, away):
        chosen = {"data": str(tmp_path / "data"), "sources": (str(source),)}
        with serving(url, app.modules(), **chosen) as portal:
            with portal.program.db.begin() as tx:
                passes.register(tx, [str(source)])
            paged = Paged(portal.program, source)
            paged.say(policy())
            paged.reach(ONE)
            with portal.program.db.begin() as tx:
                key = keys.make(tx, "", CHECKOUT)
            assert trigger(portal, key, "before") == 202
            with away():
                assert trigger(portal, key, "during") == 503
                assert hook(portal, "during") == 503
                assert event(portal, "during") == 503
            said: list[int] = []
            with away():  # it goes while one is under way, and comes back
                sending = threading.Thread(target=lambda: said.append(trigger(portal, key, "on")))
                sending.start()
            sending.join()
            assert set(said) <= {202, 503}
            assert trigger(portal, key, "during") == 202
            assert hook(portal, "during") == 200
            assert event(portal, "during") == 202
            with portal.program.db.read() as tx:
                stored = set(tx.conn.execute(select(alerts.c.open_key)).scalars())
    ends = {"before", "during", *(["on"] if said == [202] else [])}
    assert {one.rpartition(":")[2] for one in stored if one.startswith("events:")} >= ends
    assert {"alertmanager:during", "cloudevents:/ci:during"} <= stored
