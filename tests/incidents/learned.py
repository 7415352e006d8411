"""A house with an incident that is over, and its post-mortem."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from tests.incidents.opened import CHECKOUT, MAYA, ONE, House

from pilothouse.incidents.model.postmortems import Action, Wanted
from pilothouse.incidents.service import actions, following, postmortems, steering
from pilothouse.incidents.store import actions as store
from pilothouse.kernel import clock
from pilothouse.kernel.jobs.store import jobs

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from pilothouse.incidents.model.incidents import Incident

LEADS = """\
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: board, annotations: {pilothouse/lead: three}}
spec: {type: team, children: [shop]}
"""
THREE = "user:default/three"
CADENCE = """\
---
apiVersion: pilothouse/v1
kind: Cadence
metadata: {name: shop}
spec: {owner: shop, start: "2026-11-02", sprint: %s}
"""
NOW = datetime.fromisoformat("2026-11-24T10:00:00+00:00")


class Time:
    """A clock that a test sets."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.at = NOW
        patch.setattr(clock, "now", lambda: self.at)

    def go(self, at: str | timedelta) -> None:
        self.at = self.at + at if isinstance(at, timedelta) else datetime.fromisoformat(at)


def over(house: House, **said: Any) -> Incident:
    """An incident that is resolved."""
    found = house.open(severity=2, entity=CHECKOUT, **said)
    house.do(steering.resolve, found, "Rolled back.")
    return house.now(found)


def drafted(house: House, **said: Any) -> Incident:
    """An incident that is over, with the draft that it requires."""
    found = over(house, **said)
    following.look(house.program.db)
    return found


def wanted(title: str = "Warn earlier", due: str = "2026-12-01", owner: str = ONE) -> Wanted:
    return Wanted(title=title, proof="an alert", owner=owner, due_on=date.fromisoformat(due))


def write(house: House, incident: Incident) -> None:
    """Fill in what publishing asks for."""
    with house.program.db.begin(MAYA) as tx:
        postmortems.save(tx, incident, "causes", "A setting was not tried.", 1)
        postmortems.set_causes(tx, postmortems.whole(tx, incident.id), ["configuration"])


def published(house: House, *items: Wanted) -> Incident:
    """A published post-mortem with these items."""
    incident = drafted(house)
    write(house, incident)
    with house.program.db.begin(MAYA) as tx:
        for one in items:
            actions.add(tx, incident.id, one)
        postmortems.publish(tx, incident.id)
    return incident


def items(house: House, incident: Incident) -> list[Action]:
    with house.program.db.read() as tx:
        return store.of(tx.conn, [incident.id])


def notices(house: House) -> Iterator[tuple[str, str]]:
    """Who is told what: person and title."""
    for one in house.paged.planned("oncall.tell"):
        yield one["person"], one["title"]


def jobs_of(house: House, kind: str) -> int:
    with house.program.db.read() as tx:
        return len(tx.conn.execute(select(jobs.c.id).where(jobs.c.kind == kind)).all())
