"""Checks on the command line: `pilothouse import`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cyclopts import App

from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.words import counted


def register(cli: App, open_program: Callable[..., Any]) -> None:
    """Give the program the command; it needs no database."""
    del open_program
    importing = App(name="import", help="Turn the configuration of another program into checks.")
    cli.command(importing)
    _add_gatus(importing)
    _add_blackbox(importing)


def _add_gatus(importing: App) -> None:
    @importing.command
    def gatus(file: Path, *, entity: str = "") -> None:
        """Print the endpoints of a Gatus configuration as documents of checks.

        What could not be translated is said on stderr, with its line.

        Parameters
        ----------
        file
            config.yaml of Gatus.
        entity
            What all of the checks watch: component:default/shop. Without it, each watches a
            component called as its group, or as itself.
        """
        from pilothouse.checks.formats import gatus

        _print(gatus.read(_bytes(file), _ref(entity)), guessed=not entity)


def _add_blackbox(importing: App) -> None:
    @importing.command
    def blackbox(file: Path, *, targets: Path | None = None, entity: str = "") -> None:
        """Print what Prometheus asks through blackbox_exporter as documents of checks.

        What could not be translated is said on stderr, with its line.

        Parameters
        ----------
        file
            blackbox.yml: the modules.
        targets
            prometheus.yml, whose scrape configurations name the targets.
        entity
            What all of the checks watch: component:default/shop. Without it, each watches what
            the labels of its target name, or a component called as its job.
        """
        from pilothouse.checks.formats import blackbox

        asked = _bytes(targets) if targets else None
        config = blackbox.Config(_bytes(file), asked)
        _print(blackbox.read(config, _ref(entity)), guessed=not entity)


def _ref(entity: str) -> str:
    return str(EntityRef.parse(entity, "component")) if entity else ""


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from None


def _print(found: Any, *, guessed: bool) -> None:
    """Documents on stdout, so that `> checks.yaml` keeps them alone."""
    from pilothouse.checks.formats.imported import write

    sys.stdout.write(write(found.drafts))
    for one in found.untranslated:
        sys.stderr.write(f"{one}\n")
    if guessed and found.drafts:
        entities = sorted({draft.spec.entity for draft in found.drafts})
        shown = ", ".join(entities[:5]) + (", …" if entities[5:] else "")
        sys.stderr.write(f"guessed what is watched: {shown}; --entity says it for all\n")
    made, left = len(found.drafts), len(found.untranslated)
    sys.stderr.write(f"{counted(made, 'check')}, {counted(left, 'remark')}\n")
