"""What changed in APIs, ready to be drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec

from pilothouse.apis.model import Change, Finding, Party, Role, Severity
from pilothouse.apis.store import changes as store
from pilothouse.apis.store.changes import Concern
from pilothouse.catalog.service import views
from pilothouse.catalog.service.views import Named
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.refs import EntityRef

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

HOME = "/apis/changes"
ON_A_PAGE = 5
PAGE = 50
RECENT = timedelta(days=14)  # on Now


class ChangeLine(msgspec.Struct, frozen=True):
    """A change in a list."""

    change: Change
    api: Named
    consumers: tuple[Named, ...]
    role: Role | None = None  # of the entity whose page it stands on

    @property
    def href(self) -> str:
        return f"{HOME}/{self.change.id}"


class Changes(msgspec.Struct, frozen=True):
    """Changes, newest first."""

    lines: list[ChangeLine]
    counts: dict[str, int] = {}
    older: int | None = None  # where the next part of the list begins: before this change


def of_entities(tx: Tx, refs: Sequence[str]) -> Changes | None:
    """The last changes that concern these entities; None when there are none."""
    found = store.concerning(tx.conn, refs, limit=ON_A_PAGE)
    return Changes(_lines(tx, found)) if found else None


def recent_breaking(tx: Tx) -> Changes | None:
    """The breaking changes of the last two weeks; None when there are none."""
    since = tx.now - RECENT
    found = store.recent(tx.conn, worst=Severity.BREAKING, since=since, limit=ON_A_PAGE)
    return Changes(_lines(tx, found)) if found else None


def page(tx: Tx, worst: Severity | None, before: int | None, ref: str = "") -> Changes:
    """A page of changes, newest first, of all APIs or of those that concern an entity."""
    wanted = str(EntityRef.parse(ref)) if ref else ""
    found: Sequence[Change] | Sequence[Concern]
    if wanted:
        found = store.concerning(tx.conn, [wanted], worst=worst, before=before, limit=PAGE + 1)
    else:
        found = store.recent(tx.conn, worst=worst, before=before, limit=PAGE + 1)
    lines = _lines(tx, found[:PAGE])
    older = lines[-1].change.id if len(found) > PAGE else None
    return Changes(lines, store.counts(tx.conn, wanted), older)


def _lines(tx: Tx, found: Sequence[Change] | Sequence[Concern]) -> list[ChangeLine]:
    changes = {one.id: one for one in (f.change if isinstance(f, Concern) else f for f in found)}
    roles = {one.change.id: one.role for one in found if isinstance(one, Concern)}
    parties = store.parties_of(tx.conn, list(changes)) if changes else {}
    consumers = {
        key: [party.ref for party in parties.get(key, ()) if party.role is Role.CONSUMER]
        for key in changes
    }
    refs = [one.ref for one in changes.values()]
    refs += [ref for several in consumers.values() for ref in several]
    names = views.name_all(tx, refs)
    return [
        ChangeLine(
            change,
            names[change.ref],
            tuple(names[ref] for ref in consumers[key]),
            roles.get(key),
        )
        for key, change in changes.items()
    ]


class PartyLine(msgspec.Struct, frozen=True):
    """Someone whom a change concerns, by name."""

    party: Party
    named: Named
    owner: Named | None


class ChangePage(msgspec.Struct, frozen=True):
    """One change, whole."""

    change: Change
    api: Named
    findings: dict[Severity, list[Finding]]
    consumers: list[PartyLine]
    providers: list[PartyLine]
    owner: Named | None


def one(tx: Tx, change_id: int) -> ChangePage:
    """Raises NotFound where there is no such change."""
    found = store.whole(tx.conn, change_id)
    if found is None:
        raise NotFound(f"There is no change {change_id} of an API. /apis/changes lists them.")
    refs = [party.ref for party in found.parties] + [party.owner for party in found.parties]
    names = views.name_all(tx, [ref for ref in (found.change.ref, *refs) if ref])
    lines = [
        PartyLine(party, names[party.ref], names[party.owner] if party.owner else None)
        for party in found.parties
    ]
    findings = {
        severity: [item for item in found.findings if item.severity is severity]
        for severity in Severity
    }
    return ChangePage(
        change=found.change,
        api=names[found.change.ref],
        findings={severity: items for severity, items in findings.items() if items},
        consumers=[line for line in lines if line.party.role is Role.CONSUMER],
        providers=[line for line in lines if line.party.role is Role.PROVIDER],
        owner=next((line.owner for line in lines if line.party.role is Role.API), None),
    )


def lists(tx: Tx) -> Iterator[str]:
    """The list of changes and those of each severity, with all their parts."""
    for worst in (None, *Severity):
        asked = {"severity": worst.value} if worst else {}
        yield f"{HOME}?{urlencode(asked)}" if asked else HOME
        for last in store.lasts(tx.conn, worst, PAGE):
            yield f"{HOME}?{urlencode({'before': last, **asked})}"


def paths(tx: Tx) -> list[tuple[str, str]]:
    """Every page of a change, with the ref of its API."""
    return [(f"{HOME}/{change_id}", ref) for change_id, ref in store.ids(tx.conn)]
