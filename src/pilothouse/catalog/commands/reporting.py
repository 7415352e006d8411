"""Problems and counts as the command line prints them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from pilothouse.catalog.model import PlacedProblem, Tally
from pilothouse.catalog.rules.problems import for_github, for_terminal
from pilothouse.catalog.service import views


class ProblemLine(msgspec.Struct, frozen=True):
    """A problem as `--json` gives it; the fields are promised in COMPATIBILITY."""

    source: str
    file: str
    line: int
    column: int
    ref: str | None
    field: str | None
    message: str
    severity: str
    code: str
    found: str | None
    expected: str | None
    hint: str | None


class Report(msgspec.Struct, frozen=True):
    """What `sync --json` prints."""

    entities: int
    added: int
    changed: int
    removed: int
    unchanged: int
    problems: list[ProblemLine]


def _line(item: PlacedProblem) -> ProblemLine:
    problem = item.problem
    return ProblemLine(
        source=item.source,
        file=problem.file,
        line=problem.line,
        column=problem.column,
        ref=problem.ref,
        field=problem.field,
        message=problem.message,
        severity=problem.severity.value,
        code=problem.code,
        found=problem.found,
        expected=problem.expected,
        hint=problem.hint,
    )


def say_all(items: Sequence[PlacedProblem], *, github: bool = False) -> None:
    for item in items:
        placed = _as_seen_from_here(item)
        print(for_github(placed.problem) if github else for_terminal(placed.problem))  # noqa: T201


def _as_seen_from_here(item: PlacedProblem) -> PlacedProblem:
    """The problem with its file as the reader of the terminal can open it."""
    base = Path(item.source)
    if not item.problem.file or not base.exists():
        return item
    full = (base if base.is_dir() else base.parent) / item.problem.file
    here = Path.cwd()
    shown = full.relative_to(here) if full.is_relative_to(here) else full
    problem = msgspec.structs.replace(item.problem, file=str(shown))
    return msgspec.structs.replace(item, problem=problem)


def print_report(standing: views.Standing, tally: Tally, items: Sequence[PlacedProblem]) -> None:
    report = Report(
        entities=standing.entities,
        added=tally.added,
        changed=tally.changed,
        removed=tally.removed,
        unchanged=tally.unchanged,
        problems=[_line(item) for item in items],
    )
    sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    sys.stdout.buffer.flush()
