"""Deployments to production as changes, for whoever asks what changed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pilothouse.deploys.model import Deployment, Status
from pilothouse.deploys.rules import environments
from pilothouse.deploys.store import deployments
from pilothouse.kernel.changes import Change
from pilothouse.kernel.module import Changing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.kernel.events import Event
    from pilothouse.kernel.tx import Tx

EVENTS = ("deploys.finished", "deploys.failed")


def read(tx: Tx, events: Sequence[Event]) -> list[Change]:
    """One query. A deployment that was told of again is the change that it was at first."""
    first: dict[int, Event] = {}
    for event in sorted(events, key=lambda one: one.id, reverse=True):
        number = event.data.get("deployment")
        if isinstance(number, int) and event.data.get("production"):
            first[number] = event
    found = {one.id: one for one in deployments.by_ids(tx.conn, list(first))}
    return [
        _change(event, found[number], first) for number, event in first.items() if number in found
    ]


def _change(event: Event, one: Deployment, known: Mapping[int, Event]) -> Change:
    name = one.entity.rpartition("/")[2]
    what = "Roll back" if one.rollback else "Deploy"
    failed = one.status is Status.FAILED
    before = f", {one.previous_version} before" if one.previous_version else ""
    taken = known.get(one.previous) if one.rollback and one.previous is not None else None
    return Change(
        id=event.id,
        at=_at(one, event),
        kind="deployment",
        entities=(one.entity,),
        title=f"{what} {name} {one.version}".rstrip(),
        by=one.by,
        href=f"/deploys/{one.id}",
        detail=f"{one.environment}{before}{', failed' if failed else ''}",
        size=one.commits,
        same=f"{one.repository}@{one.commit}" if one.commit and one.repository else "",
        undoes=taken.id if taken else f"deploys:{one.previous}" if one.rollback else "",
        undone_at=one.recovered_at if one.status is Status.ROLLED_BACK else None,
        failed=failed,
        back=f"See {one.previous_version}" if one.previous and one.previous_version else "",
        back_href=f"/deploys/{one.previous}" if one.previous and one.previous_version else "",
        regions=environments.regions_of(one.environment),
    )


def _at(one: Deployment, event: Event) -> datetime:
    """When it went live; where that is not known, when it was told of."""
    return one.finished_at or event.at or one.started_at


CHANGING = Changing(EVENTS, read)
