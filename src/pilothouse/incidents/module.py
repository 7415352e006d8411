"""How incidents join the program."""

from __future__ import annotations

from pilothouse.incidents import jobs, pages
from pilothouse.incidents.service import reported, showing_changes
from pilothouse.incidents.store import postmortem_tables, tables
from pilothouse.kernel.module import Exported, Module, NavItem, Panel

assert tables  # noqa: S101  they are declared
assert postmortem_tables  # noqa: S101

module = Module(
    name="incidents",
    routes=[*pages.routes],
    panels=[
        Panel(
            name="incidents.changed",
            title="What changed",
            template="incidents/panels/suspects.html",
            load=lambda tx, subject: showing_changes.recent(tx, subject.refs[0]),
            applies=lambda subject: subject.page == "entity",
            note=lambda data: data.note,
            live="deploys.* catalog.* checks.* changes.*",
            order=15,
        ),
    ],
    jobs=jobs.jobs,
    handlers=jobs.handlers,
    changes=[reported.CHANGING],
    nav=[NavItem("Log", "Changes", "/changes", "l")],
    exported=lambda _tx: [Exported("/changes")],
    templates="pilothouse.incidents",
)
