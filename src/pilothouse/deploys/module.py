"""How deploys joins the program."""

from __future__ import annotations

from pilothouse.deploys import api, jobs
from pilothouse.kernel.module import Module

module = Module(
    name="deploys",
    routes=[*api.routes],
    jobs=jobs.jobs,
    handlers=jobs.handlers,
)
