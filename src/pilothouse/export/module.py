"""How the copy joins the program."""

from __future__ import annotations

from pilothouse.export import commands, jobs
from pilothouse.kernel.module import Module

module = Module(
    name="export",
    jobs=jobs.jobs,
    handlers=jobs.handlers,
    commands=commands.register,
    templates="pilothouse.export",
)
