"""How objectives joins the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.kernel.module import Kind, Module, NavItem, Panel, Subject
from pilothouse.objectives import jobs, pages
from pilothouse.objectives.formats.shelf import KINDS
from pilothouse.objectives.service import showing

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx
    from pilothouse.objectives.service.showing import Line

LIVE = "objectives.*"


def _about(tx: Tx, subject: Subject) -> list[Line] | None:
    return showing.about(tx, subject.refs[0])


def _of_group(subject: Subject) -> bool:
    return subject.refs[0].startswith("group:")


module = Module(
    name="objectives",
    routes=pages.routes,
    panels=[
        Panel(
            name="objectives.burning",
            title="Burning objectives",
            template="objectives/panels/lines.html",
            load=lambda tx, _subject: showing.burning(tx),
            applies=lambda subject: subject.page == "now",
            note=showing.note,
            live=LIVE,
            order=30,
        ),
        Panel(
            name="objectives.of",
            title="Objectives",
            template="objectives/panels/own.html",
            load=_about,
            applies=lambda subject: subject.page == "entity" and not _of_group(subject),
            note=showing.note,
            live=LIVE,
            order=30,
        ),
        Panel(
            name="objectives.team",
            title="Error-budget burn rate",
            template="objectives/panels/team.html",
            load=lambda tx, subject: showing.of_team(tx, subject.refs[0]),
            applies=lambda subject: subject.page in ("team", "entity") and _of_group(subject),
            note=lambda _data: "now, over an hour",
            live=LIVE,
            order=20,
        ),
    ],
    jobs=jobs.jobs,
    handlers=jobs.handlers,
    kinds=[Kind(name, spec, api_versions=("openslo/v1",)) for name, spec in KINDS.items()],
    nav=[NavItem("Lookout", "Objectives", "/objectives", "b")],
    headline=showing.headline,
    burning=showing.on_fire,
    exported=showing.exported,
    templates="pilothouse.objectives",
)
