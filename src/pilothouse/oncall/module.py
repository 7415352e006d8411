"""How on-call joins the program."""

from __future__ import annotations

from pilothouse.kernel.module import (
    Headline,
    Kind,
    Module,
    NavItem,
    Panel,
    Receives,
    Reference,
    Tab,
)
from pilothouse.kernel.tx import Tx
from pilothouse.oncall import api, commands, pages
from pilothouse.oncall.formats import alert_events
from pilothouse.oncall.jobs import clocks, delivering, escalating, judging_policies, watching
from pilothouse.oncall.model.documents import PolicySpec, ScheduleSpec
from pilothouse.oncall.model.paging import SILENCED, UNSILENCED
from pilothouse.oncall.service import (
    changes,
    changing,
    keys,
    methods,
    showing_pages,
    showing_watch,
    taking,
)
from pilothouse.oncall.service.planning import PAGES_FOR
from pilothouse.oncall.store import tables

assert tables  # noqa: S101  they are declared


def _headline(tx: Tx) -> Headline | None:
    """The worse one of what pages and schedules say."""
    said = (showing_pages.headline(tx), showing_watch.headline(tx))
    return max((one for one in said if one), default=None)


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
    receives=[
        Receives(
            (alert_events.ALERT, alert_events.INCIDENT, alert_events.CHANGE),
            alert_events.read,
            taking.take_in,
            changes=True,
        )
    ],
    token_kinds={"events": keys.make},
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
            name="oncall.paged",
            title="Pages",
            template="oncall/panels/pages.html",
            load=lambda tx, subject: showing_pages.of_entity(tx, subject.refs[0]),
            applies=lambda subject: subject.page in ("entity", "team"),
            note=showing_pages.note,
            live=LIVE,
            order=12,
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
    changes=[changes.CHANGING],
    headline=_headline,
    exported=lambda tx: [*showing_watch.exported(tx), *showing_pages.exported(tx)],
    audited=[
        changing.OVERRIDDEN,
        changing.SWAPPED,
        changing.TAKEN_BACK,
        changing.NOTED,
        methods.ADDED,
        methods.CHANGED,
        methods.REMOVED,
        SILENCED,
        UNSILENCED,
        keys.MADE,
        keys.REVOKED,
    ],
    templates="pilothouse.oncall",
)
