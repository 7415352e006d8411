"""How vitals joins the program."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from markupsafe import Markup

from pilothouse.catalog.service import views
from pilothouse.kernel.module import Exported, Module, NavItem, Panel, Subject, Tab
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Tx
from pilothouse.kernel.words import counted
from pilothouse.vitals import api, jobs, pages
from pilothouse.vitals.service import drawing, measuring, showing

WORDS = {"ok": "Within target", "warn": "Over target", "bad": "Far over target", "idle": "No data"}
SMALL = 56  # pixels


class Shown(msgspec.Struct, frozen=True):
    """What the panel of the first number shows."""

    first: showing.First
    chart: Markup
    evidence: str  # where the number comes from

    def value(self, number: float | None) -> str:
        return drawing.value(showing.FIRST, number)

    def held(self, service: showing.Service) -> str:
        return showing.held(service.now, service.target)

    def word(self, found: showing.Numbers, target: float) -> str:
        return WORDS[showing.held(found, target)]

    @property
    def what(self) -> str:
        """What the number is, and when it says little."""
        count = self.first.now.count
        few = f" of {counted(count, 'page view')} only" if 0 < count < showing.FEW else ""
        return f"75th percentile of 7 days{few}"

    @property
    def trend(self) -> str:
        """How it moved since the week before, in words."""
        trend, before = self.first.trend, self.first.before.p75
        if trend is None:
            return "no week before to compare with"
        if round(abs(trend) * 100) == 0:
            return "as the week before"
        how = "slower" if trend > 0 else "faster"
        return f"{abs(trend):.0%} {how} than the week before, {self.value(before)}"


def _about(subject: Subject) -> bool:
    return subject.page in ("team", "entity") and len(subject.refs) == 1


def _first(tx: Tx, subject: Subject) -> Shown | None:
    ref = subject.refs[0]
    found = showing.first(tx, ref)
    if found is None:
        return None
    of_team = EntityRef.parse(ref).kind == "group"
    evidence = f"/vitals?team={ref}" if of_team else f"{views.href(ref)}/vitals"
    chart = drawing.curve(found.points, showing.FIRST, "By day", height=SMALL, aim=found.target)
    return Shown(found, chart, evidence)


def _tab(tx: Tx, ref: str) -> str | None:
    if ref.startswith("group:"):
        return None
    return f"{views.href(ref)}/vitals" if showing.has_any(tx, ref) else None


def _three(_tx: Tx, ref: str) -> str | None:
    kind, _, rest = ref.partition(":")
    return f"/teams/{rest}" if kind == "group" else None


def _exported(tx: Tx) -> Iterable[Exported]:
    teams = showing.teams(tx)
    yield Exported("/vitals")
    for team in teams:
        yield Exported(f"/vitals?team={team}", (team,))
        yield Exported(views.href(team).replace("/catalog/group/", "/teams/", 1))
    for ref in showing.telling(tx):
        yield Exported(f"{views.href(ref)}/vitals", (ref,))


module = Module(
    name="vitals",
    routes=[*api.routes, *pages.routes],
    panels=[
        Panel(
            name="vitals.first",
            title="First meaningful interaction",
            template="vitals/panels/first.html",
            load=_first,
            applies=_about,
            order=10,
        ),
    ],
    tabs=[
        Tab(label=pages.THREE, href=_three, order=5),
        Tab(label="Vitals", href=_tab, order=45),
    ],
    jobs=jobs.jobs,
    measures=measuring.measures,
    nav=[NavItem("Lookout", "Vitals", "/vitals", "v")],
    exported=_exported,
    templates="pilothouse.vitals",
)
