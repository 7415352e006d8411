"""How the calendar joins the program."""

from __future__ import annotations

from pilothouse.cycles import jobs
from pilothouse.cycles.model import CadenceSpec
from pilothouse.cycles.service import asking
from pilothouse.kernel.module import Kind, Module, Panel, Reference

module = Module(
    name="cycles",
    kinds=[Kind("Cadence", CadenceSpec, references=(Reference("owner", "ownedBy", "Group"),))],
    jobs=jobs.jobs,
    handlers=jobs.handlers,
    panels=[
        Panel(
            name="cycles.here",
            title="Where we are",
            template="cycles/panels/here.html",
            load=lambda tx, _subject: asking.here(tx),
            applies=lambda subject: subject.page == "now",
            live="catalog.*",
            aside=True,
            order=15,
        )
    ],
    templates="pilothouse.cycles",
)
