"""How objectives joins the program."""

from __future__ import annotations

from pilothouse.kernel.module import Kind, Module
from pilothouse.objectives import jobs
from pilothouse.objectives.formats.openslo import KINDS

module = Module(
    name="objectives",
    jobs=jobs.jobs,
    handlers=jobs.handlers,
    kinds=[Kind(name, spec, api_versions=("openslo/v1",)) for name, spec in KINDS.items()],
    templates="pilothouse.objectives",
)
