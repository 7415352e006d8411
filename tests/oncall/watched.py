"""A portal with schedules, policies and people."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.kernel.portal import PAGE, Portal, serving

from pilothouse import app
from pilothouse.catalog import jobs as catalog_jobs
from pilothouse.catalog.service import passes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pilothouse.kernel.program import Program

MAYA, JONAS, INES = "user:default/maya", "user:default/jonas", "user:default/ines"
SCHEDULE = "schedule:default/payments"
CATALOG = """\
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: payments, title: Payments}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: checkout, title: Checkout}
spec: {type: service, lifecycle: production, owner: payments}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: lonely, title: Lonely}
spec: {type: service, lifecycle: production, owner: nobody-knows}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: maya}
spec: {profile: {displayName: Maya Okafor}, memberOf: [payments]}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: jonas}
spec: {profile: {displayName: Jonas Weber}, memberOf: [payments]}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: ines}
spec: {profile: {displayName: Ines Costa}, memberOf: []}
---
apiVersion: pilothouse/v1
kind: Schedule
metadata: {name: payments, title: Payments on call}
spec:
  owner: group:default/payments
  time_zone: Europe/Berlin
  layers:
    - name: primary
      start: 2026-01-05T09:00
      turn: 1w
      people: [user:default/maya, user:default/jonas]
---
apiVersion: pilothouse/v1
kind: EscalationPolicy
metadata: {name: payments, title: Payments}
spec:
  owner: group:default/payments
  steps:
    - {notify: ["schedule:default/payments"], then_after: 5m}
    - {notify: ["group:default/payments"], then_after: 10m}
  last_resort: [user:default/ines]
"""


@dataclass(slots=True)
class Watched:
    """A portal that follows a folder."""

    portal: Portal
    folder: Path

    @property
    def program(self) -> Program:
        return self.portal.program

    def say(self, text: str) -> None:
        """Write the catalog anew, and follow it."""
        (self.folder / "catalog-info.yaml").write_text(text)
        catalog_jobs.look(self.program, str(self.folder))

    def page(self, path: str) -> str:
        answer = self.portal.get(path, PAGE)
        assert answer.status == 200, (path, answer.text[:2000])
        return answer.text


@contextmanager
def watched(url: str, path: Path, text: str = CATALOG, **settings: Any) -> Iterator[Watched]:
    """The whole portal on this database, with a schedule."""
    folder = path / "catalog"
    folder.mkdir()
    chosen = {"data": str(path / "data"), "sources": (str(folder),), **settings}
    with serving(url, app.modules(), **chosen) as portal:
        with portal.program.db.begin() as tx:
            passes.register(tx, [str(folder)])
        found = Watched(portal, folder)
        found.say(text)
        yield found
