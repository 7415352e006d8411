"""The catalog on the command line: sync, lint, init, schema."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from pilothouse.catalog import jobs
from pilothouse.catalog.model import PlacedProblem, Tally
from pilothouse.catalog.outside.specs import absolute
from pilothouse.catalog.rules.problems import for_github, for_terminal
from pilothouse.catalog.service import passes, views
from pilothouse.kernel.program import Program

FINE, FINDINGS = 0, 1
WITH_BAR = 1.0  # seconds of loading after which a progress bar appears
EVERYTHING = 1_000_000

Open = Callable[..., Program]
out = Console(highlight=False, soft_wrap=True)


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


def register_sources(program: Program, specs: Sequence[str]) -> list[str]:
    """Make these the sources of the catalog, and have them followed."""
    known = [absolute(spec) for spec in specs]
    with program.db.begin() as tx:
        passes.register(tx, known)
    jobs.follow(program, known)
    return known


def load_sources(program: Program, specs: Sequence[str]) -> None:
    """Load every source once, saying how that goes, and have them followed from then on."""
    known = [absolute(spec) for spec in specs]
    with program.db.begin() as tx:
        passes.register(tx, known)
    for spec in known:
        say_loaded(program, spec, _look(program, spec))
    jobs.follow(program, known)


def _look(program: Program, spec: str) -> jobs.Look:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"Reading {spec}", total=None, visible=False, start=True)

        def progress(done: int, total: int) -> None:
            slow = (bar.tasks[task].elapsed or 0) > WITH_BAR
            bar.update(task, completed=done, total=total, visible=slow)

        return jobs.look(program, spec, progress)


def say_loaded(program: Program, spec: str, done: jobs.Look) -> None:
    """One line about a source that was looked at."""
    with program.db.read() as tx:
        standing = views.standing(tx)
    if done.failed:
        out.print(f"  [red]{spec}[/red]: {done.failed}")
        return
    tally = done.tally
    changed = f"{tally.added:,} added, {tally.changed:,} changed, {tally.removed:,} removed"
    problems = standing.errors + standing.warnings
    where = f"; {problems:,} problems: {program.settings.home}/catalog/problems" if problems else ""
    out.print(f"  {spec}: {standing.entities:,} entities in the catalog ({changed}){where}")


def register(cli: App, open_program: Open) -> None:
    """Add the catalog's commands to the program's."""

    @cli.command
    def sync(
        *sources: str,
        data: Path | None = None,
        json: bool = False,
        strict: bool = False,
    ) -> int:
        """Bring the catalog to what its sources say now, once, and print what that changed.

        Parameters
        ----------
        sources
            Directories, files or git URLs. Default: those in the settings, or this directory.
        data
            Folder for the database and copies of git sources.
        json
            Print one JSON object instead of words.
        strict
            Exit with 1 when there are errors or warnings.
        """
        program = open_program(
            data=data and str(data), sources=sources or None, log_level="warning"
        )
        tally, failed = _sync_all(program, program.settings.sources or (".",))
        with program.db.read() as tx:
            standing = views.standing(tx)
            found = views.problem_page(tx, severity=None, code=None, offset=0, limit=EVERYTHING)
        if json:
            _print_report(standing, tally, found.items)
        else:
            _say_all(found.items)
            out.print(
                f"{standing.entities:,} entities: {tally.added:,} added, {tally.changed:,} changed"
                f", {tally.removed:,} removed, {tally.unchanged:,} unchanged; "
                f"{standing.errors:,} errors, {standing.warnings:,} warnings"
            )
        heavy = standing.errors + standing.warnings
        return FINDINGS if failed or (strict and heavy) else FINE

    @cli.command
    def lint(
        *paths: Path,
        json: bool = False,
        format: Annotated[Literal["text", "github"], Parameter(name="--format")] = "text",  # noqa: A002
        strict: bool = False,
    ) -> int:
        """Check catalog files, as a build does before a merge. Exits with 1 when there are errors.

        Parameters
        ----------
        paths
            Directories or files. Default: this directory.
        json
            Print one JSON object instead of lines.
        format
            text: file:line:column: message; github: annotations for GitHub Actions.
        strict
            Warnings count as errors do.
        """
        with tempfile.TemporaryDirectory(prefix="pilothouse-lint-") as folder:
            program = open_program(
                data=folder, database_url=f"sqlite:///{folder}/lint.db", log_level="error"
            )
            tally, failed = _sync_all(program, [str(path) for path in paths] or ["."])
            with program.db.read() as tx:
                found = views.problem_page(tx, severity=None, code=None, offset=0, limit=EVERYTHING)
                standing = views.standing(tx)
            program.db.engine.dispose()
        if json:
            _print_report(standing, tally, found.items)
        else:
            _say_all(found.items, github=format == "github")
            print(  # noqa: T201
                f"{standing.entities:,} entities, {standing.errors:,} errors, "
                f"{standing.warnings:,} warnings",
                file=sys.stderr,
            )
        heavy = standing.errors + (standing.warnings if strict else 0)
        return FINDINGS if failed or heavy else FINE


def _sync_all(program: Program, specs: Sequence[str]) -> tuple[Tally, bool]:
    known = [absolute(spec) for spec in specs]
    with program.db.begin() as tx:
        passes.register(tx, known)
    tally, failed = Tally(), False
    for spec in known:
        done = _look(program, spec)
        tally.add(done.tally)
        failed = failed or done.failed is not None
    return tally, failed


def _say_all(items: Sequence[PlacedProblem], *, github: bool = False) -> None:
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


def _print_report(standing: views.Standing, tally: Tally, items: Sequence[PlacedProblem]) -> None:
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
