"""How docs joins the program."""

from __future__ import annotations

from typing import Any

from pilothouse.docs import commands, jobs, pages
from pilothouse.docs.service import copying, panels, runbooks, showing
from pilothouse.kernel.module import Module, NavItem, Panel, Subject, Tab
from pilothouse.kernel.refs import EntityRef

LIVE = "docs.* catalog.*"


def _panel(name: str, title: str, load: Any, **more: Any) -> Panel:
    """A panel of the entity page."""
    return Panel(
        name=f"docs.{name}",
        title=title,
        template=f"docs/panels/{name}.html",
        load=lambda tx, subject: load(tx, EntityRef.parse(subject.refs[0])),
        applies=_is_entity,
        live=LIVE,
        **more,
    )


def _is_entity(subject: Subject) -> bool:
    return subject.page == "entity"


module = Module(
    name="docs",
    routes=pages.routes,
    panels=[
        _panel(
            "runbooks", "Runbooks", panels.of_entity, note=lambda data: f"{data.total:,}", order=1
        ),
        _panel("docs", "Docs", showing.around, aside=True, order=15),
    ],
    tabs=[Tab(label="Docs", href=showing.has_docs, order=20)],
    jobs=jobs.jobs,
    handlers=jobs.handlers,
    nav=[
        NavItem("Chart", "Docs", "/docs", "d"),
        NavItem("Chart", "Runbooks", "/runbooks"),
        NavItem("Chart", "RFCs", "/rfcs", "r"),
    ],
    exported=copying.exported,
    audited=(runbooks.CONFIRMED,),
    commands=commands.register,
    templates="pilothouse.docs",
)
