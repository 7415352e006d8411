"""Real senders: PagerDuty's client over TLS; Prometheus and Alertmanager of Debian, end to end."""

from __future__ import annotations

import asyncio
import http.server
import json
import shutil
import threading
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pagerduty
import pytest
from tests.agent.certifying import certified
from tests.kernel.portal import serving
from tests.oncall.paged import CHECKOUT, ONE, Paged, policy
from tests.servers import LOOPBACK, free_port, wait_until
from tests.servers import serving as counterpart

from pilothouse import app
from pilothouse.catalog.service import passes
from pilothouse.kernel import events
from pilothouse.kernel.auth.service import tokens
from pilothouse.oncall.model.paging import State
from pilothouse.oncall.service import keys, reading

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

    from pilothouse.oncall.model.paging import Page

PROMETHEUS = shutil.which("prometheus")
ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")


@contextmanager
def shop(url: str, folder: Path, **settings: Any) -> Iterator[tuple[Any, Paged]]:
    source = folder / "catalog"
    source.mkdir()
    chosen = {"data": str(folder / "data"), "sources": (str(source),), **settings}
    with serving(url, app.modules(), **chosen) as portal:
        with portal.program.db.begin() as tx:
            passes.register(tx, [str(source)])
        paged = Paged(portal.program, source)
        paged.say(policy())
        paged.reach(ONE)
        yield portal, paged


@contextmanager
def behind_tls(port: int, context: ssl.SSLContext) -> Iterator[int]:
    """A port that speaks TLS before the portal, as a proxy of an installation does."""
    loop, taken = asyncio.new_event_loop(), free_port()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, asks = await asyncio.open_connection(LOOPBACK, port)
        await asyncio.gather(pump(reader, asks), pump(answers, writer))

    listening = asyncio.start_server(take, LOOPBACK, taken, ssl=context)
    server = loop.run_until_complete(listening)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield taken
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(over(loop))
        loop.close()


async def pump(source: asyncio.StreamReader, into: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while said := await source.read(65536):
            into.write(said)
            await into.drain()
    into.close()


async def over(loop: asyncio.AbstractEventLoop) -> None:
    """Connections that their client left open."""
    left = [task for task in asyncio.all_tasks(loop) if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def only_page(paged: Paged) -> Page | None:
    with paged.program.db.read() as tx:
        return next(iter(reading.recent(tx)), None)


def test_the_client_of_pagerduty_triggers_acknowledges_resolves_and_tells_of_changes(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = certified(tmp_path, monkeypatch)
    with (
        shop(sqlite_url, tmp_path) as (portal, paged),
        behind_tls(portal.port, certificate.server) as port,
    ):
        with paged.program.db.begin() as tx:
            key = keys.make(tx, "nagios", CHECKOUT)
        base = f"https://localhost:{port}"
        with pagerduty.EventsApiV2Client(key, base_url=base) as client:
            made = client.trigger("Disk is full", "db-1", custom_details={"free": 0})
            page = only_page(paged)
            assert page is not None
            assert (page.summary, page.entity, page.state) == ("Disk is full", CHECKOUT, State.OPEN)
            assert client.trigger("Disk is full", "db-1", dedup_key=made) == made
            assert client.acknowledge(made) == made
            assert paged.page(page).state is State.ACKNOWLEDGED
            assert client.resolve(made) == made
            assert paged.page(page).state is State.RESOLVED
            change = {"summary": "Deployed 17", "source": "ci", "custom_details": {"commit": "a"}}
            client.send_change_event(change, links=[{"href": "https://ci.example/17"}])
            with pytest.raises(pagerduty.HttpError):
                client.trigger("x" * 2000, "db-1")
        with paged.program.db.read() as tx:
            found = [one for one in events.since(tx.conn, page.opened_at)
                     if one.type == "changes.reported"]  # fmt: skip
        assert [one.data["title"] for one in found] == ["Deployed 17"]
        with (
            pagerduty.EventsApiV2Client("0" * 32, base_url=base) as stranger,
            pytest.raises(pagerduty.HttpError),
        ):
            stranger.trigger("Let me in", "x")


class Metrics(http.server.BaseHTTPRequestHandler):
    """What Prometheus scrapes once the service is there again."""

    def do_GET(self) -> None:
        body = b"checkout_up 1\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


def alertmanager(folder: Path, hook: str, token: str) -> AbstractContextManager[int]:
    receiver = {
        "url": hook,
        "send_resolved": True,
        "http_config": {"basic_auth": {"username": "pilothouse", "password": token}},
    }
    times = {"group_wait": "0s", "group_interval": "1s", "repeat_interval": "1h"}
    config = {
        "route": {"receiver": "pilothouse", "group_by": ["alertname"], **times},
        "receivers": [{"name": "pilothouse", "webhook_configs": [receiver]}],
    }
    (folder / "alertmanager.yml").write_text(json.dumps(config))

    def arguments(here: Path, port: int) -> list[str]:
        return [
            f"--config.file={here / 'alertmanager.yml'}", f"--storage.path={here / 'am'}",
            f"--web.listen-address={LOOPBACK}:{port}", "--cluster.listen-address=",
        ]  # fmt: skip

    assert ALERTMANAGER
    return counterpart(ALERTMANAGER, arguments, folder, None, "KILL")


def prometheus(folder: Path, target: int, tells: int) -> AbstractContextManager[int]:
    rule = {
        "alert": "CheckoutDown",
        "expr": 'up{job="checkout"} == 0',
        "labels": {"severity": "page"},
        "annotations": {"summary": "Nobody can pay", "description": "No answer to a scrape"},
    }
    config = {
        "global": {
            "scrape_interval": "500ms", "scrape_timeout": "500ms",
            "evaluation_interval": "500ms",
        },
        "rule_files": ["rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"{LOOPBACK}:{tells}"]}]}]},
        "scrape_configs": [
            {"job_name": "checkout", "static_configs": [{"targets": [f"{LOOPBACK}:{target}"]}]}
        ],
    }  # fmt: skip
    (folder / "prometheus.yml").write_text(json.dumps(config))
    (folder / "rules.yml").write_text(json.dumps({"groups": [{"name": "shop", "rules": [rule]}]}))

    def arguments(here: Path, port: int) -> list[str]:
        return [
            f"--config.file={here / 'prometheus.yml'}", f"--storage.tsdb.path={here / 'tsdb'}",
            f"--web.listen-address={LOOPBACK}:{port}",
        ]  # fmt: skip

    assert PROMETHEUS
    return counterpart(PROMETHEUS, arguments, folder, None, "KILL")


@pytest.mark.skipif(not PROMETHEUS, reason="Prometheus is not installed: apt install prometheus")
@pytest.mark.skipif(
    not ALERTMANAGER, reason="Alertmanager is not installed: apt install prometheus-alertmanager"
)
def test_prometheus_pages_through_alertmanager_until_what_was_down_is_up(
    sqlite_url: str, tmp_path: Path
) -> None:
    target = free_port()
    with ExitStack() as stack:
        portal, paged = stack.enter_context(shop(sqlite_url, tmp_path, local_users=True))
        with paged.program.db.begin() as tx:
            token, _ = tokens.create(tx, None, "alertmanager", ["events"], 1)
        hook = f"http://{LOOPBACK}:{portal.port}/hooks/alertmanager"
        assert portal.ask("POST", "/hooks/alertmanager", {}, "{}").status == 401
        tells = stack.enter_context(alertmanager(tmp_path, hook, token))
        stack.enter_context(prometheus(tmp_path, target, tells))
        assert wait_until(lambda: only_page(paged) is not None)
        page = only_page(paged)
        assert page is not None
        assert (page.summary, page.entity, page.urgency) == ("Nobody can pay", CHECKOUT, "high")
        assert [one.person for one in paged.told(page)] == [ONE]
        service = http.server.ThreadingHTTPServer((LOOPBACK, target), Metrics)
        stack.callback(service.server_close)
        threading.Thread(target=service.serve_forever, args=(0.01,), daemon=True).start()
        stack.callback(service.shutdown)
        assert wait_until(lambda: paged.page(page).state is State.RESOLVED)
