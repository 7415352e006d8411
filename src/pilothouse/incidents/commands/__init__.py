"""Incidents on the command line; each part of them adds its own commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cyclopts import App

from pilothouse.incidents.commands import incidents, postmortems


def register(cli: App, open_program: Callable[..., Any]) -> None:
    """Give the program the commands."""
    incidents.register(cli, open_program)
    postmortems.register(cli, open_program)
