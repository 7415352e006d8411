"""What is wrong with cadences, told where their documents stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.model import Path, Position, Problem, Severity
from pilothouse.catalog.service import declaring, reporting
from pilothouse.catalog.service.declaring import Declaration
from pilothouse.cycles import rules
from pilothouse.cycles.model import CadenceSpec

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

BY = "cycles"  # whose problems these are
KIND = "cadence"
Places = Mapping[str, Callable[[Path], Position]]  # of one file, by ref


class Faulty(msgspec.Struct, frozen=True):
    """A document, and one thing that is wrong with it."""

    declaration: Declaration
    fault: rules.Fault


def faulty(tx: Tx, spec: str) -> list[Faulty] | None:
    """What is wrong with the cadences of a source; None for one that is none any more."""
    source = declaring.source(tx, spec)
    if source is None:
        return None
    return [
        Faulty(one, fault)
        for one in declaring.of_kinds(tx, source.id, (KIND,))
        for fault in rules.faults(msgspec.convert(one.body["spec"], CadenceSpec))
    ]


def settle(tx: Tx, spec: str, found: Sequence[Faulty], places: Mapping[str, Places]) -> None:
    """Tell of these, and of no others; `places` are those of files, by ref."""
    if (source := declaring.source(tx, spec)) is not None:
        reporting.report(tx, BY, source.id, [_problem(one, places) for one in found])


def _problem(one: Faulty, places: Mapping[str, Places]) -> Problem:
    path = tuple(int(part) if part.isdecimal() else part for part in one.fault.field.split("."))
    locate = places.get(one.declaration.path, {}).get(one.declaration.ref)
    at = locate(("spec", *path)) if locate else Position(1)
    return Problem(
        code=one.fault.code,
        severity=Severity.ERROR,
        message=one.fault.message,
        file=one.declaration.path,
        line=at.line,
        column=at.column,
        ref=one.declaration.ref,
        field=f"spec.{one.fault.field}",
    )


def concerned(tx: Tx, refs: Sequence[str]) -> list[str]:
    """Sources of cadences among some refs that changed."""
    return declaring.specs_of(tx, [ref for ref in refs if ref.startswith(f"{KIND}:")])
