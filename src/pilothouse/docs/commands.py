"""Docs on the command line: a new decision from the house template."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cyclopts import App
from rich.console import Console

from pilothouse.docs.outside import writing
from pilothouse.docs.rules import numbering
from pilothouse.kernel.errors import Invalid

LONGEST_TITLE = 200
out = Console(highlight=False, soft_wrap=True)


def register(cli: App, open_program: Callable[..., object]) -> None:
    """Add the commands of docs to the program's."""
    del open_program  # files only
    rfc = App(name="rfc", help="RFCs and decisions: Markdown files beside the code.")
    cli.command(rfc)

    @rfc.command
    def new(title: str, *, path: Path = Path(), folder: Path | None = None) -> None:
        """Write the next decision from the house template, with its number.

        Parameters
        ----------
        title
            What is to be decided: "Route card payments by region".
        path
            The checkout. Its docs/decisions, docs/adr, doc/adr or rfcs is used, the first there is.
        folder
            Another folder to write into.
        """
        if not title.strip() or len(title) > LONGEST_TITLE:
            raise Invalid(f"the title has 1 to {LONGEST_TITLE} characters")
        archive = folder or writing.archive(path)
        today = datetime.now(UTC).date()
        file = numbering.next_file(writing.names(archive), title, today)
        written = writing.write_new(archive, file.name, file.text)
        out.print(f"Wrote {written}")
        out.print("Answer its four questions, ask for a review, and set its status.")
