"""What changed before something broke: found, ranked, and marked by people."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from pilothouse.catalog.service import depending
from pilothouse.checks.service import onsets
from pilothouse.incidents.model.changes import Mark, Reach, Suspect, Trouble
from pilothouse.incidents.model.incidents import SUSPECTED
from pilothouse.incidents.rules.reaching import reaches
from pilothouse.incidents.rules.suspects import rank
from pilothouse.incidents.service import telling, troubles
from pilothouse.incidents.store import marks
from pilothouse.kernel import journal
from pilothouse.kernel.errors import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.checks.service.onsets import Looked, Onset
    from pilothouse.incidents.model.incidents import Incident
    from pilothouse.kernel.changes import Change
    from pilothouse.kernel.tx import Tx

WINDOW = timedelta(hours=24)  # before the onset
ANYWHERE = timedelta(hours=3)  # … of what the catalog does not know to be on the way
EARLIER = timedelta(hours=6)  # before it was opened an onset may have been
AFTER = timedelta(minutes=30)  # the onset may be wrong; what came later did not do it
MOST, MOST_ANYWHERE = 500, 300  # changes
WIDEST = 400  # entities
LONGEST_WHY = 500
Verdict = Literal["cleared", "confirmed", ""]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """All that the ranking had, for those who show it."""

    trouble: Trouble
    onset_by: str  # how the onset is known
    suspects: list[Suspect]
    near: int  # how many of them are on the way of what fails


def suspects(tx: Tx, incident: Incident, refs: Sequence[str] = ()) -> list[Suspect]:
    """What is suspected of an incident that is about these entities, the most suspected first."""
    return found(tx, incident, refs).suspects


def found(tx: Tx, incident: Incident, refs: Sequence[str] = ()) -> Found:
    """The suspects with all that they were ranked by; some twenty queries, however large it is."""
    about = tuple(dict.fromkeys(filter(None, (incident.entity, *refs))))
    start = min(incident.onset_at, incident.opened_at) - EARLIER
    end = incident.resolved_at or tx.now
    said = (incident.onset_at, incident.onset_by or "said when it was opened")
    return _found(tx, about, (start, end), said, incident.id)


def of_entity(tx: Tx, ref: str) -> Found | None:
    """What is suspected of an entity's trouble; None where nothing that looks at it fails."""
    seen = onsets.looked(tx, [ref], tx.now - WINDOW, tx.now)
    bad = [one for one in seen.onsets if one.recovered_at is None]
    if not bad:
        return None
    return _found(tx, (ref,), (tx.now - WINDOW, tx.now), (bad[0].since, ""), "")


def _found(
    tx: Tx,
    about: tuple[str, ...],
    span: tuple[datetime, datetime],
    said: tuple[datetime, str],
    incident: str,
) -> Found:
    edges = depending.around(tx, about)
    near = list(dict.fromkeys([*about, *sorted({ref for pair in edges for ref in pair})]))[:WIDEST]
    seen = onsets.looked(tx, near, *span)
    trouble, onset_by = _trouble(tx, about, seen, said)
    where = reaches(trouble.failing, edges)
    changes = [
        _placed(one, seen.regions)
        for one in _changes(tx, trouble.onset, near)
        if troubles.is_of_others(one, about)
    ]
    marked = marks.of(tx.conn, incident) if incident else []
    changes += _marked(tx, marked, changes)
    known = marks.known(tx.conn, near, incident)
    ranked = rank(trouble, changes, where, known, marked)
    return Found(trouble=trouble, onset_by=onset_by, suspects=ranked, near=_near(ranked, where))


def _trouble(
    tx: Tx, about: Sequence[str], seen: Looked, said: tuple[datetime, str]
) -> tuple[Trouble, str]:
    """What fails, and since when: by the measurements where there are any of what it is about."""
    own = [one for one in seen.onsets if one.entity in about or one.check in about]
    bad = [one for one in seen.onsets if _together(one, own)] if own else list(seen.onsets)
    first: dict[str, datetime] = {}
    for one in bad:
        first.setdefault(one.entity, one.since)
    measured = min((one.since for one in own), default=None)
    failing = tuple(dict.fromkeys([*about, *first]))
    regions = {region for one in own for region in one.regions}
    everywhere = any(not one.regions for one in own)
    ended = [one.recovered_at for one in own]
    trouble = Trouble(
        onset=min([measured, *first.values()]) if measured else said[0],
        onsets=tuple(sorted(first.items())),
        failing=failing,
        healthy=seen.healthy,
        regions=() if everywhere else tuple(sorted(regions)),
        recovered_at=max(filter(None, ended)) if own and all(ended) else None,
        at=tx.now,
    )
    return trouble, _by(own) if own else said[1]


def _together(one: Onset, own: Sequence[Onset]) -> bool:
    """Whether it failed in the same hours as what this is about."""
    first, last = own[0].since - timedelta(hours=1), max(other.since for other in own)
    return one in own or first <= one.since <= last + timedelta(hours=1)


def _by(own: Sequence[Onset]) -> str:
    return f"first failing visit of {own[0].title}"


def _changes(tx: Tx, onset: datetime, near: Sequence[str]) -> list[Change]:
    """What changed near what fails in a day, and anywhere in the last hours before it."""
    end = min(onset + AFTER, tx.now)
    result = {one.id: one for one in journal.changes(tx, onset - WINDOW, end, near, MOST)}
    wide = journal.changes(tx, onset - ANYWHERE, end, None, MOST_ANYWHERE)
    return list(({one.id: one for one in wide} | result).values())


def _placed(change: Change, regions: Sequence[str]) -> Change:
    """Its regions, where they are names that locations know: "blue" says nothing of a place."""
    known = tuple(one for one in change.regions if one in regions)
    return change if known == change.regions else msgspec.structs.replace(change, regions=known)


def _marked(tx: Tx, marked: Sequence[Mark], changes: Sequence[Change]) -> list[Change]:
    """What people marked is shown, however long before the onset it was."""
    there = {one.id for one in changes}
    rest = [one.change for one in marked if one.change not in there][:10]
    return [change for name in rest if (change := journal.change(tx, name)) is not None]


def _near(ranked: Sequence[Suspect], where: Sequence[Reach]) -> int:
    on_the_way = {one.ref for one in where if one.direction in ("self", "below")}
    return sum(bool(on_the_way.intersection(one.change.entities)) for one in ranked)


def mark(tx: Tx, incident: Incident, change: str, verdict: Verdict, by: str, why: str = "") -> None:
    """Clear or confirm a suspect, or take that back. A confirmed one teaches the next ranking.

    Raises NotFound for a change that the journal does not know, Invalid for a confirmation or a
    clearing that says nothing of why.
    """
    known = journal.change(tx, change)
    if known is None:
        raise NotFound("the journal knows of no such change")
    if verdict not in ("cleared", "confirmed", ""):
        raise Invalid(f"{verdict!r} is neither cleared nor confirmed")
    why = " ".join(why.replace("\0", "").split())
    if len(why) > LONGEST_WHY:
        raise Invalid(f"a reason has at most {LONGEST_WHY} characters")
    if not verdict:
        if not marks.take_back(tx.conn, incident.id, change):
            return
    else:
        if not why:
            raise Invalid("say how you know: whoever reads it next was not here")
        said = Mark(change, verdict, by, tx.now, why)
        teaches = not (incident.restricted or incident.drill)
        marks.put(tx.conn, incident.id, said, known, teaches=teaches)
    _tell(tx, incident, known, verdict, why)


def _tell(tx: Tx, incident: Incident, change: Change, verdict: Verdict, why: str) -> None:
    said = {"cleared": "Cleared", "confirmed": "Confirmed"}.get(verdict, "No longer sure of")
    words = f"{said}: {change.title}" + (f" ({why})" if why else "")
    about = change.entities
    data = {"change": change.id, "suspect": change.title, "verdict": verdict, "why": why}
    telling.tell(tx, incident, SUSPECTED, words, entities=about, **data)
