"""How the calendar joins the program."""

from __future__ import annotations

from pilothouse.cycles.model import CadenceSpec
from pilothouse.kernel.module import Kind, Module, Reference

module = Module(
    name="cycles",
    kinds=[Kind("Cadence", CadenceSpec, references=(Reference("owner", "ownedBy", "Group"),))],
)
