"""Checks and locations follow the catalog; what is wrong with their documents is told there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.model import Path, Position, Problem, Severity
from pilothouse.catalog.service import declaring, definitions, reporting
from pilothouse.catalog.service.declaring import Declaration
from pilothouse.checks.model.documents import CheckSpec, LocationSpec
from pilothouse.checks.model.kept import LOCAL, Check, Location
from pilothouse.checks.rules import fitness
from pilothouse.checks.service import raising
from pilothouse.checks.store import beating, planned, reading
from pilothouse.kernel.errors import Invalid, NotFound
from pilothouse.kernel.refs import EntityRef

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

BY = "checks"  # whose problems these are
KINDS = ("check", "probelocation")
MEANINGS = {
    "check-type": "A check has exactly one type.",
    "check-expression": "An assertion cannot be compiled, or names what its type does not have.",
    "check-location": "A location or region that no ProbeLocation has.",
    "check-schedule": "A heartbeat's period or cron expression.",
    "check-time-zone": "A time zone that nobody knows.",
    "check-maintenance": "A maintenance window.",
    "check-duration": "`every` or `timeout` is out of its bounds.",
    "check-address": "An address that cannot be one.",
    "check-script": "A journey's script or steps.",
    "location-network": "`private_targets` has what is no network.",
    "location-reference": "A reference that the location's own agents may not visit.",
}
Locate = Callable[[Path], Position]


class Found(msgspec.Struct, frozen=True):
    """What a source declares for us."""

    source_id: int
    checks: list[Declaration]
    locations: list[Declaration]
    elsewhere: list[Location]  # locations of other sources


class Read(msgspec.Struct, frozen=True):
    """A check's document with its script, and what is wrong with it."""

    declaration: Declaration
    spec: CheckSpec
    faults: Sequence[fitness.Fault]


class Outcome(msgspec.Struct, frozen=True):
    """What is to be kept of a source."""

    found: Found
    checks: Sequence[Read]
    locations: Sequence[Location]
    problems: Sequence[Problem]


def found(tx: Tx, spec: str) -> Found | None:
    """What a source declares; None for one that is none any more."""
    source = declaring.source(tx, spec)
    if source is None:
        return None
    declared = declaring.of_kinds(tx, source.id, KINDS)
    checks = [one for one in declared if one.ref.startswith("check:")]
    locations = [one for one in declared if not one.ref.startswith("check:")]
    here = {one.ref for one in locations}
    return Found(
        source.id,
        checks,
        locations,
        [
            one
            for one in reading.all_locations(tx.conn)
            if one.ref not in here and one.source_id != source.id
        ],
    )


def script_of(declaration: Declaration) -> str:
    """The path of a journey's script, from the folder of its document; "" where it has none."""
    journey = (declaration.body.get("spec") or {}).get("journey")
    script = journey.get("script") if isinstance(journey, dict) else None
    return script if isinstance(script, str) else ""


def read(
    found: Found, scripts: Mapping[str, str | Invalid | NotFound], places: fitness.Places
) -> list[Read]:
    """The checks of a source; `scripts` are the texts of journeys by the ref of their check."""
    out: list[Read] = []
    for one in found.checks:
        spec = msgspec.convert(one.body["spec"], CheckSpec)
        faults = fitness.of_check(spec, places)
        script = scripts.get(one.ref)
        if isinstance(script, Exception):
            path = ("spec", "journey", "script")
            faults.append(fitness.Fault("check-script", path, str(script)))
        elif script is not None and spec.journey is not None:
            journey = msgspec.structs.replace(spec.journey, code=script)
            spec = msgspec.structs.replace(spec, journey=journey)
        out.append(Read(one, spec, faults))
    return out


def locations_of(found: Found) -> list[Location]:
    """The locations of a source."""
    return [
        Location(
            name=one.ref.rpartition("/")[2],
            ref=one.ref,
            title=_title(one),
            region=spec.region.lower(),
            spec=spec,
            source_id=found.source_id,
        )
        for one in found.locations
        for spec in [msgspec.convert(one.body["spec"], LocationSpec)]
    ]


def places_of(found: Found, here: Sequence[Location]) -> fitness.Places:
    """All locations and regions that checks may name."""
    known = [*found.elsewhere, *here]
    return fitness.Places(
        frozenset({LOCAL, *(one.name for one in known)}),
        frozenset({LOCAL, *(one.region for one in known)}),
    )


def location_faults(found: Found) -> list[tuple[Declaration, list[fitness.Fault]]]:
    """What is wrong with each location of a source."""
    return [
        (one, fitness.of_location(msgspec.convert(one.body["spec"], LocationSpec)))
        for one in found.locations
    ]


def places_in(body: bytes) -> dict[str, Locate]:
    """Where the fields of the documents of a file stand, by ref; texts after their quote."""
    lines = body.decode("utf-8", "replace").split("\n")
    return {ref: _within(locate, lines) for ref, locate in declaring.places(body).items()}


def _within(locate: Locate, lines: Sequence[str]) -> Locate:
    def found(path: Path) -> Position:
        at = locate(path)
        line = lines[at.line - 1] if at.line <= len(lines) else ""
        quoted = line[at.column - 1 : at.column] in ("'", '"')
        return Position(at.line, at.column + quoted)

    return found


def problems(
    found: Found, checks: Sequence[Read], places: Mapping[str, Mapping[str, Locate]]
) -> list[Problem]:
    """Everything that is wrong, with its place; `places` are those of files, by ref."""
    faulty = [(one.declaration, fault) for one in checks for fault in one.faults]
    faulty += [(one, fault) for one, faults in location_faults(found) for fault in faults]
    return sorted(
        (_problem(one, fault, places.get(one.path, {}).get(one.ref)) for one, fault in faulty),
        key=lambda one: (one.file, one.line, one.column),
    )


def _problem(declaration: Declaration, fault: fitness.Fault, locate: Locate | None) -> Problem:
    at = locate(fault.path) if locate else Position(1)
    return Problem(
        code=fault.code,
        severity=Severity.ERROR if fault.fatal else Severity.WARNING,
        message=fault.message,
        file=declaration.path,
        line=at.line,
        column=at.column + fault.column - 1,
        ref=declaration.ref,
        field=".".join(map(str, fault.path)),
        hint=fault.hint or None,
    )


def settle(tx: Tx, outcome: Outcome) -> list[str]:
    """Keep what a source says now.

    Returns the specs of other sources with checks to judge anew, as the locations are others now.
    """
    planned.one_writer(tx.conn)
    source_id = outcome.found.source_id
    moved = _settle_locations(tx, source_id, outcome.locations)
    changed = _settle_checks(tx, source_id, outcome.checks)
    reporting.report(tx, BY, source_id, outcome.problems)
    if moved or changed:
        planned.bump(tx.conn)
    if not moved:
        return []
    others = planned.sources(tx.conn) - {source_id}
    return sorted(spec for number, spec in declaring.specs_by_id(tx).items() if number in others)


def _settle_locations(tx: Tx, source_id: int, found: Sequence[Location]) -> bool:
    """Whether any is another now. A name that another source has already stays that one's."""
    every = reading.all_locations(tx.conn)
    known = {one.name: one for one in every if one.source_id == source_id}
    taken = {one.name for one in every if one.source_id != source_id}
    mine = [one for one in found if one.name not in taken]
    changed = [one for one in mine if known.get(one.name) != one]
    gone = known.keys() - {one.name for one in mine}
    planned.put_locations(tx.conn, changed)
    planned.drop_locations(tx.conn, gone)
    return bool(changed or gone)


def _settle_checks(tx: Tx, source_id: int, found: Sequence[Read]) -> bool:
    known = planned.by_uid(tx.conn, [one.declaration.uid for one in found])
    entities = [_entity(one) for one in found]
    owners = definitions.owners(tx, list(dict.fromkeys(entities)))
    wanted = [
        _check(tx, one, entity, owners.get(entity, ""), known.get(one.declaration.uid))
        for one, entity in zip(found, entities, strict=True)
    ]
    before = planned.of_source(tx.conn, source_id)
    changed = [one for one in wanted if before.get(one.uid) != one]
    planned.put_checks(tx.conn, source_id, changed)
    gone = [one for uid, one in before.items() if uid not in {item.uid for item in wanted}]
    _drop(tx, gone)
    beating.enrol(tx.conn, _beats(tx, changed), tx.now)
    return bool(changed or gone)


def _beats(tx: Tx, changed: Sequence[Check]) -> list[int]:
    refs = [one.ref for one in changed if one.type == "heartbeat"]
    return [one.id for one in reading.by_ref(tx.conn, refs).values()]


def _entity(one: Read) -> str:
    namespace = one.declaration.ref.partition(":")[2].partition("/")[0]
    try:
        return str(EntityRef.parse(one.spec.entity, namespace=namespace))
    except Invalid:
        return one.declaration.ref  # the catalog has said so; it watches itself alone


def _check(tx: Tx, one: Read, entity: str, owner: str, old: Check | None) -> Check:
    """The check as it is now. One that is not fit keeps being visited as it last was."""
    said = msgspec.json.encode(one.spec).decode()
    spec, version, kind = said, _digest(said), one.spec.type
    critical = one.spec.critical
    if one.faults:
        spec, version = (old.spec, old.version) if old else (said, "")
        kind, critical = (old.type, old.critical) if old and old.version else (kind, critical)
    changed = old is not None and old.version != version
    return Check(
        id=old.id if old else 0,
        uid=one.declaration.uid,
        ref=one.declaration.ref,
        title=_title(one.declaration),
        entity=entity,
        owner=owner,
        type=kind,
        critical=critical,
        version=version,
        spec=spec,
        fault="; ".join(fault.message for fault in one.faults)[:2000],
        not_before=tx.now if changed else old.not_before if old else None,
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _title(declaration: Declaration) -> str:
    metadata = declaration.body["metadata"]
    title = metadata.get("title")
    return (title if isinstance(title, str) and title else str(metadata["name"]))[:400]


def _drop(tx: Tx, gone: Sequence[Check]) -> None:
    """Checks that left the catalog: an alert that is out is taken back."""
    standpoints = reading.standpoints(tx.conn, [one.id for one in gone])
    for one in gone:
        if (now := standpoints.get(one.id)) is not None and now.raised:
            raising.withdraw(tx, one, now, "is no longer in the catalog")
    planned.drop_checks(tx.conn, [one.id for one in gone], tx.now)


def forget_gone(tx: Tx) -> bool:
    """Forget what sources gave that are none any more; whether there was any."""
    planned.one_writer(tx.conn)
    there = declaring.specs_by_id(tx).keys()
    gone = planned.sources(tx.conn) - there
    left = {one.source_id for one in reading.all_locations(tx.conn)} - there
    for source_id in gone | left:
        _settle_locations(tx, source_id, ())
        _drop(tx, list(planned.of_source(tx.conn, source_id).values()))
        reporting.report(tx, BY, source_id, ())
    if gone or left:
        planned.bump(tx.conn)
    return bool(gone or left)


def own(tx: Tx, refs: Collection[str]) -> None:
    """These entities changed: the checks that watch them are owned as they are."""
    found = reading.of_entities(tx.conn, refs)
    owners = definitions.owners(tx, list({one.entity for one in found}))
    planned.own(
        tx.conn,
        {one.id: now for one in found if (now := owners.get(one.entity, "")) != one.owner},
    )


def concerned(tx: Tx, refs: Collection[str]) -> list[str]:
    """Sources of documents of ours among some refs that changed."""
    ours = [ref for ref in refs if ref.partition(":")[0] in KINDS]
    return declaring.specs_of(tx, ours)
