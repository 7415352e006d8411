"""What is wrong with escalation policies, told where their documents stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.model import Path, Position, Problem, Severity
from pilothouse.catalog.service import browsing, declaring, reporting
from pilothouse.catalog.service.declaring import Declaration
from pilothouse.oncall.model.documents import PolicySpec
from pilothouse.oncall.rules import policies
from pilothouse.oncall.service import planning

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

BY = "oncall.policies"  # whose problems these are
Places = Mapping[str, Callable[[Path], Position]]  # of one file, by ref


class Faulty(msgspec.Struct, frozen=True):
    """A document, and one thing that is wrong with it."""

    declaration: Declaration
    fault: policies.Fault


def faulty(tx: Tx, spec: str) -> list[Faulty] | None:
    """What is wrong with the policies of a source; None for one that is none any more."""
    source = declaring.source(tx, spec)
    if source is None:
        return None
    read = [
        (one, msgspec.convert(one.body["spec"], PolicySpec))
        for one in declaring.of_kinds(tx, source.id, (planning.POLICY,))
    ]
    known = _known(tx, read)
    return [
        Faulty(one, fault)
        for one, policy in read
        for fault in policies.faults(policy, _namespace(one), known)
    ]


def _namespace(one: Declaration) -> str:
    return one.ref.partition(":")[2].partition("/")[0]


def _known(tx: Tx, read: Sequence[tuple[Declaration, PolicySpec]]) -> policies.Known:
    refs = {
        ref
        for one, policy in read
        for _, ref, _ in policies.refs_of(policy, _namespace(one))
        if ref is not None
    }
    there = frozenset(browsing.rows_of(tx, sorted(refs))) if refs else frozenset[str]()
    groups = sorted(ref for ref in there if ref.startswith("group:"))
    members = planning.members_of(tx, groups) if groups else {}
    return policies.Known(there, {group: len(people) for group, people in members.items()})


def settle(tx: Tx, spec: str, found: Sequence[Faulty], places: Mapping[str, Places]) -> None:
    """Tell of these, and of no others; `places` are those of files, by ref."""
    if (source := declaring.source(tx, spec)) is not None:
        reporting.report(tx, BY, source.id, [_problem(one, places) for one in found])


def _problem(one: Faulty, places: Mapping[str, Places]) -> Problem:
    locate = places.get(one.declaration.path, {}).get(one.declaration.ref)
    path: Path = ("spec", *one.fault.path)
    at = locate(path) if locate else Position(1)
    field = ".".join(map(str, path))
    return Problem(
        code=one.fault.code,
        severity=Severity.ERROR if one.fault.fatal else Severity.WARNING,
        message=f"{field}: {one.fault.message}",
        file=one.declaration.path,
        line=at.line,
        column=at.column,
        ref=one.declaration.ref,
        field=field,
    )


def concerned(tx: Tx, refs: Sequence[str]) -> list[str]:
    """Sources whose policies are to be judged again, as these entities changed.

    Policies name people and groups of other sources: whoever joins or leaves may empty one.
    """
    if not any(ref.startswith((f"{planning.POLICY}:", "user:", "group:")) for ref in refs):
        return []
    return declaring.specs_of(tx, planning.all_policies(tx))
