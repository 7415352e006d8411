"""How apis joins the program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pilothouse.apis import commands, jobs, pages
from pilothouse.apis.service import changes, references, telling
from pilothouse.catalog.service import views
from pilothouse.kernel.module import Exported, Module, NavItem, Panel, Subject, Subscription, Tab
from pilothouse.kernel.tx import Tx

LIVE = "apis.*"


def _operations(tx: Tx, subject: Subject) -> references.Glance | None:
    """An API's definition at a glance, for its own page."""
    ref = subject.refs[0]
    return references.glance(tx, ref) if references.shown_digest(tx, ref) else None


def _operations_note(found: references.Glance) -> str:
    return found.style


def _reference_tab(tx: Tx, ref: str) -> str | None:
    return f"{views.href(ref)}/reference" if references.shown_digest(tx, ref) else None


def _exported(tx: Tx) -> Iterable[Exported]:
    """Every page of every reference, every change, and their lists."""
    for path, ref in references.paths(tx):
        yield Exported(path, (ref,))
    for path, ref in changes.paths(tx):
        yield Exported(path, (ref,))
    for path in changes.lists(tx):
        yield Exported(path)


def _changes(tx: Tx, subject: Subject) -> Any:
    return changes.of_entities(tx, subject.refs)


module = Module(
    name="apis",
    routes=pages.routes,
    panels=[
        Panel(
            name="apis.breaking",
            title="Breaking API changes",
            template="apis/panels/changes.html",
            load=lambda tx, _subject: changes.recent_breaking(tx),
            applies=lambda subject: subject.page == "now",
            live=LIVE,
            order=15,
        ),
        Panel(
            name="apis.operations",
            title="Operations",
            template="apis/panels/operations.html",
            load=_operations,
            applies=lambda subject: subject.page == "entity" and subject.refs[0].startswith("api:"),
            note=_operations_note,
            live=LIVE,
            order=8,
        ),
        Panel(
            name="apis.changes",
            title="API changes",
            template="apis/panels/changes.html",
            load=_changes,
            applies=lambda subject: subject.page == "entity",
            live=LIVE,
            order=15,
        ),
    ],
    jobs=jobs.jobs,
    handlers=[Subscription("catalog.changed", "apis.follow", jobs.follow)],
    changes=[telling.CHANGING],
    nav=[NavItem("Log", "API changes", "/apis/changes")],
    tabs=[Tab(label=pages.TAB, href=_reference_tab, order=20)],
    exported=_exported,
    commands=commands.register,
    templates="pilothouse.apis",
)
