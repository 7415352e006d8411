"""`pilothouse sync` and `pilothouse lint`: one look at sources, and what came of it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter

from pilothouse.catalog.commands.loading import out, sync_all
from pilothouse.catalog.commands.reporting import print_report, say_all
from pilothouse.catalog.model import PlacedProblem, Tally
from pilothouse.catalog.service import views
from pilothouse.kernel.program import Program
from pilothouse.kernel.words import counted

FINE, FINDINGS = 0, 1
EVERYTHING = 1_000_000

Open = Callable[..., Program]


class _Looked(msgspec.Struct, frozen=True):
    """What one look at all sources came to."""

    standing: views.Standing
    tally: Tally
    failed: bool  # whether a source could not be read
    problems: list[PlacedProblem]


def _look(program: Program, specs: Sequence[str]) -> _Looked:
    tally, failed = sync_all(program, specs)
    with program.db.read() as tx:
        found = views.problem_page(tx, severity=None, code=None, offset=0, limit=EVERYTHING)
        return _Looked(views.standing(tx), tally, failed, found.items)


def _print(looked: _Looked) -> None:
    print_report(looked.standing, looked.tally, looked.problems)


def _say_changes(looked: _Looked) -> None:
    standing, tally = looked.standing, looked.tally
    say_all(looked.problems)
    out.print(
        f"{standing.entities:,} entities: {tally.added:,} added, {tally.changed:,} changed"
        f", {tally.removed:,} removed, {tally.unchanged:,} unchanged; "
        f"{standing.errors:,} errors, {standing.warnings:,} warnings"
    )


def _say_findings(looked: _Looked, *, github: bool) -> None:
    standing = looked.standing
    say_all(looked.problems, github=github)
    counts = (
        counted(standing.entities, "entity", "entities"),
        counted(standing.errors, "error"),
        counted(standing.warnings, "warning"),
    )
    print(", ".join(counts), file=sys.stderr)  # noqa: T201


def add_sync(cli: App, open_program: Open) -> None:
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
        looked = _look(program, program.settings.sources or (".",))
        (_print if json else _say_changes)(looked)
        heavy = looked.standing.errors + looked.standing.warnings
        return FINDINGS if looked.failed or (strict and heavy) else FINE


def add_lint(cli: App, open_program: Open) -> None:
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
            looked = _look(program, [str(path) for path in paths] or ["."])
            program.db.engine.dispose()
        if json:
            _print(looked)
        else:
            _say_findings(looked, github=format == "github")
        if not looked.standing.entities and not looked.problems:
            print("There is no catalog file here: pilothouse init writes one", file=sys.stderr)  # noqa: T201
            return FINDINGS
        heavy = looked.standing.errors + (looked.standing.warnings if strict else 0)
        return FINDINGS if looked.failed or heavy else FINE
