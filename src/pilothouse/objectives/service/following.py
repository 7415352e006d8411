"""Objectives follow the catalog: documents make them, entities own them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import annotated
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef
from pilothouse.objectives.formats import openslo
from pilothouse.objectives.formats.openslo import Known, Shelf
from pilothouse.objectives.rules import burning, windows
from pilothouse.objectives.service.turning import end_alerts
from pilothouse.objectives.store import objectives as store

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pilothouse.kernel.module import Measure
    from pilothouse.kernel.tx import Tx
    from pilothouse.objectives.model.objectives import Objective

FOLLOW = "objectives.follow"
MOST = 5000  # documents that are read
ABOUT_KINDS = ("component", "system", "api", "resource", "domain", "group")  # the first wins
_KINDS = frozenset(openslo.KIND_NAMES) | frozenset(ABOUT_KINDS)


def heard(tx: Tx, refs: Collection[str]) -> None:
    """The catalog changed: look again where it may matter."""
    if any(ref.partition(":")[0] in _KINDS for ref in refs):
        tx.enqueue(FOLLOW, key="all")


def follow(tx: Tx, measures: Mapping[str, Measure]) -> None:
    """Bring objectives to what the catalog says now."""
    stated = annotated.of_kinds(tx, sorted(openslo.KIND_NAMES), MOST)
    known = {name: Known(tuple(one.labels), one.sized) for name, one in measures.items()}
    bodies = {one.ref: one.body for one in stated}
    shelf = Shelf(bodies, known)
    found: list[Objective] = []
    for one in stated:
        if one.ref.startswith("slo:"):
            found += openslo.objectives_of(one.ref, one.body, shelf)
    _store(tx, _placed(tx, found, bodies))


def _placed(
    tx: Tx, found: list[Objective], bodies: Mapping[str, dict[str, object]]
) -> list[Objective]:
    """The same with the entities they are about and whose they are, and the usual rules."""
    asked = {one.slo: _asked(one, bodies) for one in found}
    names = sorted({one.service.lower() for one in found if not asked[one.slo]})
    called = annotated.called(tx, names, ABOUT_KINDS) if names else {}
    named = {one.slo: asked[one.slo] or _called(one, called) for one in found}
    about = annotated.about(tx, sorted({ref for ref in named.values() if ref}))
    placed = []
    for one in found:
        entity = named[one.slo] if named[one.slo] in about else ""
        rules = one.rules
        if not rules and not one.own_rules:
            rules = burning.usual(windows.length(one.window), one.target)
        owner = about[entity][1] if entity else ""
        placed.append(msgspec.structs.replace(one, entity=entity, owner=owner, rules=rules))
    return placed


def _asked(one: Objective, bodies: Mapping[str, dict[str, object]]) -> str:
    """The ref that documents say outright: by an annotation, or as `service` itself."""
    namespace = one.slo.partition(":")[2].partition("/")[0]
    service = f"service:{namespace}/{one.service}".lower()
    said = openslo.text_at(bodies[one.slo], openslo.ABOUT)
    if not said and service in bodies:
        said = openslo.text_at(bodies[service], openslo.ABOUT)
    if not said and ":" in one.service:
        said = one.service
    try:
        return str(EntityRef.parse(said, "component", namespace)) if said else ""
    except Invalid:
        return ""


def _called(one: Objective, called: Mapping[str, list[str]]) -> str:
    """Who is called as the service: in the document's namespace before others, by kind."""
    namespace = one.slo.partition(":")[2].partition("/")[0]

    def order(ref: str) -> tuple[bool, int]:
        kind, _, rest = ref.partition(":")
        return rest.partition("/")[0] != namespace, ABOUT_KINDS.index(kind)

    return min(called.get(one.service.lower(), ()), key=order, default="")


def _store(tx: Tx, found: Iterable[Objective]) -> None:
    before = {one.objective.key: one for one in store.every(tx.conn)}
    now = {one.key: one for one in found}
    store.add(tx.conn, (one for key, one in now.items() if key not in before), tx.now)
    changed = [
        (before[key].id, one)
        for key, one in now.items()
        if key in before and before[key].objective != one
    ]
    store.change(tx.conn, changed)
    anew = [
        before[one.key].id for _, one in changed if _counts_else(before[one.key].objective, one)
    ]
    if anew:
        store.begin_anew(tx.conn, anew)
    if gone := [one for key, one in before.items() if key not in now]:
        end_alerts(tx, gone)
        store.drop(tx.conn, [one.id for one in gone])


def _counts_else(old: Objective, new: Objective) -> bool:
    """Whether what was counted is of no use any more."""
    longer = windows.length(new.window) > windows.length(old.window)
    return old.metric != new.metric or old.slices != new.slices or longer
