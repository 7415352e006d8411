"""How on-call joins the program."""

from __future__ import annotations

from pilothouse.kernel.module import Kind, Module, Reference
from pilothouse.oncall.model.documents import PolicySpec, ScheduleSpec
from pilothouse.oncall.store import tables

assert tables  # noqa: S101  they are declared

OWNER = Reference("owner", "ownedBy", "Group")

module = Module(
    name="oncall",
    kinds=[
        Kind("Schedule", ScheduleSpec, references=(OWNER,)),
        Kind("EscalationPolicy", PolicySpec, references=(OWNER,)),
    ],
)
