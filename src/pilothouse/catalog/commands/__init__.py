"""The catalog on the command line: sync, lint, init."""

from __future__ import annotations

from collections.abc import Callable

from cyclopts import App

from pilothouse.catalog.commands.loading import load_sources, register_sources
from pilothouse.catalog.commands.looking import add_lint, add_sync
from pilothouse.catalog.commands.starting import add_init
from pilothouse.kernel.program import Program

__all__ = ["load_sources", "register", "register_sources"]


def register(cli: App, open_program: Callable[..., Program]) -> None:
    """Add the catalog's commands to the program's."""
    add_sync(cli, open_program)
    add_init(cli)
    add_lint(cli, open_program)
