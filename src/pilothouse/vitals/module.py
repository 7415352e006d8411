"""How vitals joins the program."""

from __future__ import annotations

from pilothouse.kernel.module import Module
from pilothouse.vitals import api, jobs
from pilothouse.vitals.service import measuring

module = Module(
    name="vitals",
    routes=[*api.routes],
    jobs=jobs.jobs,
    measures=measuring.measures,
)
