"""A portal with a company on call, and incidents."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from tests.oncall.paged import ALONE, CART, CHECKOUT, ONE, TWO, Paged, company, policy

from pilothouse.incidents.model.incidents import Incident
from pilothouse.incidents.service import opening, reading
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.events import events
from pilothouse.kernel.jobs.store import claim
from pilothouse.kernel.jobs.worker import Work

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pilothouse.kernel.program import Program

MAYA = Actor("local:maya", "Maya", Role.RESPONDER, ONE)
JONAS = Actor("local:jonas", "Jonas", Role.RESPONDER, TWO)
__all__ = ["ALONE", "CART", "CHECKOUT", "JONAS", "MAYA", "ONE", "TWO", "House", "house_of"]


@dataclass(slots=True)
class House:
    """A program, and hands."""

    paged: Paged

    @property
    def program(self) -> Program:
        return self.paged.program

    def open(self, title: str = "Checkout is down", actor: Actor = MAYA, **said: Any) -> Incident:
        wanted = opening.Wanted(**{"title": title, "entity": CHECKOUT, **said})
        with self.program.db.begin(actor) as tx:
            return opening.begin(tx, wanted)

    def do(self, function: Any, incident: Incident, *said: Any, actor: Actor = MAYA, **more: Any):
        """Do something with an incident as it is now."""
        with self.program.db.begin(actor) as tx:
            return function(tx, reading.incident(tx, incident.id), *said, **more)

    def now(self, incident: Incident, actor: Actor = MAYA) -> Incident:
        with self.program.db.read(actor) as tx:
            return reading.incident(tx, incident.id)

    def ask(self, function: Any, *said: Any, actor: Actor = MAYA, **more: Any) -> Any:
        with self.program.db.read(actor) as tx:
            return function(tx, *said, **more)

    def heard(self) -> None:
        """What waits of our handlers is done."""
        names = [name for name in self.program.job_kinds if name.startswith("incidents.")]
        kinds = {name: self.program.job_kinds[name] for name in names}
        with self.program.db.begin() as tx:
            claimed = claim(tx.conn, {name: one.lease for name, one in kinds.items()}, 100)
        for job in claimed:
            kinds[job.kind].run(Work(self.program.db, job, kinds[job.kind], self.program))

    def types(self) -> list[str]:
        """Of what the journal tells of incidents."""
        with self.program.db.read() as tx:
            query = select(events.c.type).where(events.c.type.like("incidents.%"))
            return list(tx.conn.execute(query.order_by(events.c.id)).scalars())

    def told(self) -> str:
        """All that the journal says."""
        with self.program.db.read() as tx:
            return "\n".join(tx.conn.execute(select(events.c.data)).scalars())


@contextmanager
def house_of(url: str, path: Path) -> Iterator[House]:
    """The whole program on this database."""
    with company(url, path) as found:
        found.say(policy())
        yield House(found)
