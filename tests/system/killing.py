"""A company whose page makers are killed: alerts said once, a provider that counts what it got."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import func, select, update
from tests.oncall.paged import CHECKOUT, ONE, THREE, TWO, Paged, company
from tests.oncall.provided import Provider, provider
from tests.servers import wait_until
from tests.system.forked import Forks

from pilothouse.kernel.actors import LOCAL_ADMIN
from pilothouse.kernel.alerts import service as alerts
from pilothouse.kernel.alerts.model import Alert
from pilothouse.kernel.auth.outside import keys
from pilothouse.kernel.clock import now
from pilothouse.kernel.jobs.store import jobs
from pilothouse.oncall.model.paging import Progress, State
from pilothouse.oncall.service import methods, paging, reading, stepping
from pilothouse.oncall.store.tables import notifications

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pilothouse.oncall.model.paging import Page

# Where an alert on its way to a person may be cut off, by who does it: what said it is silent.
TAKING = (
    "oncall.taken",
    "oncall.escalating",
    "jobs.finishing@oncall.heard_raised",
    "jobs.finished@oncall.heard_raised",
    "oncall.sending",
    "oncall.calling",
    "oncall.called",
    "oncall.sent",
    "jobs.finishing@oncall.deliver",
    "jobs.finished@oncall.deliver",
)
STEPPING = (
    "oncall.escalating",
    "jobs.finishing@oncall.escalate",
    "jobs.finished@oncall.escalate",
)
OPEN = (Progress.WAITING, Progress.SENDING)


@dataclass(slots=True)
class Killed:
    """The company, its provider, and programs that are forked and killed."""

    shop: Paged
    to: Provider
    fork: Forks
    numbers: Iterator[int] = field(default_factory=count)

    def say(self) -> str:
        """An alert, said once; its key."""
        key = f"k{next(self.numbers)}"
        alert = Alert(key=key, source="test", entity=CHECKOUT, summary=f"{key}!", urgency="high")
        with self.shop.program.db.begin() as tx:
            alerts.raise_alert(tx, alert)
        return key

    def free(self) -> None:
        """As if the leases of those who were killed had passed."""
        with self.shop.program.db.begin() as tx:
            tx.conn.execute(update(jobs).values(lease_until=None, lease_token=None))

    def hurry(self) -> None:
        """The next step of whatever is open is due now."""
        with self.shop.program.db.begin() as tx:
            due = update(jobs).where(jobs.c.kind == stepping.ESCALATE)
            tx.conn.execute(due.values(due_at=tx.now))

    def page(self) -> Page | None:
        """The one that is open."""
        with self.shop.program.db.read() as tx:
            found = reading.open_pages(tx)
        assert len(found) <= 1
        return found[0] if found else None

    def told(self, rounds: int = 1) -> bool:
        """Whether the page's first so many rounds have arrived."""
        page = self.page()
        if page is None:
            return False
        found = self.shop.told(page)
        return len(found) >= rounds and all(one.progress == "delivered" for one in found)

    def waiting(self) -> int:
        """Notifications that are still to be sent."""
        query = select(func.count()).where(notifications.c.progress.in_(OPEN))
        with self.shop.program.db.read() as tx:
            return tx.conn.execute(query.select_from(notifications)).scalar_one()

    def over(self) -> None:
        page = self.page()
        assert page is not None
        assert page.state in (State.OPEN, State.ACKNOWLEDGED)
        with self.shop.program.db.begin() as tx:
            paging.resolve(tx, page.id, ONE, "page")

    def heard(self) -> Counter[str]:
        """How often the provider was told what: by dedup key."""
        return Counter(asked.headers["pilothouse-key"] for asked in self.to.asked)

    def cut_off(self, point: str) -> None:
        """A worker does what is due until it is killed there; then its leases pass."""
        victim = self.fork("work", crash_at=point)
        assert victim.wait() == -9, victim.complaint(f"not killed at {point}")
        self.free()

    def done(self, rounds: int = 1) -> None:
        """A worker that nobody kills, until all are told."""
        working = self.fork("work")
        assert wait_until(lambda: self.told(rounds)), working.complaint("not told")
        working.kill()
        self.free()


@contextmanager
def killed(url: str, folder: Path) -> Iterator[Killed]:
    """On this database."""
    with provider() as to, company(url, folder, contact_hosts=(to.host,)) as shop:
        key = keys.secret_key(shop.program.settings)
        for person in (ONE, TWO, THREE):
            asked = methods.wanted("webhook", f"{to.url}/{person}", after=0, urgency="both")
            with shop.program.db.begin(LOCAL_ADMIN) as tx:
                methods.add(tx, key, person, asked)
        env = {
            "PILOTHOUSE_DATABASE_URL": url,
            "PILOTHOUSE_DATA": shop.program.settings.data,
            "PILOTHOUSE_CONTACT_HOSTS": to.host,
        }
        with Forks(folder, env) as fork:
            yield Killed(shop, to, fork)


def trigger(key: str, name: str) -> str:
    """An alert as a client of Events v2 says it."""
    payload = {"summary": f"{name}!", "source": "a", "severity": "critical"}
    body = {"routing_key": key, "event_action": "trigger", "dedup_key": name, "payload": payload}
    return msgspec.json.encode(body | {"client": now().isoformat()}).decode()
