"""What the demo adds to Now: what can be broken, what is, and how it is repaired."""

from __future__ import annotations

from pathlib import Path

import msgspec

from pilothouse.demo import model
from pilothouse.demo.model import FAULTS, Company, Fault
from pilothouse.kernel.auth.outside import keys
from pilothouse.kernel.events import Event
from pilothouse.kernel.jobs.worker import Work
from pilothouse.kernel.module import Module, NavItem, Panel, Subject, Subscription
from pilothouse.kernel.tx import Tx
from pilothouse.oncall.service import methods


class Shown(msgspec.Struct, frozen=True):
    """A fault, and whether it is there now."""

    fault: Fault
    broken: bool


class Demo(msgspec.Struct, frozen=True):
    """What the panel shows."""

    shop: str
    faults: list[Shown]

    @property
    def broken(self) -> int:
        """How much is broken."""
        return sum(one.broken for one in self.faults)


def module(company: Company) -> Module:
    """The module of a running demo."""
    there = model.faults_in(Path(company.folder))

    def load(_tx: Tx, _subject: Subject) -> Demo:
        faults = [Shown(fault, (there / fault.name).exists()) for fault in FAULTS]
        return Demo(f"{company.public('shop')}/", faults)

    panel = Panel(
        name="demo.try",
        title="Try this",
        template="demo/panels/try.html",
        load=load,
        applies=lambda subject: subject.page == "now",
        note=lambda data: f"{data.broken} broken" if data.broken else "",
        live="checks.*",
        aside=True,
        order=1,
    )
    return Module(
        name="demo",
        panels=[panel],
        nav=[NavItem("Watch", "Inbox", "/inbox")],
        handlers=[Subscription("catalog.source_read", "demo.inboxes", _give_inboxes)],
        templates="pilothouse.demo",
    )


def _give_inboxes(work: Work, _event: Event) -> None:
    """Everybody at the company is reached by the inbox that the portal shows."""
    key = keys.secret_key(work.program.settings)
    with work.finish() as tx:
        methods.give_inboxes(tx, key)
