"""`pilothouse api diff`: what changed between two definitions, for a build that should stop."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter

from pilothouse.apis.model import Comparison, Contract, Finding, Severity, Style, Unreadable
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.program import Program
from pilothouse.kernel.words import counted

FINE, FINDINGS = 0, 1
GITHUB = {Severity.BREAKING: "error", Severity.WARNING: "warning", Severity.SAFE: "notice"}
Open = Callable[..., Program]


class Line(msgspec.Struct, frozen=True):
    """A finding as `--json` gives it."""

    rule: str
    severity: Severity
    text: str
    place: str
    operations: tuple[str, ...]
    operations_total: int
    was: str
    now: str
    note: str


class Report(msgspec.Struct, frozen=True):
    """What `api diff --json` prints."""

    old: str
    new: str
    breaking: int
    warnings: int
    safe: int
    findings: list[Line]


def register(cli: App, _open_program: Open) -> None:
    """Add the commands of apis to the program's."""
    api = App(name="api", help="Work with API definitions: OpenAPI, AsyncAPI, GraphQL, gRPC.")
    cli.command(api)

    @api.command
    def diff(
        old: Path,
        new: Path,
        *,
        json: bool = False,
        format: Annotated[Literal["text", "github"], Parameter(name="--format")] = "text",  # noqa: A002
        strict: bool = False,
    ) -> int:
        """Say what changed between two versions of a definition. Exits with 1 on breaking changes.

        Parameters
        ----------
        old
            The file as it was.
        new
            The file as it is now.
        json
            Print one JSON object instead of lines.
        format
            text: one line a change; github: annotations for GitHub Actions.
        strict
            Warnings count as breaking changes do.
        """
        from pilothouse.apis.service import comparing

        found = comparing.compare(*_both(old, new))
        if json:
            _print_report(old, new, found)
        else:
            for finding in found.findings:
                print(_github(finding, new) if format == "github" else _text(finding))  # noqa: T201
            print(_summary(found), file=sys.stderr)  # noqa: T201
        heavy = found.count(Severity.BREAKING) + strict * found.count(Severity.WARNING)
        return FINDINGS if heavy else FINE


def _both(old: Path, new: Path) -> tuple[Contract, Contract]:
    """Two definitions that can be compared. Raises Invalid where they cannot."""
    from pilothouse.apis.service import comparing

    before, after = _contract(old), _contract(new)
    if not comparing.are_comparable(before, after):
        raise Invalid(f"{old} is {before.style}, {new} is {after.style}: they cannot be compared")
    return before, after


def _contract(path: Path) -> Contract:
    from pilothouse.apis.outside import files
    from pilothouse.apis.service.reading import contract_of

    try:
        found = contract_of(files.read(path))
    except Unreadable as error:
        raise Invalid(f"{path}: {error}") from error
    if found.style is Style.OTHER:
        raise Invalid(f"{path} is neither OpenAPI, Swagger, AsyncAPI, GraphQL nor a .proto file")
    return found


def _text(finding: Finding) -> str:
    values = f" ({finding.was or 'none'} → {finding.now or 'none'})" * bool(
        finding.was or finding.now
    )
    note = f"; {finding.note}" if finding.note else ""
    used = f" [{_used(finding)}]" if finding.operations else ""
    return (
        f"{finding.severity:8} {finding.place}: {finding.text}{values}{note} ({finding.rule}){used}"
    )


def _used(finding: Finding) -> str:
    shown = ", ".join(finding.operations[:3])
    more = finding.touched - len(finding.operations[:3])
    return f"{shown} and {more} more" if more > 0 else shown


def _github(finding: Finding, file: Path) -> str:
    """A workflow command (GitHub Docs, "Workflow commands for GitHub Actions")."""
    said = f"{finding.place}: {finding.text}"
    escaped = said.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    named = str(file).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
    return f"::{GITHUB[finding.severity]} file={named},title={finding.rule}::{escaped}"


def _summary(found: Comparison) -> str:
    return ", ".join(
        (
            counted(found.count(Severity.BREAKING), "breaking change"),
            counted(found.count(Severity.WARNING), "warning"),
            counted(found.count(Severity.SAFE), "safe change"),
        )
    )


def _print_report(old: Path, new: Path, found: Comparison) -> None:
    report = Report(
        old=str(old),
        new=str(new),
        breaking=found.count(Severity.BREAKING),
        warnings=found.count(Severity.WARNING),
        safe=found.count(Severity.SAFE),
        findings=[
            Line(
                rule=item.rule,
                severity=item.severity,
                text=item.text,
                place=item.place,
                operations=item.operations,
                operations_total=item.touched,
                was=item.was,
                now=item.now,
                note=item.note,
            )
            for item in found.findings
        ],
    )
    sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    sys.stdout.buffer.flush()
