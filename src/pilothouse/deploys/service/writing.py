"""Writing a ledger down: deployments, what runs, weeks, events, what can be found."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from pilothouse.catalog.service import annotated
from pilothouse.deploys.formats.versions import SHORT, is_commit
from pilothouse.deploys.model import (
    GOING_ON,
    RELEASE,
    WENT_LIVE,
    WRONG,
    Deployment,
    Running,
    Status,
    Week,
)
from pilothouse.deploys.rules.ledger import Ledger
from pilothouse.deploys.store import deployments, weeks
from pilothouse.deploys.store.weeks import Service
from pilothouse.kernel import search
from pilothouse.kernel.events import Event
from pilothouse.kernel.tx import Tx

COMMITS = "deploys.commits"  # the job that asks sources for commits
GATHER = timedelta(seconds=1)  # deployments of one source are asked about together
FOUND = 16  # versions of an entity and environment that can be searched for, at most
_replace = msgspec.structs.replace


def write(tx: Tx, ledger: Ledger, origins: Mapping[str, str]) -> None:
    """Write all that changed in a ledger; `origins` are the entities' sources."""
    ids = _write_deployments(tx, ledger)
    moved = [_placed(ledger.running[place], ids) for place in ledger.moved]
    deployments.stand(tx.conn, moved)
    changed = [_numbered(ledger.deployments[key], ids) for key in ledger.changed]
    count_weeks(tx, list(ledger.weeks))
    about = annotated.about(tx, sorted({one.entity for one in changed}))
    _list(tx, ledger, about)
    _ask_commits(tx, changed, origins, about)
    _let_find(tx, changed, about)
    _tell(tx, ledger, ids)


def _write_deployments(tx: Tx, ledger: Ledger) -> dict[int, int]:
    """Write deployments; the ids that new ones got, by those they had in the ledger."""
    changed = [ledger.deployments[key] for key in ledger.changed]
    new = [one for one in changed if one.id < 0]
    made = deployments.add(tx.conn, [_replace(one, previous=_known(one.previous)) for one in new])
    ids = {one.id: number for one, number in zip(new, made, strict=True)}
    again = [one for one in changed if one.id >= 0 or (one.previous or 0) < 0]
    deployments.change(tx.conn, [_numbered(one, ids) for one in again])
    return ids


def _known(deployment_id: int | None) -> int | None:
    return deployment_id if deployment_id is not None and deployment_id >= 0 else None


def _numbered(one: Deployment, ids: Mapping[int, int]) -> Deployment:
    previous = one.previous if one.previous is None else ids.get(one.previous, one.previous)
    return _replace(one, id=ids.get(one.id, one.id), previous=previous)


def _placed(one: Running, ids: Mapping[int, int]) -> Running:
    def real(number: int | None) -> int | None:
        return None if number is None else ids.get(number, number)

    return _replace(
        one, live=real(one.live), before=real(one.before), latest=ids.get(one.latest, one.latest)
    )


def count_weeks(tx: Tx, touched: Sequence[tuple[str, str]]) -> None:
    """Count weeks of entities again, from the deployments themselves."""
    if not touched:
        return
    by_week: dict[tuple[str, str], list[Deployment]] = {}
    for one in weeks.ended_in(tx.conn, set(touched)):
        by_week.setdefault((one.entity, one.week or ""), []).append(one)
    counted = [_counted(entity, week, found) for (entity, week), found in by_week.items()]
    weeks.put(tx.conn, counted, [place for place in touched if place not in by_week])


def _counted(entity: str, week: str, found: Sequence[Deployment]) -> Week:
    wrong = [one for one in found if one.status in WRONG]
    return Week(
        entity=entity,
        week=week,
        deployments=sum(one.status in WENT_LIVE for one in found),
        ended=len(found),
        wrong=len(wrong),
        leads=tuple(
            one.lead_s for one in found if one.lead_s is not None and one.status in WENT_LIVE
        ),
        recoveries=tuple(
            max(0, int((one.recovered_at - one.finished_at).total_seconds()))
            for one in wrong
            if one.recovered_at is not None and one.finished_at is not None
        ),
    )


def _list(tx: Tx, ledger: Ledger, about: Mapping[str, tuple[str, str, str]]) -> None:
    """The lines of the list of all services, with how each stands."""
    entities = dict.fromkeys(entity for entity, _ in ledger.moved)
    lines = [
        Service(
            entity=entity,
            owner=about[entity][1] if entity in about else "",
            label=(about[entity][0] if entity in about else entity.rpartition("/")[2]).lower(),
            weight=max(
                weight_of(place) for key, place in ledger.running.items() if key[0] == entity
            ),
        )
        for entity in entities
    ]
    weeks.list_services(tx.conn, lines)


def weight_of(place: Running) -> int:
    """How much a place needs care: 2 where the last try failed, 1 where one is going on, else 0."""
    if place.latest_status is Status.FAILED:
        return 2
    return 1 if place.latest_status in GOING_ON else 0


def _ask_commits(
    tx: Tx,
    changed: Sequence[Deployment],
    origins: Mapping[str, str],
    about: Mapping[str, tuple[str, str, str]],
) -> None:
    """Have sources asked for the commits of what has just gone live."""
    rows: list[tuple[int, str]] = []
    for one in changed:
        if one.status is not Status.SUCCEEDED or not is_commit(one.commit):
            continue
        if one.commits is not None:
            continue
        origin = origins.get(one.entity) or (about[one.entity][2] if one.entity in about else "")
        if origin:
            rows.append((one.id, origin))
    deployments.ask(tx.conn, rows)
    for origin in sorted({origin for _, origin in rows}):
        tx.enqueue(COMMITS, {"origin": origin}, key=origin, after=GATHER)


def _let_find(
    tx: Tx, changed: Sequence[Deployment], about: Mapping[str, tuple[str, str, str]]
) -> None:
    """Have versions found: of each entity and environment a bounded number, the newest."""
    found: dict[str, search.Document] = {}
    for one in changed:
        if one.status is not Status.SUCCEEDED or not one.version:
            continue
        place = f"{one.entity}/{one.environment}"
        slot = zlib.crc32(one.version.encode()) % FOUND
        title, owner, _ = about.get(one.entity, (one.entity.rpartition("/")[2], "", ""))
        where = "released" if one.environment == RELEASE else f"in {one.environment}"
        found[f"deploys:{place}/{slot}"[:400]] = search.Document(
            key=f"deploys:{place}/{slot}"[:400],
            origin=f"deploys:{one.entity}"[:200],
            kind="deployment",
            title=f"{title} {one.version}",
            href=f"/deploys/{one.id}",
            text=f"{title} {one.version} {where} {one.commit[:SHORT]} {one.commit} {one.by}",
            ref=one.entity,
            owner=owner,
            trail=f"{title}, {where}",
        )
    if found:
        search.put(tx, list(found.values()))


def _tell(tx: Tx, ledger: Ledger, ids: Mapping[int, int]) -> None:
    """Tell everybody what happened."""
    for said in ledger.happened:
        one = _numbered(ledger.deployments[said.key], ids)
        data: dict[str, Any] = {
            "deployment": one.id,
            "environment": one.environment,
            "production": one.production,
            "version": one.version,
            "commit": one.commit,
            "by": one.by,
            "previous_version": one.previous_version,
            "rollback": one.rollback,
            "at": one.changed_at.isoformat(),  # of old ones that are told of late, not the event's
        }
        tx.emit(
            Event(
                type=f"deploys.{said.what}",
                entities=(one.entity,),
                data=data,
                source="deploys",
                dedup_key=f"deploys:{one.id}:{said.what}:{one.changed_at.isoformat()}",
            )
        )


def follow(tx: Tx, refs: Sequence[str]) -> None:
    """What the catalog says of entities changed: their lines follow."""
    about = annotated.about(tx, weeks.listed(tx.conn, refs))
    found = {ref: (owner, title.lower()) for ref, (title, owner, _) in about.items()}
    weeks.rename(tx.conn, found)
