"""How on-call joins the program."""

from __future__ import annotations

from pilothouse.kernel.module import Kind, Module, Reference
from pilothouse.oncall.jobs import escalating
from pilothouse.oncall.model.documents import PolicySpec, ScheduleSpec
from pilothouse.oncall.service.planning import PAGES_FOR
from pilothouse.oncall.store import tables

assert tables  # noqa: S101  they are declared

OWNER = Reference("owner", "ownedBy", "Group")
CALLS = "calls"  # the relation of a policy to those whom its steps mean

module = Module(
    name="oncall",
    kinds=[
        Kind("Schedule", ScheduleSpec, references=(OWNER,)),
        Kind(
            "EscalationPolicy",
            PolicySpec,
            references=(
                OWNER,
                Reference("for", PAGES_FOR),
                Reference("steps.notify", CALLS),
                Reference("steps.notify.round_robin", CALLS, "Group"),
                Reference("last_resort", CALLS),
            ),
        ),
    ],
    jobs=[*escalating.jobs],
    handlers=[*escalating.handlers],
)
