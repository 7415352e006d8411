"""How incidents join the program."""

from __future__ import annotations

from pilothouse.incidents import api, commands, jobs, pages
from pilothouse.incidents.model.postmortems import AUDITED
from pilothouse.incidents.service import (
    listing,
    publicly,
    reported,
    showing_changes,
    showing_postmortems,
    troubles,
)
from pilothouse.incidents.store import postmortem_tables, tables
from pilothouse.kernel.module import Exported, Module, NavItem, Panel

assert tables  # noqa: S101  they are declared
assert postmortem_tables  # noqa: S101

module = Module(
    name="incidents",
    routes=[*pages.routes, *api.routes],
    commands=commands.register,
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
        Panel(
            name="incidents.open",
            title="Open incidents",
            template="incidents/panels/open.html",
            load=lambda tx, _subject: listing.on_now(tx),
            applies=lambda subject: subject.page == "now",
            note=lambda data: data.note,
            live="incidents.*",
            order=8,
        ),
        Panel(
            name="incidents.of_page",
            title="Incident",
            template="incidents/panels/open.html",
            load=lambda tx, subject: listing.of_page(tx, subject.refs[0]),
            applies=lambda subject: subject.page == "page",
            live="incidents.*",
        ),
        Panel(
            name="incidents.about",
            title="Incidents",
            template="incidents/panels/open.html",
            load=lambda tx, subject: listing.of_entity(tx, subject.refs[0]),
            applies=lambda subject: subject.page in ("entity", "team"),
            note=lambda data: data.note,
            live="incidents.*",
            aside=True,
            order=8,
        ),
        Panel(
            name="incidents.told",
            title="What we know",
            template="incidents/panels/told.html",
            load=lambda tx, subject: publicly.told(tx, subject.refs) or None,
            applies=lambda subject: subject.page == "status",
        ),
        Panel(
            name="incidents.items",
            title="Escalated, and overdue",
            template="incidents/panels/items.html",
            load=lambda tx, _subject: showing_postmortems.on_now(tx),
            applies=lambda subject: subject.page == "now",
            note=lambda data: data.note,
            live="incidents.*",
            order=12,
        ),
        Panel(
            name="incidents.items_of",
            title="Action items",
            template="incidents/panels/items.html",
            load=lambda tx, subject: showing_postmortems.of_entity(tx, subject.refs[0]),
            applies=lambda subject: subject.page == "entity",
            note=lambda data: data.note,
            live="incidents.*",
            aside=True,
            order=9,
        ),
    ],
    jobs=jobs.jobs,
    handlers=jobs.handlers,
    changes=[reported.CHANGING, troubles.CHANGING],
    audited=AUDITED,
    nav=[
        NavItem("Watch", "Incidents", "/incidents", "i"),
        NavItem("Log", "Changes", "/changes", "l"),
        NavItem("Log", "Post-mortems", "/postmortems", "p"),
    ],
    headline=lambda tx: listing.headline(tx) or showing_postmortems.headline(tx),
    watch=listing.watch,
    exported=lambda tx: [
        Exported("/changes"),
        *listing.exported(tx),
        *showing_postmortems.exported(tx),
    ],
    templates="pilothouse.incidents",
)
