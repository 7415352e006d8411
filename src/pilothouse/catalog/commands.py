"""The catalog on the command line: sync, lint, init, schema."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter
from rich.console import Console
from rich.markup import escape

from pilothouse.catalog import jobs
from pilothouse.catalog.model import PlacedProblem, Source, Tally
from pilothouse.catalog.outside.specs import absolute
from pilothouse.catalog.rules.problems import for_github, for_terminal
from pilothouse.catalog.service import passes, views
from pilothouse.kernel.program import Program
from pilothouse.kernel.words import counted

FINE, FINDINGS = 0, 1
WITH_BAR = 1.0  # seconds of loading after which a progress bar appears
EVERYTHING = 1_000_000
LOOK_EVERY = 0.05  # seconds

Open = Callable[..., Program]
out = Console(highlight=False, soft_wrap=True)
errors = Console(highlight=False, soft_wrap=True, stderr=True)


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


def register_sources(program: Program, specs: Sequence[str]) -> passes.Registered:
    """Make these the sources of the catalog, and have them looked at and followed."""
    known = [absolute(spec) for spec in specs]
    with program.db.begin() as tx:
        found = passes.register(tx, known)
    jobs.follow(program, known)
    for spec, removed in found.forgotten.items():
        errors.print(
            f"  {spec} is no longer named: {counted(removed, 'entity', 'entities')} left the "
            "catalog, with their history kept"
        )
    return found


def load_sources(program: Program, specs: Sequence[str]) -> None:
    """Register sources, and say how their first looks go while workers take them."""
    before = register_sources(program, specs).sources
    for source in _await_looks(program, before):
        with program.db.read() as tx:
            standing = views.standing(tx)
        say_loaded(program, source, standing)


def _await_looks(program: Program, before: Sequence[Source]) -> Iterator[Source]:
    """Each source once it has been looked at again, with a progress bar when that takes long."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    waiting = {source.id: source.looks for source in before}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    began = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks = {source.id: bar.add_task("", visible=False) for source in before}
        while waiting:
            with program.db.read() as tx:
                now = {source.id: source for source in passes.all_sources(tx)}
            for number in list(waiting):
                source = now.get(number)
                if source is None or source.looks > waiting[number]:
                    waiting.pop(number)
                    bar.remove_task(tasks[number])
                    if source is not None:
                        yield source
                    continue
                slow = time.monotonic() - began > WITH_BAR
                words, total = f"Reading {source.spec}", source.total or None
                bar.update(
                    tasks[number],
                    description=words,
                    completed=source.done,
                    total=total,
                    visible=slow,
                )
            if waiting:
                time.sleep(LOOK_EVERY)


def say_loaded(program: Program, source: Source, standing: views.Standing) -> None:
    """One line about a source that was looked at."""
    if source.error:
        out.print(f"  {source.spec}: [red]{escape(source.error)}[/red]")
        return
    changed = f"{source.added:,} added, {source.changed:,} changed, {source.removed:,} removed"
    problems = standing.errors + standing.warnings
    where = f"; {problems:,} problems: {program.settings.home}/catalog/problems" if problems else ""
    out.print(f"  {source.spec}: {standing.entities:,} entities in the catalog ({changed}){where}")


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
            Exit with 1 when there are errors or warnings, not only when a source cannot be read.
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
    def init(path: Path = Path(), *, force: bool = False, show: bool = False) -> None:
        """Write a first catalog-info.yaml for a repository that has none.

        It is inferred from languages, manifests, CODEOWNERS, git history, Dockerfile, compose, API
        files and docs; every value says from what.

        Parameters
        ----------
        path
            The repository.
        force
            Overwrite a catalog-info.yaml that is there.
        show
            Print the file instead of writing it.
        """
        from pilothouse.catalog.formats import write
        from pilothouse.catalog.outside import survey
        from pilothouse.catalog.rules import inference

        found = survey.survey(path)
        proposal = inference.propose(found)
        text = write.to_yaml(proposal)
        if show:
            print(text, end="")  # noqa: T201
            return
        written = survey.write_new(path, text, force=force)
        out.print(f"Wrote {written}:")
        for other in found.existing:
            out.print(
                f"  [yellow]There is {escape(other)} already: are the two about one thing?[/yellow]"
            )
        for line in inference.report(proposal):
            out.print(f"  {escape(line)}")
        out.print("Read it, change what is wrong, commit it. Then: pilothouse up " + str(path))

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
                ", ".join(
                    (
                        counted(standing.entities, "entity", "entities"),
                        counted(standing.errors, "error"),
                        counted(standing.warnings, "warning"),
                    )
                ),
                file=sys.stderr,
            )
        if not standing.entities and not found.items:
            print("There is no catalog file here: pilothouse init writes one", file=sys.stderr)  # noqa: T201
            return FINDINGS
        heavy = standing.errors + (standing.warnings if strict else 0)
        return FINDINGS if failed or heavy else FINE


def _sync_all(program: Program, specs: Sequence[str]) -> tuple[Tally, bool]:
    """Have these sources looked at once, by a worker of our own or one that is there already."""
    judging = jobs.judging(program)
    worker = program.worker([jobs.SYNC, *judging])
    thread = threading.Thread(target=worker.run, name="sync", daemon=True)
    found = register_sources(program, specs)
    thread.start()
    tally, failed = Tally(removed=sum(found.forgotten.values())), False
    for source in _await_looks(program, found.sources):
        tally.add(source.tally)
        failed = failed or source.error is not None
    while jobs.still_judged(program, judging):
        time.sleep(LOOK_EVERY)
    worker.stop()
    thread.join()
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
