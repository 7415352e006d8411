"""How on-call joins the program."""

from __future__ import annotations

from pilothouse.kernel.module import Kind, Module, NavItem, Panel, Reference, Tab
from pilothouse.oncall import api, commands, pages
from pilothouse.oncall.jobs import clocks, delivering, escalating, judging_policies, watching
from pilothouse.oncall.model.documents import PolicySpec, ScheduleSpec
from pilothouse.oncall.service import changing, methods, showing_pages, showing_watch
from pilothouse.oncall.service.planning import PAGES_FOR
from pilothouse.oncall.store import tables

assert tables  # noqa: S101  they are declared

OWNER = Reference("owner", "ownedBy", "Group")
LIVE = "catalog.* oncall.*"
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
    jobs=[*delivering.jobs, *escalating.jobs, *judging_policies.jobs, *watching.jobs],
    handlers=[
        *delivering.handlers,
        *escalating.handlers,
        *judging_policies.handlers,
        *watching.handlers,
    ],
    routes=[*pages.routes, *api.routes],
    panels=[
        Panel(
            name="oncall.pages",
            title="Pages",
            template="oncall/panels/pages.html",
            load=lambda tx, _subject: showing_pages.now(tx),
            applies=lambda subject: subject.page == "now",
            note=showing_pages.note,
            live=LIVE,
            order=2,
        ),
        Panel(
            name="oncall.watch",
            title="On call",
            template="oncall/panels/now.html",
            load=lambda tx, _subject: showing_watch.now(tx),
            applies=lambda subject: subject.page == "now",
            live=LIVE,
            order=25,
        ),
        Panel(
            name="oncall.has",
            title="On call",
            template="oncall/panels/has.html",
            load=lambda tx, subject: showing_watch.of_entity(tx, subject.refs[0]),
            applies=lambda subject: subject.page in ("entity", "team"),
            live=LIVE,
            aside=True,
            order=5,
        ),
    ],
    tabs=[Tab(label="Shifts", href=showing_watch.tab, order=5)],
    nav=[NavItem("Watch", "On call", "/oncall", "o")],
    commands=commands.register,
    upkeep=clocks.upkeep,
    headline=showing_watch.headline,
    exported=showing_watch.exported,
    audited=[
        changing.OVERRIDDEN,
        changing.SWAPPED,
        changing.TAKEN_BACK,
        changing.NOTED,
        methods.ADDED,
        methods.CHANGED,
        methods.REMOVED,
    ],
    templates="pilothouse.oncall",
)
