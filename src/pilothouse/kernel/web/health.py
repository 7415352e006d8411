"""Is it alive, is it ready, how is it doing: for supervisors, balancers and Prometheus."""

from __future__ import annotations

from collections.abc import Iterable

from litestar import Response, get
from litestar.di import NamedDependency
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.core import GaugeMetricFamily

from pilothouse.kernel.actors import Role
from pilothouse.kernel.jobs import store as jobs
from pilothouse.kernel.tx import Database
from pilothouse.kernel.web.access import needs, public


@get("/healthz", opt=public(), sync_to_thread=False)
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@get("/readyz", opt=public(), sync_to_thread=True)
def readyz(db: NamedDependency[Database]) -> Response[dict[str, str]]:
    """The process answers, and its database answers it."""
    if db.reachable():
        return Response({"status": "ok"})
    return Response({"status": "the database does not answer"}, status_code=503)


@get("/metrics", opt=needs(Role.VIEWER, scope="metrics"), sync_to_thread=True)
def metrics(db: NamedDependency[Database]) -> Response[bytes]:
    """This process's metrics, and the jobs of the whole database, in Prometheus' text format."""
    text = generate_latest(REGISTRY) + generate_latest(_Jobs(db))  # pyright: ignore[reportArgumentType]
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


class _Jobs:
    """Gauges read from the database when asked."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def collect(self) -> Iterable[GaugeMetricFamily]:
        waiting = GaugeMetricFamily("pilothouse_jobs_waiting", "Jobs to be done", labels=["kind"])
        dead = GaugeMetricFamily("pilothouse_jobs_dead", "Jobs given up", labels=["kind"])
        with self.db.read() as tx:
            for line in jobs.backlog(tx.conn):
                waiting.add_metric([line.kind], line.waiting)
                dead.add_metric([line.kind], line.dead)
        return [waiting, dead]


routes = [healthz, readyz, metrics]
