"""How checks joins the program."""

from __future__ import annotations

from pilothouse.checks import api, commands, jobs, pages
from pilothouse.checks.model.documents import CheckSpec, LocationSpec
from pilothouse.checks.service import changing, copying, counting, showing, steering, telling
from pilothouse.kernel.module import Kind, Module, NavItem, Panel, Reference, Tab
from pilothouse.kernel.tx import Tx

LIVE = "checks.*"


def _tab(_tx: Tx, ref: str) -> str | None:
    """The page of a check, from its entity's."""
    return telling.href(ref) if ref.startswith("check:") else None


module = Module(
    name="checks",
    routes=[*api.routes, *pages.routes],
    jobs=jobs.jobs,
    handlers=jobs.handlers,
    kinds=[
        Kind("Check", CheckSpec, references=(Reference("entity", "watches"),)),
        Kind("ProbeLocation", LocationSpec),
    ],
    panels=[
        Panel(
            name="checks.paths",
            title="Critical paths",
            template="checks/panels/paths.html",
            load=lambda tx, _subject: showing.matrix(tx),
            applies=lambda subject: subject.page == "now",
            note=lambda data: f"{data.bad} of {len(data.rows)} in trouble" if data.bad else "",
            live=LIVE,
            order=1,
        ),
        Panel(
            name="checks.watching",
            title="Checks",
            template="checks/panels/watching.html",
            load=lambda tx, subject: showing.watching(tx, subject.refs[0]),
            applies=lambda subject: subject.page == "entity",
            note=lambda data: f"{data.bad} in trouble" if data.bad else "",
            live=LIVE,
            order=2,
        ),
    ],
    tabs=[Tab(label="Visits", href=_tab, order=5)],
    changes=[changing.CHANGING],
    nav=[
        NavItem("Lookout", "Checks", "/checks", "c"),
        NavItem("Lookout", "Locations", "/locations"),
    ],
    headline=showing.headline,
    burning=showing.burning,
    exported=copying.exported,
    templates="pilothouse.checks",
    measures=[counting.RESULTS],
    commands=commands.register,
    audited=[steering.PAUSED, steering.RESUMED, steering.RUN, steering.REKEYED],
)
