"""How alerts join the program."""

from __future__ import annotations

from pilothouse.kernel.alerts import jobs, service
from pilothouse.kernel.module import Module, Panel

module = Module(
    name="alerts",
    panels=[
        Panel(
            name="alerts.open",
            title="Alerts",
            template="alerts/open.html",
            load=lambda tx, _subject: service.still_open(tx) or None,
            applies=lambda subject: subject.page == "now",
            note=lambda data: f"{len(data)} open",
            live="alerts.*",
            order=3,
        )
    ],
    jobs=jobs.jobs,
    handlers=jobs.handlers,
    headline=service.headline,
    upkeep=jobs.upkeep,
    templates="pilothouse.kernel.alerts",
)
