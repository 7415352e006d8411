"""Around `benchmarks.checks_faults`: heartbeats that call, evidence that is brought."""

from __future__ import annotations

import http.client
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.lines import Line
from sqlalchemy import func, select
from tests.servers import LOOPBACK

from pilothouse.checks.service import evidence
from pilothouse.checks.store.tables import beats, checks, results, series
from pilothouse.kernel.errors import NotFound

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Database

BEAT, SHOWN, PLACE = "check:default/beat", "check:default/shown", "lab"
DOCUMENTS = """---
apiVersion: pilothouse/v1
kind: ProbeLocation
metadata: {name: lab}
spec: {region: lab}
---
apiVersion: pilothouse/v1
kind: Check
metadata: {name: beat, title: "Beat %d"}
spec: {entity: component:default/shop, heartbeat: {period: 1h}}
---
apiVersion: pilothouse/v1
kind: Check
metadata: {name: shown}
spec:
  entity: component:default/shop
  every: 10s
  locations: [lab]
  http: {url: "https://shop.example/"}
"""
PAUSE = 1.1  # seconds between calls: one a second is heard


@dataclass
class Calls:
    """What was sent until it was acknowledged: calls of a heartbeat, results with their files."""

    port: int
    token: str
    key: str
    called: int = 0  # acknowledged
    tried: int = 0
    body: str = ""  # of the last call that was acknowledged
    results: set[int] = field(default_factory=set)
    files: dict[int, bytes] = field(default_factory=dict)  # that were acknowledged, by result
    unnamed: int = 0  # files of results whose details are not kept
    ended: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self.threads = [
            threading.Thread(target=self._often, args=(one,), daemon=True)
            for one in (self._call, self._show)
        ]
        for thread in self.threads:
            thread.start()

    def join(self) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def _often(self, one: object) -> None:
        assert callable(one)
        while not self.ended.wait(PAUSE):
            one()

    def _call(self) -> None:
        body = secrets.token_hex(8)
        while True:
            self.tried += 1
            if self._send("POST", f"/hooks/heartbeats/{self.key}", body.encode()) == http.client.OK:
                break
            time.sleep(PAUSE)
        self.called, self.body = self.called + 1, body

    def _show(self) -> None:
        number = int(time.time() * 1000) << 20 | secrets.randbits(20)
        failed = {
            "id": number, "check": SHOWN, "location": PLACE, "total": 5.0,
            "outcome": "failed", "fault": "503", "reason": "503", "evidence": ["har.json"],
        }  # fmt: skip
        said = {"agent": "a-lab", "location": PLACE, "results": [failed]}
        self._until("POST", "/api/checks/results", json.dumps(said).encode())
        self.results.add(number)
        body = json.dumps({"log": secrets.token_hex(2000)}).encode()
        if self._until("PUT", f"/api/checks/evidence/{number}/har.json", body):
            self.files[number] = body
        else:
            self.unnamed += 1

    def _until(self, method: str, path: str, body: bytes) -> bool:
        """Send it until it is answered; whether it was taken."""
        while True:
            status = self._send(method, path, body)
            if status in (http.client.OK, http.client.NO_CONTENT, http.client.NOT_FOUND):
                return status != http.client.NOT_FOUND
            time.sleep(0.2)

    def _send(self, method: str, path: str, body: bytes) -> int:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=20)
        headers = {"Authorization": f"Bearer {self.token}", "Connection": "close"}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()
        return answer.status


def key_of(db: Database) -> str:
    """The key of the heartbeat; "" before it is known."""
    query = select(beats.c.key).join(checks, checks.c.id == beats.c.check_id)
    with db.read() as tx:
        return tx.conn.execute(query.where(checks.c.ref == BEAT)).scalar() or ""


def title_of(db: Database) -> str:
    """What the portal calls the heartbeat."""
    with db.read() as tx:
        return tx.conn.execute(select(checks.c.title).where(checks.c.ref == BEAT)).scalar() or ""


def lines(db: Database, calls: Calls) -> list[Line]:
    """What of it is kept."""
    heard = (
        select(func.count())
        .select_from(results.join(series, series.c.id == results.c.series_id))
        .join(checks, checks.c.id == series.c.check_id)
        .where(checks.c.ref == BEAT)
    )
    with db.read() as tx:
        kept = tx.conn.execute(heard).scalar_one()
        last = tx.conn.execute(select(beats.c.body)).scalar_one()
        ids = set(tx.conn.execute(select(results.c.id)).scalars())
        wrong = 0
        for number, body in calls.files.items():
            try:
                wrong += evidence.file(tx, SHOWN, number, "har.json")[1] != body
            except NotFound:
                wrong += 1
    lost = max(0, calls.called - kept) + (last != calls.body)
    more = max(0, kept - calls.tried)
    note = f"of {len(calls.files):,}; {calls.unnamed} of results whose details were not kept"
    return [
        Line("calls of a heartbeat lost, or of nobody", lost + more, "", 0,
             note=f"of {calls.called:,} acknowledged, {calls.tried:,} sent, {kept:,} kept"),
        Line("acknowledged evidence lost", wrong + len(calls.results - ids), "", 0, note=note),
    ]  # fmt: skip
