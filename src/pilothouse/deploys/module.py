"""How deploys joins the program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from pilothouse.catalog.service import views
from pilothouse.deploys import api, commands, jobs, pages
from pilothouse.deploys.service import changing, drawing, ending, measuring, receiving, showing
from pilothouse.kernel.module import Exported, Measure, Module, NavItem, Panel, Subject, Tab
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Tx
from pilothouse.kernel.words import NONE, counted

LIVE = "deploys.*"
OFTEN = frozenset({"component", "resource", "group"})


class Often(msgspec.Struct, frozen=True):
    """What the panel of measures shows."""

    found: measuring.Frequency
    chart: Any
    query: str


class Three(msgspec.Struct, frozen=True):
    """What stands on the page of a team: how often it deploys, against its target."""

    aimed: measuring.Aimed
    team: str
    chart: Any

    def rate(self, number: float | None) -> str:
        """Deployments a week: "3.5"."""
        return NONE if number is None else f"{number:.1f}".removesuffix(".0")

    def state(self, rate: float | None, target: float) -> tuple[str, str]:
        """How a rate stands against its target, as state and words; under half of it is bad."""
        if rate is None:
            return "idle", "No data"
        if rate >= target:
            return "ok", "Within target"
        return ("warn", "Under target") if rate >= target / 2 else ("bad", "Far under target")


def _is(page: str) -> Any:
    return lambda subject: subject.page == page


def _where(tx: Tx, subject: Subject) -> showing.Places | None:
    return showing.places_of(tx, EntityRef.parse(subject.refs[0]))


def _where_note(found: showing.Places) -> str:
    if not found.drifting:
        return ""
    return f"{found.drifting} not as production"


def _often(tx: Tx, subject: Subject) -> Often | None:
    ref = EntityRef.parse(subject.refs[0])
    found = measuring.panel(tx, ref) if ref.kind in OFTEN else None
    if found is None:
        return None
    team, service = (str(ref), "") if ref.kind == "group" else ("", str(ref))
    of = f"team={ref}" if team else f"service={ref}"
    query = f"first={found.first}&last={found.last}&{of}"
    return Often(found, drawing.chart(found, team, service), query)


def _three(tx: Tx, subject: Subject) -> Three | None:
    ref = EntityRef.parse(subject.refs[0])
    found = measuring.aimed(tx, ref)
    return None if found is None else Three(found, str(ref), drawing.chart(found.found, str(ref)))


def _tab(tx: Tx, ref: str) -> str | None:
    kind = ref.partition(":")[0]
    if kind not in showing.KINDS or not showing.has_history(tx, ref):
        return None
    return f"{views.href(ref)}/deployments"


def _exported(tx: Tx) -> Iterable[Exported]:
    """The list of all services, how often, and the newest deployments of each."""
    refs = showing.deployed(tx)
    yield Exported("/deploys")
    for offset in range(showing.SERVICES, len(refs), showing.SERVICES):
        yield Exported(f"/deploys?offset={offset}")
    yield Exported("/deploys/frequency")
    for ref in refs:
        yield Exported(f"{views.href(ref)}/deployments", (ref,))


module = Module(
    name="deploys",
    routes=[*api.routes, *pages.routes],
    panels=[
        Panel(
            name="deploys.recent",
            title="Deployments",
            template="deploys/panels/recent.html",
            load=lambda tx, _subject: showing.recent(tx),
            applies=_is("now"),
            note=lambda data: f"{data.wrong} went wrong today" if data.wrong else "",
            live=LIVE,
            order=10,
        ),
        Panel(
            name="deploys.where",
            title="What runs where",
            template="deploys/panels/where.html",
            load=_where,
            applies=_is("entity"),
            note=_where_note,
            live=LIVE,
            order=5,
        ),
        Panel(
            name="deploys.often",
            title="How often it deploys",
            template="deploys/panels/often.html",
            load=_often,
            applies=_is("entity"),
            note=lambda data: f"{len(data.found.mondays)} weeks",
            live=LIVE,
            aside=True,
            order=40,
        ),
        Panel(
            name="deploys.three",
            title="Deployment frequency",
            template="deploys/panels/three.html",
            load=_three,
            applies=_is("team"),
            note=lambda data: counted(len(data.aimed.found.mondays), "week"),
            live=LIVE,
            order=30,
        ),
    ],
    tabs=[Tab(label="Deployments", href=_tab, order=40)],
    jobs=jobs.jobs,
    handlers=jobs.handlers,
    measures=[
        Measure(
            name="deploys.finished",
            labels=("service",),
            counts=ending.finished,
            good="deployments to production that succeeded",
        )
    ],
    changes=[changing.CHANGING],
    nav=[
        NavItem("Log", "Deployments", "/deploys", "y"),
        NavItem("Helm", "Frequency", "/deploys/frequency"),
    ],
    commands=commands.register,
    headline=showing.headline,
    burning=showing.failing,
    exported=_exported,
    audited=[receiving.TOLD],
    templates="pilothouse.deploys",
)
