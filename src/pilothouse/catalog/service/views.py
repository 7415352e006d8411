"""What the catalog's pages show, ready to be drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from pilothouse.catalog.model import (
    ChangeKind,
    Edge,
    PlacedProblem,
    Present,
    Severity,
    Source,
    Version,
)
from pilothouse.catalog.rules.kinds import reverse_of
from pilothouse.catalog.rules.titles import title_of
from pilothouse.catalog.service import browsing
from pilothouse.catalog.store import brief, history, memory, problems, queries, relations, sources
from pilothouse.catalog.store.brief import Label
from pilothouse.catalog.store.queries import Row, Wanted
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Tx

TOGETHER = timedelta(minutes=1)  # changes of one load
NAMES = "catalog.names"  # what a transaction keeps of them
MOST_SHOWN = 100  # relations of one type on a page; the rest is counted and listed apart


class Named(msgspec.Struct, frozen=True):
    """An entity to be named on a page, whether or not it is in the catalog."""

    ref: str
    title: str
    kind: str
    type: str = ""
    exists: bool = True

    @property
    def href(self) -> str:
        return href(self.ref)


class Item(msgspec.Struct, frozen=True):
    """A line of the catalog list."""

    ref: str
    kind: str  # as written
    title: str
    description: str
    type: str
    lifecycle: str
    owner: Named | None
    tags: tuple[str, ...]
    troubles: int  # errors and warnings about it
    stale: bool
    changed_at: datetime

    @property
    def href(self) -> str:
        return href(self.ref)


class Group(msgspec.Struct, frozen=True):
    """The relations of one type of an entity."""

    type: str
    items: list[Named]
    total: int


def href(ref: str) -> str:
    """The page of an entity."""
    kind, _, rest = ref.partition(":")
    namespace, _, name = rest.partition("/")
    return f"/catalog/{quote(kind, safe='')}/{quote(namespace, safe='')}/{quote(name, safe='')}"


def named(label: Label) -> Named:
    return Named(label.ref, label.title, label.kind, label.type)


def name_all(tx: Tx, refs: Sequence[str]) -> dict[str, Named]:
    """Names for all of these refs; one that is not in the catalog is called as it is written.

    Panels of one page name the same entities again and again: each is asked for once.
    """
    known: dict[str, Named] = tx.once(NAMES, dict)
    asked = [ref for ref in dict.fromkeys(refs) if ref not in known]
    found = brief.labels(tx.conn, asked) if asked else {}
    for ref in asked:
        known[ref] = (
            named(found[ref])
            if ref in found
            else Named(ref, ref.rpartition("/")[2], ref.partition(":")[0], exists=False)
        )
    return {ref: known[ref] for ref in refs}


def items(tx: Tx, rows: Sequence[Row]) -> list[Item]:
    """Lines of the list: two queries for all of them."""
    bodies = {row.ref: msgspec.json.decode(row.body) for row in rows}
    owners = {ref: owner_ref(ref, body) for ref, body in bodies.items()}
    names = name_all(tx, [owner for owner in owners.values() if owner])
    troubles = problems.weights(tx.conn, list(bodies))
    return [
        msgspec.structs.replace(
            _item(row.ref, row.changed_at, bodies[row.ref], names.get(owners[row.ref] or "")),
            troubles=troubles.get(row.ref, 0),
            stale=row.stale is not None,
        )
        for row in rows
    ]


def former_items(tx: Tx, rows: Sequence[history.Former]) -> list[Item]:
    """Lines of the list as it was at an instant; owners are called what they are called now."""
    bodies = {row.ref: msgspec.json.decode(row.body) for row in rows}
    owners = {ref: owner_ref(ref, body) for ref, body in bodies.items()}
    names = name_all(tx, [owner for owner in owners.values() if owner])
    return [
        _item(row.ref, row.at, bodies[row.ref], names.get(owners[row.ref] or "")) for row in rows
    ]


def owner_ref(ref: str, body: Mapping[str, Any]) -> str | None:
    """The ref of its owner, as its spec names it; None when it names none."""
    owner = (body.get("spec") or {}).get("owner")
    if not isinstance(owner, str) or not owner:
        return None
    namespace = ref.partition(":")[2].partition("/")[0]
    return str(EntityRef.parse(owner, "group", namespace))


def _item(ref: str, at: datetime, body: Mapping[str, Any], owner: Named | None) -> Item:
    metadata, spec = body["metadata"], body.get("spec") or {}
    return Item(
        ref=ref,
        kind=body["kind"],
        title=title_of(body),
        description=text_of(metadata, "description"),
        type=text_of(spec, "type"),
        lifecycle=text_of(spec, "lifecycle"),
        owner=owner,
        tags=tuple(tag for tag in metadata.get("tags") or () if isinstance(tag, str)),
        troubles=0,
        stale=False,
        changed_at=at,
    )


def text_of(values: Mapping[str, Any], key: str) -> str:
    """A text of a body, "" where it is absent or something else."""
    value = values.get(key)
    return value if isinstance(value, str) else ""


def present(tx: Tx, ref: EntityRef) -> Present:
    """The entity, asked for once a transaction. Raises NotFound as `browsing.entity`."""
    return tx.once(("catalog.entity", ref), lambda: browsing.entity(tx, ref))


def body(tx: Tx, ref: EntityRef) -> dict[str, Any]:
    """Its document, without spec.definition."""
    return tx.once(("catalog.body", ref), lambda: msgspec.json.decode(present(tx, ref).body))


def moved_to(tx: Tx, ref: EntityRef) -> str | None:
    """The page of the entity that once had this name."""
    new = queries.former(tx.conn, str(ref))
    return href(new) if new else None


def gone(tx: Tx, ref: EntityRef) -> list[Version]:
    """The versions of an entity that is no longer in the catalog.

    Raises NotFound when it never was.
    """
    uid = history.last_uid(tx.conn, str(ref))
    if uid is None:
        browsing.entity(tx, ref)
        raise NotFound(f"{ref} is not in the catalog")
    return history.of_entity(tx.conn, uid)


def versions(tx: Tx, ref: EntityRef, limit: int = 200) -> list[Version]:
    """The versions of an entity, newest first."""
    return history.of_entity(tx.conn, present(tx, ref).uid, limit)


def around(tx: Tx, ref: EntityRef) -> list[Edge]:
    """Relations from and to an entity, those from it first, each side bounded."""
    text = str(ref)
    asked = ("catalog.around", text)
    return tx.once(asked, lambda: relations.around(tx.conn, [text], MOST_SHOWN * 5))


def related(tx: Tx, ref: EntityRef) -> list[Group]:
    """Its relations by type, both directions, each type bounded, with how many there are."""
    text = str(ref)
    totals = dict(relations.outgoing_counts(tx.conn, text))
    for kind, total in relations.incoming_counts(tx.conn, text).items():
        if back := reverse_of(kind):
            totals[back] = total
    pairs: dict[str, list[str]] = {}
    for edge in around(tx, ref):
        if edge.source == text:
            pairs.setdefault(edge.type, []).append(edge.target)
        elif back := reverse_of(edge.type):
            pairs.setdefault(back, []).append(edge.source)
    names = name_all(tx, [ref for refs in pairs.values() for ref in refs[:MOST_SHOWN]])
    return [
        Group(kind, [names[ref] for ref in refs[:MOST_SHOWN]], totals.get(kind, len(refs)))
        for kind, refs in sorted(pairs.items())
    ]


class Standing(msgspec.Struct, frozen=True):
    """How the catalog stands, for the top of Now."""

    entities: int
    sources: list[Source]
    errors: int
    warnings: int


def standing(tx: Tx) -> Standing:
    """Counts for the headline and the panels of Now."""
    return tx.once("catalog.standing", lambda: _standing(tx))


def _standing(tx: Tx) -> Standing:
    counted = problems.counts(tx.conn)
    by_severity = {
        severity: sum(total for s, _, total in counted if s is severity) for severity in Severity
    }
    return Standing(
        entities=browsing.count(tx, Wanted()),
        sources=sources.all_sources(tx.conn),
        errors=by_severity[Severity.ERROR],
        warnings=by_severity[Severity.WARNING],
    )


def without_owner(tx: Tx, limit: int) -> tuple[int, list[Named]]:
    """Things nobody owns who exists: how many, and the first of them."""
    asked = ("ownerless", limit)
    total, refs = memory.remembered(tx.conn, asked, lambda: brief.ownerless(tx.conn, limit))
    names = name_all(tx, refs)
    return total, [names[ref] for ref in refs]


class Bundle(msgspec.Struct, frozen=True):
    """Changes that came together, of one sort and from one source: a first load is one line."""

    versions: list[Version]

    @property
    def first(self) -> Version:
        return self.versions[0]


class Day(msgspec.Struct, frozen=True):
    """Recent changes and the names of what changed."""

    versions: list[Version]
    names: dict[str, Named]

    @property
    def bundles(self) -> list[Bundle]:
        """The changes, those that came together as one."""
        found: list[Bundle] = []
        for version in self.versions:
            if found and _together(found[-1].first, version):
                found[-1].versions.append(version)
            else:
                found.append(Bundle([version]))
        return found


def _together(first: Version, other: Version) -> bool:
    return (
        first.change is other.change
        and first.change in {ChangeKind.ADDED, ChangeKind.REMOVED, ChangeKind.MOVED}
        and first.origin == other.origin
        and first.at - other.at < TOGETHER
    )


def recent(tx: Tx, *, limit: int = 10, before: int | None = None, **filters: Any) -> Day:
    """Changes of all entities, newest first."""
    found = history.recent(tx.conn, limit=limit, before=before, **filters)
    return Day(found, name_all(tx, [version.ref for version in found]))


def week(tx: Tx) -> dict[ChangeKind, int]:
    """How many changes of each kind there were in seven days, to the hour."""
    since = tx.now.replace(minute=0, second=0, microsecond=0) - timedelta(days=7)
    asked = ("week", since)
    return memory.remembered(tx.conn, asked, lambda: history.counts_since(tx.conn, since))


def problems_of(tx: Tx, ref: EntityRef) -> list[PlacedProblem]:
    """What is wrong about an entity."""
    return problems.of_refs(tx.conn, [str(ref)])


class Problems(msgspec.Struct, frozen=True):
    """A page of problems."""

    items: list[PlacedProblem]
    counts: list[tuple[Severity, str, int]]
    total: int


def problem_page(
    tx: Tx, *, severity: Severity | None, code: str | None, offset: int, limit: int
) -> Problems:
    """Problems, heaviest first."""
    counts = problems.counts(tx.conn)
    total = sum(
        n
        for s, c, n in counts
        if (severity is None or s is severity) and (code is None or c == code)
    )
    items = problems.page(tx.conn, severity=severity, code=code, offset=offset, limit=limit)
    return Problems(items, counts, total)
