"""A portal with a catalog, to which deployments are told, for tests of what it makes of them."""

from __future__ import annotations

import hashlib
import hmac
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from tests.kernel.portal import PAGE, Answer, Portal, serving

from pilothouse import app
from pilothouse.catalog import jobs as catalog_jobs
from pilothouse.catalog.service import passes
from pilothouse.deploys import jobs
from pilothouse.deploys.model import Deployment, Running
from pilothouse.deploys.store import deployments
from pilothouse.deploys.store.tables import deliveries
from pilothouse.kernel import events
from pilothouse.kernel.jobs import store as job_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SECRET = "between us"
TOKEN = "between us two"
START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)  # a Monday


def component(name: str, slug: str = "", owner: str = "team-a", **annotations: str) -> str:
    """A component of a GitHub repository."""
    said = {"github.com/project-slug": slug, **annotations} if slug else annotations
    return (
        f"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\n"
        f"  annotations: {json.dumps(said)}\n"
        f"spec: {{type: service, lifecycle: production, owner: {owner}}}\n"
    )


def group(name: str) -> str:
    return (
        f"apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {{name: {name}}}\n"
        "spec: {type: team, children: []}\n"
    )


def sha(number: int) -> str:
    return f"{number:040x}"


def later(minutes: float = 0, **more: float) -> str:
    """A time after the beginning, as GitHub writes it."""
    return (START + timedelta(minutes=minutes, **more)).strftime("%Y-%m-%dT%H:%M:%SZ")


def deployment(number: int, repository: str = "shop/checkout", **said: Any) -> dict[str, Any]:
    """GitHub's deployment event; further fields of the deployment by name."""
    values = {
        "id": number,
        "sha": sha(number),
        "ref": f"v1.{number}",
        "task": "deploy",
        "environment": "production",
        "created_at": later(),
        "payload": {},
        "creator": {"login": "maya"},
        **said,
    }
    return {
        "action": "created",
        "deployment": values,
        "repository": {"full_name": repository},
    }


def status(number: int, state: str, minutes: float = 5, **said: Any) -> dict[str, Any]:
    """GitHub's deployment_status event."""
    repository = said.pop("repository", "shop/checkout")
    body = deployment(number, repository, **said)
    at = later(minutes)
    return body | {
        "deployment_status": {
            "state": state,
            "environment": body["deployment"]["environment"],
            "created_at": at,
            "updated_at": at,
            "log_url": "https://github.com/shop/checkout/actions/runs/1",
        }
    }


@dataclass
class Told:
    """The portal and what a test asks of it."""

    portal: Portal
    sent: int = 0
    signs: bool = True
    folder: Any = None
    _names: list[str] = field(default_factory=list)

    @property
    def db(self) -> Any:
        return self.portal.program.db

    def github(self, kind: str, body: Any, delivery: str = "", **headers: str) -> Answer:
        self.sent += 1
        text = body if isinstance(body, str) else json.dumps(body)
        sent = {
            "Content-Type": "application/json",
            "X-GitHub-Event": kind,
            "X-GitHub-Delivery": delivery or f"delivery-{self.sent}",
        }
        if self.signs:
            mac = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
            sent["X-Hub-Signature-256"] = f"sha256={mac}"
        return self.portal.ask("POST", "/hooks/github", sent | headers, text)

    def gitlab(self, body: Any, **headers: str) -> Answer:
        sent = {"Content-Type": "application/json", "X-Gitlab-Token": TOKEN}
        sent["X-Gitlab-Event-UUID"] = f"event-{self.sent}"
        self.sent += 1
        return self.portal.ask("POST", "/hooks/gitlab", sent | headers, json.dumps(body))

    def event(self, data: Any, kind: str = "pilothouse.deployment", **more: Any) -> Answer:
        self.sent += 1
        body = {
            "specversion": "1.0",
            "id": f"event-{self.sent}",
            "source": "/ci",
            "type": kind,
            "data": data,
            **more,
        }
        headers = {"Content-Type": "application/cloudevents+json"}
        return self.portal.ask("POST", "/api/events", headers, json.dumps(body))

    def take(self) -> None:
        """Have what came in worked out, as the job does."""
        jobs.take_now(self.portal.program)

    def statuses(self, bodies: Sequence[tuple[str, Any]]) -> None:
        for kind, body in bodies:
            assert self.github(kind, body).status == 202
        self.take()

    def history(self, ref: str = "component:default/checkout") -> list[Deployment]:
        """Oldest first."""
        with self.db.read() as tx:
            return deployments.history(tx.conn, ref, None, None, 1000)[::-1]

    def running(self, ref: str = "component:default/checkout") -> dict[str, Running]:
        with self.db.read() as tx:
            return {one.environment: one for one in deployments.running_of(tx.conn, [ref])}

    def states(self) -> list[tuple[str, str]]:
        """Of each delivery what became of it, and why."""
        query = select(deliveries.c.state, deliveries.c.why).order_by(deliveries.c.id)
        with self.db.read() as tx:
            return [(row.state, row.why) for row in tx.conn.execute(query)]

    def happened(self) -> list[tuple[str, str]]:
        """Events about deployments: type and version, oldest first."""
        query = select(events.events.c.id).where(events.events.c.type.like("deploys.%"))
        with self.db.read() as tx:
            ids = tx.conn.execute(query.order_by(events.events.c.id)).scalars().all()
            found = [events.find(tx.conn, one) for one in ids]
        return [(one.type, one.data["version"]) for one in found if one]

    def waiting_jobs(self, kind: str) -> list[str | None]:
        query = select(job_store.jobs.c.key).where(job_store.jobs.c.kind == kind)
        with self.db.read() as tx:
            return list(tx.conn.execute(query).scalars())

    def page(self, path: str) -> str:
        answer = self.portal.get(path, PAGE)
        assert answer.status == 200, answer.text[:2000]
        return answer.text

    def catalog(self, *documents: str) -> None:
        """Have these documents in the catalog."""
        (self.folder / "catalog-info.yaml").write_text("---\n".join(documents))
        with self.db.begin() as tx:
            passes.register(tx, [str(self.folder)])
        catalog_jobs.look(self.portal.program, str(self.folder))


SHOP = (component("checkout", "Shop/Checkout"), group("team-a"))


@contextmanager
def telling(url: str, folder: Path, *documents: str, **settings: str) -> Iterator[Told]:
    """A portal with these documents, or with a checkout."""
    chosen = {"github_webhook_secret": SECRET, "gitlab_webhook_token": TOKEN, **settings}
    chosen = {name: value for name, value in chosen.items() if value}
    source = folder / "catalog"
    source.mkdir()
    with serving(url, app.modules(), data=str(folder / "data"), **chosen) as portal:
        told = Told(portal, signs="github_webhook_secret" in chosen, folder=source)
        told.catalog(*(documents or SHOP))
        yield told
