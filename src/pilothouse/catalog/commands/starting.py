"""`pilothouse init`: a first catalog-info.yaml for a repository that has none."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App
from rich.markup import escape

from pilothouse.catalog.commands.loading import out


def add_init(cli: App) -> None:
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
