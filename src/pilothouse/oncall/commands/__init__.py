"""On call on the command line: `pilothouse oncall`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cyclopts import App

from pilothouse.oncall.commands import keys, methods, paging, watch


def register(cli: App, open_program: Callable[..., Any]) -> None:
    """Give the program the commands."""
    oncall = App(name="oncall", help="Pages, who has the watch, and how people are reached.")
    cli.command(oncall)
    watch.add(oncall, open_program)
    paging.register(oncall, open_program)
    methods.add(oncall, open_program)
    keys.register(oncall, open_program)
