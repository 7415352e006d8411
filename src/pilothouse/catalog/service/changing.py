"""Changes of documents, for whoever asks what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.catalog.model import ChangeKind, FieldChange, Version
from pilothouse.catalog.service import views
from pilothouse.catalog.store import history
from pilothouse.kernel.changes import Change, Kind
from pilothouse.kernel.module import Changing
from pilothouse.kernel.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.events import Event
    from pilothouse.kernel.tx import Tx

MOST = 500  # versions that are looked at; a first load has thousands, and none is a change
LONGEST = 40  # characters of a value in a title
WATCH = frozenset({"schedule", "escalationpolicy"})  # kinds in lower case
ACTING = frozenset({"check", "probelocation", "slo", "datasource", "flag", "resource"})
WORDS = {
    "api": "API",
    "slo": "SLO",
    "escalationpolicy": "Escalation policy",
    "probelocation": "Location",
    "datasource": "Data source",
}
LEFT_OUT = frozenset({ChangeKind.ADDED, ChangeKind.MOVED})  # nothing is different by them


def read(tx: Tx, events: Sequence[Event]) -> list[Change]:
    """One query for what became of the entities. What was added, or moved, changed nothing."""
    told = [one for one in events if one.at is not None and not _only_added(one)]
    refs = sorted({ref for one in told for ref in one.entities})[:MOST]
    instants = [one.at for one in told if one.at is not None]
    if not refs:
        return []
    by = {(ref, one.at): one for one in told for ref in one.entities}
    found = history.told_at(tx.conn, refs, min(instants), max(instants), MOST)
    return [
        _change(event, version)
        for version in found
        if version.change not in LEFT_OUT and (event := by.get((version.ref, version.at)))
    ]


def _only_added(event: Event) -> bool:
    return not event.data.get("changed") and not event.data.get("removed")


def _change(event: Event, one: Version) -> Change:
    return Change(
        id=f"{event.id}:{one.ref}",
        at=one.at,
        kind=_kind(one.kind.lower()),
        entities=(one.ref,),
        title=f"{_word(one.kind)} {one.ref.rpartition('/')[2]}: {_what(one)}",
        by=one.commit.author if one.commit else one.actor,
        href=f"{views.href(one.ref)}/changes",
        detail=one.commit.subject if one.commit else one.path,
        same=f"commit:{one.commit.id}" if one.commit else "",
    )


def _kind(kind: str) -> Kind:
    if kind in WATCH:
        return "schedule"
    return "config" if kind in ACTING else "catalog"


def _word(kind: str) -> str:
    return WORDS.get(kind.lower(), kind.capitalize())


def _what(one: Version) -> str:
    if one.change is not ChangeKind.CHANGED or not one.changes:
        return one.change.value
    first, rest = one.changes[0], len(one.changes) - 1
    more = f" and {counted(rest, 'more field')}" if rest else ""
    return f"{first.field} {_values(first)}{more}"


def _values(one: FieldChange) -> str:
    before, after = _short(one.before), _short(one.after)
    return f"{before} → {after}" if before and after else "changed"


def _short(value: object) -> str:
    """A value that fits into a title; "" for others."""
    text = "" if value is None or isinstance(value, dict | list) else str(value)
    return text if len(text) <= LONGEST and "\n" not in text else ""


CHANGING = Changing(("catalog.changed",), read)
