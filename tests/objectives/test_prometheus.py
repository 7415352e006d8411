"""Objectives by the numbers of a real Prometheus; skipped where it is not installed."""

from __future__ import annotations

import shutil
import subprocess
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.objectives.following import followed
from tests.servers import LOOPBACK, answers, free_port, wait_until

from pilothouse.kernel.outgoing import MOST_BYTES, TooMuch
from pilothouse.objectives.model.objectives import Asked, State, Threshold
from pilothouse.objectives.outside import prometheus

MINUTE = timedelta(minutes=1)
MINUTES = 600
SLO = """\
apiVersion: openslo/v1
kind: DataSource
metadata: {name: prom}
spec: {type: Prometheus, connectionDetails: {url: "http://127.0.0.1:PORT"}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: answers, displayName: The shop answers}
spec:
  service: checkout
  indicator:
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {metricSourceRef: prom, spec: {query: 'sum(shop_total{code="500"})'}}}
        total: {metricSource: {metricSourceRef: prom, spec: {query: sum(shop_total)}}}
  timeWindow: [{duration: 1d, isRolling: true}]
  objectives: [{target: 0.9}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: fast, displayName: The shop is fast}
spec:
  service: checkout
  indicator:
    spec:
      thresholdMetric:
        metricSource: {metricSourceRef: prom, spec: {query: shop_latency}}
  timeWindow: [{duration: 1d, isRolling: true}]
  objectives: [{target: 0.5, op: lt, value: 500}]
"""


def numbers(now):
    """A counter of requests, 4 good and 1 bad a minute; slow in the last hundred minutes."""
    lines = ["# TYPE shop_latency gauge"]
    times = [now - n * MINUTE for n in range(MINUTES, -1, -1)]
    for n, at in enumerate(times):
        lines.append(f"shop_latency {900 if n > MINUTES - 100 else 100} {at.timestamp():.0f}")
    lines.append("# TYPE shop counter")
    for code, each in (("200", 4), ("500", 1)):
        lines += [
            f'shop_total{{code="{code}"}} {each * n} {at.timestamp():.0f}'
            for n, at in enumerate(times)
        ]
    return "\n".join([*lines, "# EOF", ""])


@pytest.fixture
def port(tmp_path):
    if not (shutil.which("prometheus") and shutil.which("promtool")):
        pytest.skip("Prometheus is not installed: apt install prometheus")
    folder = tmp_path / "prometheus"
    folder.mkdir()
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    (folder / "numbers.om").write_text(numbers(now))
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 15s}\n")
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "numbers.om", "data"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    port = free_port()
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            [
                "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
                f"--web.listen-address={LOOPBACK}:{port}",
            ],
            cwd=folder, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            assert wait_until(lambda: answers(port))
            yield port
        finally:
            running.kill()
            running.wait()


def test_counters_and_thresholds_are_read_from_prometheus(port, sqlite_url, tmp_path):
    trusted = (f"{LOOPBACK}:{port}",)
    with followed(sqlite_url, tmp_path, trusted_hosts=trusted) as follows:
        follows.say(SLO.replace("PORT", str(port)))
        follows.judge()
        answered, fast = follows.all()
        assert (answered.error, fast.error) == ("", "")
        assert answered.good == pytest.approx(0.8)
        assert answered.left == pytest.approx(1 - 0.2 / 0.1)
        assert fast.good == pytest.approx(1 - 100 / MINUTES, abs=0.01)


def test_a_host_that_no_admin_trusts_is_not_asked(port, sqlite_url, tmp_path):
    with followed(sqlite_url, tmp_path) as follows:
        follows.say(SLO.replace("PORT", str(port)))
        follows.judge()
        one = follows.all()[0]
        assert "not a public one" in one.error
        assert one.state is State.UNKNOWN
        assert "not a public one" in follows.page("/objectives/default/answers/1")


def test_a_server_that_is_away_keeps_what_is_known(sqlite_url, tmp_path):
    port = free_port()
    with followed(sqlite_url, tmp_path, trusted_hosts=(f"{LOOPBACK}:{port}",)) as follows:
        follows.say(SLO.replace("PORT", str(port)))
        follows.judge()
        follows.judge()
        assert {"did not answer" in one.error for one in follows.all()} == {True}
        assert "Its source does not answer" in follows.page("/objectives/default/answers/1")


def test_an_answer_that_is_too_long_silences_no_other_query():
    body = b'{"status":"success","data":{"resultType":"matrix","result":[]}}'

    class Server(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(b" " * (MOST_BYTES + 1) if "query=big" in self.path else body)

        def log_message(self, *_args):
            """Quietly."""

    with ThreadingHTTPServer((LOOPBACK, 0), Server) as served:
        threading.Thread(target=served.serve_forever, args=(0.01,)).start()
        host = f"{LOOPBACK}:{served.server_port}"
        asking = prometheus.Server(frozenset({host}))
        end = datetime.now(UTC)
        big, small = (
            Threshold(source=Asked(url=f"http://{host}", query=query)) for query in ("big", "small")
        )
        with pytest.raises(TooMuch, match="more than"):
            asking.counts(big, end - MINUTE, end)
        assert asking.counts(small, end - MINUTE, end) == []
        served.shutdown()
