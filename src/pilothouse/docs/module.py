"""How docs joins the program."""

from __future__ import annotations

from pilothouse.docs import jobs
from pilothouse.kernel.module import Module

module = Module(name="docs", jobs=jobs.jobs, handlers=jobs.handlers)
