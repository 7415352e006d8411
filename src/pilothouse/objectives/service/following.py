"""Objectives follow the catalog: documents make them, entities own them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.model import Position, Problem, Severity
from pilothouse.catalog.service import annotated, declaring, reporting
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef
from pilothouse.objectives.formats import openslo
from pilothouse.objectives.formats.shelf import KIND_NAMES, Known, Place, Shelf
from pilothouse.objectives.model.objectives import Objective
from pilothouse.objectives.rules import burning, windows
from pilothouse.objectives.service.turning import end_alerts
from pilothouse.objectives.store import objectives as store

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from pilothouse.catalog.model import Path
    from pilothouse.kernel.module import Measure
    from pilothouse.kernel.tx import Tx

FOLLOW = "objectives.follow"
BY = "objectives"  # whose problems these are
MEASURED, SERVICE = "objective-measured", "objective-service"
MOST = 5000  # documents that are read
ABOUT_KINDS = ("component", "system", "api", "resource", "domain", "group")  # the first wins
_KINDS = frozenset(KIND_NAMES) | frozenset(ABOUT_KINDS)


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a document, and where it stands."""

    code: str
    at: Place
    message: str
    source: str  # its spec
    file: str


class Found(msgspec.Struct, frozen=True):
    """The objectives that the catalog has now, and what is wrong with them."""

    objectives: Sequence[Objective]
    faults: Sequence[Fault]


def heard(tx: Tx, refs: Collection[str]) -> None:
    """The catalog changed: look again where it may matter."""
    if any(ref.partition(":")[0] in _KINDS for ref in refs):
        tx.enqueue(FOLLOW, key="all")


def seen(tx: Tx, spec: str) -> None:
    """A source was looked at: look again if there are objectives, whose lines may be others."""
    source = declaring.source(tx, spec)
    if source is not None and declaring.of_kinds(tx, source.id, sorted(KIND_NAMES)):
        tx.enqueue(FOLLOW, key="all")


def found(tx: Tx, measures: Mapping[str, Measure]) -> Found:
    """What the catalog says now."""
    stated = {one.ref: one for one in annotated.of_kinds(tx, sorted(KIND_NAMES), MOST)}
    known = {name: Known(tuple(one.labels), one.sized) for name, one in measures.items()}
    bodies = {ref: one.body for ref, one in stated.items()}
    shelf = Shelf(bodies, known)
    made: list[openslo.Made] = []
    for ref, body in bodies.items():
        if ref.startswith("slo:"):
            made += openslo.objectives_of(ref, body, shelf)
    objectives, missing = _placed(tx, [one.objective for one in made], bodies)
    wrong = [(MEASURED, one.flaw.at, str(one.flaw)) for one in made if one.flaw]
    wrong += [(SERVICE, at, said) for at, said in missing.items()]
    faults = [
        Fault(code, at, said, stated[at.ref].origin, stated[at.ref].path)
        for code, at, said in dict.fromkeys(wrong)
    ]
    return Found(objectives, faults)


def problem(fault: Fault, locate: Callable[[Path], Position] | None) -> Problem:
    """A fault as the catalog tells it; `locate` says where in its file a field stands."""
    at = locate(fault.at.path) if locate else Position(1)
    return Problem(
        code=fault.code,
        severity=Severity.ERROR if fault.code == MEASURED else Severity.WARNING,
        message=fault.message,
        file=fault.file,
        line=at.line,
        column=at.column,
        ref=fault.at.ref,
        field=".".join(map(str, fault.at.path)),
    )


def settle(
    tx: Tx, objectives: Sequence[Objective], problems: Mapping[str, Sequence[Problem]]
) -> None:
    """Keep what the catalog says now; `problems` by the spec of their source."""
    _store(tx, objectives)
    told = reporting.sources(tx, BY)
    for source_id, spec in declaring.specs_by_id(tx).items():
        if spec in problems or source_id in told:
            reporting.report(tx, BY, source_id, problems.get(spec, ()))


def _placed(
    tx: Tx, found: list[Objective], bodies: Mapping[str, dict[str, object]]
) -> tuple[list[Objective], dict[Place, str]]:
    """The same with the entities they are about and whose they are, and the usual rules.

    And where an entity is named that is not there.
    """
    asked = {one.slo: _asked(one, bodies) for one in found}
    names = sorted({one.service.lower() for one in found if not asked[one.slo].ref})
    called = annotated.called(tx, names, ABOUT_KINDS) if names else {}
    named = {one.slo: asked[one.slo].ref or _called(one, called) for one in found}
    about = annotated.about(tx, sorted({ref for ref in named.values() if ref}))
    placed: list[Objective] = []
    missing: dict[Place, str] = {}
    for one in found:
        entity = named[one.slo] if named[one.slo] in about else ""
        rules = one.rules
        if not rules and not one.own_rules:
            rules = burning.usual(windows.length(one.window), one.target)
        owner = about[entity][1] if entity else ""
        placed.append(msgspec.structs.replace(one, entity=entity, owner=owner, rules=rules))
        if not entity and (asked[one.slo].said or _service(one) not in bodies):
            said = asked[one.slo].said or one.service
            missing[asked[one.slo].at] = f"the catalog has no {said!r}: nobody owns the objective"
    return placed, missing


class _Asked(msgspec.Struct, frozen=True):
    """What an SLO is about by its own words, if it says so outright, and where."""

    at: Place
    said: str = ""
    ref: str = ""


def _service(one: Objective) -> str:
    """The ref of a document `kind: Service` that an SLO may name."""
    namespace = one.slo.partition(":")[2].partition("/")[0]
    return f"service:{namespace}/{one.service}".lower()


def _asked(one: Objective, bodies: Mapping[str, dict[str, object]]) -> _Asked:
    """By an annotation of the SLO or of its Service, or as `service` itself."""
    namespace = one.slo.partition(":")[2].partition("/")[0]
    at, said = Place(one.slo, ("spec", "service")), ""
    for ref in (one.slo, _service(one)):
        if not said and ref in bodies and (said := openslo.text_at(bodies[ref], openslo.ABOUT)):
            at = Place(ref, ("metadata", "annotations", openslo.ABOUT))
    if not said and ":" in one.service:
        said = one.service
    try:
        ref = str(EntityRef.parse(said, "component", namespace)) if said else ""
    except Invalid:
        ref = ""
    return _Asked(at, said, ref)


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
