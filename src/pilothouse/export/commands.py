"""`pilothouse export`: the portal as plain files."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from cyclopts import App
from rich.console import Console
from rich.markup import escape

from pilothouse.export.jobs import How, Making, oneshot
from pilothouse.export.model import Report
from pilothouse.export.outside.painters import COMMAND, serve
from pilothouse.export.outside.places import open_place
from pilothouse.kernel.errors import Conflict
from pilothouse.kernel.program import Program
from pilothouse.kernel.settings import load
from pilothouse.kernel.words import counted

FINE, FINDINGS = 0, 1
WITH_BAR = 1.0  # seconds after which a progress bar appears
MOST_SAID = 20  # pages that could not be drawn

Open = Callable[..., Program]
out = Console(highlight=False, soft_wrap=True)


def register(cli: App, open_program: Open) -> None:
    """Add the commands of the copy to the program's."""

    @cli.command
    def export(to: str, /, *sources: str, data: Path | None = None, full: bool = False) -> int:
        """Write the portal as plain files that open without it.

        Parameters
        ----------
        to
            A folder, new or one that an earlier export wrote, or s3://bucket/prefix.
        sources
            Directories, files or git URLs: the copy is made of them alone, and no database is left
            behind. Default: what the database of the settings holds.
        data
            Folder for the database and copies of git sources.
        full
            Draw every page, whatever is known of the copy that is there.
        """
        if sources:
            with tempfile.TemporaryDirectory(prefix="pilothouse-export-") as folder:
                program = open_program(
                    data=folder,
                    database_url=f"sqlite:///{folder}/export.db",
                    export_to="",
                    log_level="error",
                )
                oneshot.read(program, sources)
                code = _export(program, to, full=full)
                program.db.engine.dispose()
            return code
        _must_exist(data)
        return _export(open_program(data=data and str(data), log_level="warning"), to, full=full)

    @cli.command(name=COMMAND, show=False)
    def draw_pages() -> None:
        """Draw pages for an export; it starts this itself."""
        serve(lambda settings: open_program(**msgspec.structs.asdict(settings)))


def _must_exist(data: Path | None) -> None:
    """Raises Conflict where there is no database, rather than making an empty one to copy."""
    settings = load({"data": data and str(data)})
    if settings.database_url is None and not Path(settings.data).is_dir():
        raise Conflict(
            f"there is no database in {settings.data}: go to where Pilothouse was started, name "
            "its folder with --data, or name sources to make the copy of"
        )


def _export(program: Program, to: str, *, full: bool) -> int:
    place = open_place(to, program.settings.export_endpoint)
    try:
        report = _with_bar(Making(program, place, How(full=full)))
    finally:
        place.close()
    _say(report, to)
    return FINDINGS if report.failed else FINE


def _with_bar(making: Making) -> Report:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("Drawing pages"), BarColumn(), MofNCompleteColumn())
    began = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", visible=False)

        def tell(done: int, total: int) -> None:
            visible = time.monotonic() - began > WITH_BAR
            bar.update(task, completed=done, total=total, visible=visible)

        making.tell = tell
        return making.run()


def _say(report: Report, to: str) -> None:
    out.print(
        f"{escape(to)}: {counted(report.pages, 'page')}, {report.drawn:,} drawn; "
        f"{counted(report.written, 'file')} written, {report.removed:,} removed, "
        f"{report.seconds:.1f} s"
    )
    if not to.startswith("s3://"):
        out.print(f"Open {escape(str(Path(to).absolute() / 'index.html'))}")
    for page in report.failed[:MOST_SAID]:
        print(f"  {page.address} could not be drawn: {page.why}", file=sys.stderr)  # noqa: T201
