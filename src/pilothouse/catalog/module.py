"""How the catalog joins the program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pilothouse.catalog import api, commands, jobs, pages
from pilothouse.catalog.service import (
    belonging,
    changing,
    copying,
    finding,
    panels,
    refreshing,
    views,
)
from pilothouse.kernel.module import Headline, Module, NavItem, Panel, Subject
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Tx

LIVE = "catalog.*"


def _entity(name: str, title: str, load: Callable[[Tx, EntityRef], Any], **more: Any) -> Panel:
    """A panel of the entity page."""
    return Panel(
        name=f"catalog.{name}",
        title=title,
        template=f"catalog/panels/{name}.html",
        load=lambda tx, subject: load(tx, EntityRef.parse(subject.refs[0])),
        applies=lambda subject: subject.page == "entity",
        live=LIVE,
        **more,
    )


def _now(name: str, title: str, load: Callable[[Tx], Any], **more: Any) -> Panel:
    """A panel of Now."""
    return Panel(
        name=f"catalog.{name}",
        title=title,
        template=f"catalog/panels/{name}.html",
        load=lambda tx, _subject: load(tx),
        applies=_is_now,
        **more,
    )


def _is_now(subject: Subject) -> bool:
    return subject.page == "now"


def _headline(tx: Tx) -> Headline | None:
    standing = views.standing(tx)
    away = [source for source in standing.sources if source.error]
    if away:
        return Headline(
            60,
            "warn",
            f"{away[0].spec} cannot be read",
            "What it gave before stays in the catalog.",
            "/catalog/sources",
            "See the sources",
        )
    if reading := [source for source in standing.sources if source.total]:
        done, total = sum(s.done for s in reading), sum(s.total for s in reading)
        return Headline(
            50,
            "info",
            f"Reading the catalog: {done:,} of {total:,} files",
            "What is read already is here.",
            "/catalog/sources",
            "See the sources",
        )
    if standing.errors:
        noun = "document is" if standing.errors == 1 else "documents are"
        return Headline(
            40,
            "warn",
            f"{standing.errors:,} {noun} not in the catalog",
            "Each says where it stands and what to change.",
            "/catalog/problems",
            "See the problems",
        )
    return None


module = Module(
    name="catalog",
    routes=[*pages.routes, *api.routes],
    panels=[
        _now(
            "recent", "Recent changes", lambda tx: views.recent(tx, limit=200), live=LIVE, order=20
        ),
        _now("troubles", "Problems", views.standing, live=LIVE, aside=True, order=10),
        _now(
            "ownerless",
            "Without an owner",
            lambda tx: views.without_owner(tx, 8),
            note=lambda data: f"{data[0]:,}",
            live=LIVE,
            aside=True,
            order=20,
        ),
        _now("standing", "Catalog", views.standing, live=LIVE, aside=True, order=30),
        _entity("owned", "Owns", panels.owned, order=10),
        _entity("related", "Relations", panels.related, order=20),
        _entity("history", "Last changes", lambda tx, ref: views.versions(tx, ref, 5), order=60),
        _entity("links", "Links", panels.links, aside=True, order=10),
        _entity(
            "people",
            "People",
            panels.people,
            note=lambda data: f"{data.total:,}",
            order=5,
        ),
        _entity("team", "Owner", panels.team, aside=True, order=20),
        _entity("about", "About", panels.about, aside=True, order=30),
    ],
    jobs=jobs.jobs,
    changes=[changing.CHANGING],
    nav=[
        NavItem("Watch", "Now", "/", "n"),
        NavItem("Chart", "Components", "/catalog?kind=component", "s"),
        NavItem("Chart", "APIs", "/catalog?kind=api", "a"),
        NavItem("Chart", "Resources", "/catalog?kind=resource"),
        NavItem("Chart", "Systems", "/catalog?kind=system"),
        NavItem("Chart", "Teams", "/catalog?kind=group", "t"),
        NavItem("Chart", "People", "/catalog?kind=user", "u"),
        NavItem("Chart", "Everything", "/catalog", "e"),
        NavItem("Log", "Catalog changes", "/catalog/changes"),
        NavItem("Log", "Problems", "/catalog/problems", "x"),
        NavItem("Log", "Sources", "/catalog/sources"),
    ],
    commands=commands.register,
    upkeep=jobs.upkeep,
    headline=_headline,
    members=belonging.members,
    owners=belonging.owners,
    users=belonging.users,
    audited=[refreshing.ASKED],
    exported=copying.exported,
    finds=finding.finds,
    templates="pilothouse.catalog",
)
