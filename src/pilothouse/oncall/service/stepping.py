"""A page goes on: the next step that reaches somebody, and a round of notifications."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.errors import Conflict
from pilothouse.kernel.faults import crash_point
from pilothouse.oncall.model.methods import Method
from pilothouse.oncall.model.paging import UNREACHED, Notification, Page, State
from pilothouse.oncall.rules import choosing, escalation, quiet
from pilothouse.oncall.rules.escalation import Stage
from pilothouse.oncall.service import planning
from pilothouse.oncall.service.saying import say
from pilothouse.oncall.store import notifications, pages, ways

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from pilothouse.kernel.tx import Tx

ESCALATE, DELIVER = "oncall.escalate", "oncall.deliver"
MAIL_METHOD = "mail"  # stands for the mail address that a last resort of the settings is
MOST_FAULTS = 20  # that are kept on a page


class Reach(msgspec.Struct, frozen=True):
    """Whom a stage reaches, by what, and whom it does not."""

    stage: Stage
    people: dict[str, tuple[str, list[Method]]]  # person -> why, methods
    faults: tuple[tuple[str, str], ...]  # person or "", in words


def change(tx: Tx, page: Page, **values: Any) -> Page:
    """Change a page that this transaction holds. Raises Conflict when it was changed since."""
    changed = pages.change(tx.conn, page, tx.now, **values)
    if changed is None:
        raise Conflict(f"page {page.number} was changed by somebody else at this moment")
    return changed


def plan_next(tx: Tx, page: Page, at: datetime | None, **values: Any) -> Page:
    """Change a page so that its next step is due at an instant, and have that done then."""
    changed = change(tx, page, next_at=at, **values)
    if at is not None:
        due(tx, changed, max(at - tx.now, at - at))
    return changed


def due(tx: Tx, page: Page, after: timedelta) -> None:
    """One job for each plan: what was planned before finds that it is not any more, and ends."""
    assert page.next_at is not None  # noqa: S101
    moment = page.next_at.isoformat()
    tx.enqueue(ESCALATE, {"page": page.id, "at": moment}, key=f"{page.id} {moment}", after=after)


def go(tx: Tx, page: Page, candidates: Sequence[Stage], **values: Any) -> Page:
    """Tell the first of these stages that reaches somebody; a page of low urgency can wait.

    The page is held by this transaction. Who cannot be reached is named.
    """
    urgency = values.get("urgency", page.urgency)
    values = {"state": State.OPEN, "until": None, **values}
    if (later := quiet.until(page.plan.quiet, urgency, tx.now)) is not None:
        return plan_next(tx, page, later, **values)
    if not candidates:
        return change(tx, page, next_at=None, **values)
    reached, faults = _search(tx, page, candidates)
    stage = reached.stage
    page = _remember(tx, page, faults, values)
    crash_point("oncall.escalating")
    values |= {"step": stage.step, "loop": stage.loop, "round": page.round + 1}
    next_at = tx.now + escalation.wait(page.plan, stage)
    page = plan_next(tx, page, next_at, **values)
    tell(tx, page, reached.people)
    return page


def _search(tx: Tx, page: Page, candidates: Sequence[Stage]) -> tuple[Reach, list[tuple[str, str]]]:
    """The first stage that reaches somebody, and all that was wrong on the way to it."""
    seen: dict[int, Reach] = {}
    faults: dict[tuple[str, str], None] = {}

    def reaches(stage: Stage) -> bool:
        if stage.step not in seen:
            seen[stage.step] = _reach(tx, page, stage)
            faults.update(dict.fromkeys(seen[stage.step].faults))
        return bool(seen[stage.step].people)

    stage = escalation.choose(candidates, reaches)
    assert stage is not None  # noqa: S101  there is a candidate
    return msgspec.structs.replace(seen[stage.step], stage=stage), list(faults)


def _reach(tx: Tx, page: Page, stage: Stage) -> Reach:
    found = planning.look_up(tx, escalation.who(page.plan, stage), tx.now)
    label = stage.words(page.plan)
    faults = [("", f"{label}: {fault}") for fault in found.faults]
    people = dict(found.people)
    known = methods_of(tx, list(people))
    if stage.kind == "last resort" and not any(known.values()):
        more = planning.look_up(tx, planning.last_resort(tx), tx.now)
        people |= {one: why for one, why in more.people.items() if one not in people}
        known |= methods_of(tx, list(more.people))
        if not any(known.values()):
            faults.append(("", "Nobody can be reached: not even a last resort."))
    faults += [(one, f"{label}: {one} has no contact method.") for one in people if not known[one]]
    reached = {
        one: (f"{label}: {why}" if why else label, known[one])
        for one, why in people.items()
        if known[one]
    }
    return Reach(stage, reached, tuple(faults))


def methods_of(tx: Tx, people: Sequence[str]) -> dict[str, list[Method]]:
    """Of each person the ways to reach them; a mail address of the settings is its own."""
    found = ways.of(tx.conn, people)
    for one in people:
        if one.startswith(planning.MAIL):
            found[one] = [mail_method(one)]
    return found


def mail_method(person: str) -> Method:
    """The method that a mail address of the settings is."""
    address = person.removeprefix(planning.MAIL)
    return Method(
        id=MAIL_METHOD,
        person=person,
        channel="email",
        address=address,
        hint=f"{address[:1]}…@{address.rpartition('@')[2]}"[:100],
        place=0,
    )


def _remember(
    tx: Tx, page: Page, faults: Sequence[tuple[str, str]], values: dict[str, Any]
) -> Page:
    """Name what is wrong: in the journal, and on the page."""
    if not faults:
        return page
    for person, words in faults:
        say(tx, UNREACHED, page, words, person=person, entities=(person,))
    known = dict.fromkeys((*page.plan.faults, *(words for _, words in faults)))
    values["plan"] = msgspec.structs.replace(page.plan, faults=tuple(known)[:MOST_FAULTS])
    return page


def tell(tx: Tx, page: Page, people: Mapping[str, tuple[str, Sequence[Method]]]) -> None:
    """A round of notifications: of each person the methods that are used, each at its time.

    What still waits for them from rounds before is taken back: nobody is told the same twice.
    """
    if not people:
        return
    if page.round > 1:
        notifications.withdraw_older(tx.conn, page.id, tx.now, list(people), page.round)
    pages.want(tx.conn, page.id, {one: why for one, (why, _) in people.items()}, tx.now)
    found = [
        notification(tx, page, one.method, why, one.after)
        for why, methods in people.values()
        for one in choosing.chosen(methods, page.urgency)
    ]
    send(tx, found)


def send(tx: Tx, found: Sequence[Notification]) -> None:
    """Keep notifications, and have each delivered at its time."""
    new = notifications.add(tx.conn, found)
    for one in found:
        if one.id in new:
            later = one.due_at - tx.now
            tx.enqueue(DELIVER, {"notification": one.id}, key=one.id, after=later)


def notification(tx: Tx, page: Page, method: Method, why: str, after: timedelta) -> Notification:
    """One that waits; its dedup key is the same however often it is made."""
    telling = f"{page.id} {page.round} {method.person} {method.id}"
    return Notification(
        id=uuid7(),
        page=page.id,
        person=method.person,
        method=method.id,
        channel=method.channel,
        to=method.hint,
        round=page.round,
        dedup_key=f"{page.id}-{page.round}-{hashlib.sha256(telling.encode()).hexdigest()[:16]}",
        why=why,
        due_at=tx.now + after,
    )
