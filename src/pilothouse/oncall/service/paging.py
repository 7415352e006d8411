"""Pages from alert to resolution. Whatever is said here is written before anybody is told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import relating
from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.errors import Conflict, Invalid, NotFound
from pilothouse.kernel.faults import crash_point
from pilothouse.oncall.model import paging as said
from pilothouse.oncall.model.paging import Acknowledged, Arrived, Page, Signal, State, Way
from pilothouse.oncall.rules import escalation, grouping
from pilothouse.oncall.service import planning, stepping
from pilothouse.oncall.service.saying import say
from pilothouse.oncall.store import alerts, notifications, pages, silences

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pilothouse.kernel.tx import Tx
    from pilothouse.oncall.model.paging import Silence

TOGETHER = 500  # alerts that are written at once
MOST_SILENCES = 1000
LONGEST_SUMMARY = 1024
LONGEST_DETAIL = 10_000
LONGEST_KEY = 500
LATE = timedelta(seconds=30)
NEARLY = timedelta(seconds=30)
MOST_OPEN = 10_000
UNSILENCE = "oncall.unsilence"


def take(tx: Tx, signal: Signal) -> Arrived:
    """Take an alert in, and page for it: the first round of notifications is made with it."""
    return take_many(tx, [signal])[0]


def take_many(tx: Tx, signals: Sequence[Signal]) -> list[Arrived]:
    """Take alerts in; for each key what became of it, in the order of the keys' first signals.

    However many they are, a page is told of once.
    """
    found: dict[str, Arrived] = {}
    said_once = list(grouping.merged(map(_bounded, signals)).items())
    for start in range(0, len(said_once), TOGETHER):
        part = dict(said_once[start : start + TOGETHER])
        found |= {one.signal.key: one for one in _take(tx, part)}
    crash_point("oncall.taken")
    return [found[key] for key, _ in said_once]


def _bounded(signal: Signal) -> Signal:
    """An alert whose texts fit. Raises Invalid for a key that does not."""
    if not 0 < len(signal.key) <= LONGEST_KEY:
        raise Invalid(f"the key of an alert has 1 to {LONGEST_KEY} characters")
    return msgspec.structs.replace(
        signal, summary=signal.summary[:LONGEST_SUMMARY], detail=signal.detail[:LONGEST_DETAIL]
    )


def _take(tx: Tx, signals: dict[str, tuple[Signal, int]]) -> list[Arrived]:
    arrived = alerts.take(tx.conn, signals, tx.now)
    waiting = [one for one, _ in arrived if not one.page]
    lasting = silences.lasting(tx.conn, tx.now, MOST_SILENCES) if waiting else []
    silenced, loud = _sorted_out(tx, waiting, lasting)
    paged = page_for(tx, loud)
    _raise_said_again(tx, [one for one, _ in arrived if one.page])
    became = {one.id: one for one in (*silenced, *paged)}
    return [became.get(one.id, one) for one, _ in arrived]


def _sorted_out(
    tx: Tx, waiting: Sequence[Arrived], lasting: Sequence[Silence]
) -> tuple[list[Arrived], list[Arrived]]:
    """Alerts that are silenced, and those that are not."""
    silenced: list[Arrived] = []
    loud: list[Arrived] = []
    by: dict[str, list[str]] = {}
    whole = any(one.entity.startswith("system:") for one in lasting)
    refs = sorted({one.signal.entity for one in waiting if one.signal.entity}) if whole else []
    within = relating.targets(tx, refs, "partOf") if refs else {}
    for one in waiting:
        systems = within.get(one.signal.entity, ())
        silence = grouping.silenced_by(one.signal, lasting, tx.now, systems)
        if silence is None:
            loud.append(one)
            continue
        silenced.append(msgspec.structs.replace(one, silence=silence.id))
        if one.silence != silence.id:
            by.setdefault(silence.id, []).append(one.id)
    for silence_id, ids in by.items():
        alerts.silence(tx.conn, ids, silence_id)
        silences.count(tx.conn, silence_id, len(ids))
    return silenced, loud


def again(tx: Tx, kept: Sequence[Arrived]) -> list[Arrived]:
    """Alerts that a silence kept back: another one may hold them, or they page now."""
    lasting = silences.lasting(tx.conn, tx.now, MOST_SILENCES) if kept else []
    _, loud = _sorted_out(tx, kept, lasting)
    return page_for(tx, loud)


def _raise_said_again(tx: Tx, again: Sequence[Arrived]) -> None:
    """Alerts that are known are said again with a higher urgency: their pages tell."""
    high = {one.page for one in again if one.page and one.signal.urgency == "high"}
    for page_id in sorted(high):
        page = pages.lock(tx.conn, page_id)
        if page is not None and grouping.raises(page, "high"):
            _raise(tx, page)


def page_for(tx: Tx, found: Sequence[Arrived]) -> list[Arrived]:
    """Alerts join the page that is open for what they have in common, or open one."""
    if not found:
        return []
    number = pages.turn(tx.conn, pages.NUMBERS, 0)  # held: those who open pages take turns
    bundles = _bundled(tx, found)
    open_now = pages.lock_open(tx.conn, sorted(bundles))
    became: list[Arrived] = []
    opened = 0
    for key, (bundle, together) in sorted(bundles.items()):
        page = open_now.get(key)
        if page is None:
            opened += 1
            page = _open(tx, key, bundle, together, number + opened)
        else:
            _join(tx, page, together)
        alerts.join(tx.conn, [one.id for one in together], page.id)
        became += [msgspec.structs.replace(one, page=page.id, silence="") for one in together]
    if opened:
        pages.turn(tx.conn, pages.NUMBERS, opened)
    return became


def _bundled(tx: Tx, found: Sequence[Arrived]) -> dict[str, tuple[str, list[Arrived]]]:
    refs = sorted({one.signal.entity for one in found if one.signal.entity})
    above = relating.targets(tx, refs, "partOf") if refs else {}
    systems = {
        ref: [one for one in wholes if one.startswith("system:")] for ref, wholes in above.items()
    }
    bundles: dict[str, tuple[str, list[Arrived]]] = {}
    for one in found:
        bundle = grouping.bundle_of(one.signal, systems)
        key = grouping.open_key(bundle, one.signal, _own_policy(tx, one.signal))
        bundles.setdefault(key, (bundle, []))[1].append(one)
    return bundles


def _own_policy(tx: Tx, signal: Signal) -> str:
    """The policy an alert names, where that is not its entity's anyway."""
    if not signal.policy:
        return ""
    named = planning.full(signal.policy, signal.entity)
    return "" if named == planning.policy_of(tx, signal.entity) else named


def _open(tx: Tx, key: str, bundle: str, together: Sequence[Arrived], number: int) -> Page:
    first = together[0].signal
    urgency = _highest(together)
    page = Page(
        id=uuid7(),
        number=number,
        bundle=bundle,
        entity=first.entity,
        summary=first.summary,
        urgency=urgency,
        state=State.OPEN,
        plan=planning.plan_for(tx, first.entity, first.policy),
        alerts=len(together),
        alerts_open=len(together),
        opened_at=tx.now,
        changed_at=tx.now,
        drill=first.drill,
    )
    if not pages.insert_page(tx.conn, page, key):
        raise Conflict(f"a page for {bundle} was opened at this moment")
    say(tx, said.PAGED, page, f"Paged: {page.summary}", entities=_entities(together))
    for fault in page.plan.faults:
        say(tx, said.UNREACHED, page, fault)
    return stepping.go(tx, page, escalation.from_here(page))


def _join(tx: Tx, page: Page, together: Sequence[Arrived]) -> None:
    """More of the same: nobody is told before the next repeat, unless it is more urgent."""
    more = len(together)
    before = page
    page = stepping.change(tx, page, alerts=page.alerts + more, alerts_open=page.alerts_open + more)
    words = together[0].signal.summary + (f" and {more - 1} more" if more > 1 else "")
    say(tx, said.JOINED, page, f"Joined: {words}", entities=_entities(together))
    if grouping.raises(before, _highest(together)):
        _raise(tx, page)


def _raise(tx: Tx, page: Page) -> Page:
    """What was of low urgency is of high urgency now: whoever had it is told anew."""
    kind = said.RAISED if page.state is State.OPEN else said.UNACKNOWLEDGED
    say(tx, kind, page, "It became urgent, and is told of anew.")
    return stepping.go(tx, page, escalation.from_here(page), urgency="high")


def _highest(found: Sequence[Arrived]) -> said.Urgency:
    return "high" if any(one.signal.urgency == "high" for one in found) else "low"


def _entities(found: Sequence[Arrived]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.signal.entity for one in found))[:50]


def clear(tx: Tx, key: str) -> bool:
    """An alert is over; with its last one a page is. False for one that is not open.

    With the last one of high urgency a page is of low urgency: it can wait.
    """
    found = alerts.find_open(tx.conn, key, hold=True)
    if found is None or not alerts.clear(tx.conn, found.id, tx.now):
        return False
    page = pages.lock(tx.conn, found.page) if found.page else None
    if page is None or page.state is State.RESOLVED:
        return True
    left = max(page.alerts_open - 1, 0)
    calm = page.urgency == found.signal.urgency == "high" and not alerts.is_urgent(tx.conn, page.id)
    urgency = "low" if left and calm else page.urgency
    page = stepping.change(tx, page, alerts_open=left, urgency=urgency)
    if left == 0:
        _close(tx, page, "", "all its alerts are over")
    elif calm:
        words = f"Page {page.number} can wait: what lasts of it is of low urgency."
        say(tx, said.CALMED, page, words)
    return True


def acknowledge(tx: Tx, page_id: str, by: str, way: Way) -> Acknowledged:
    """Someone has it: no call to a provider begins after this commits. Raises NotFound.

    Those that began before are named. Whoever acknowledges what is acknowledged changes nothing.
    """
    page = held(tx, page_id)
    flying = tuple(notifications.in_flight(tx.conn, page.id))
    if page.state in (State.ACKNOWLEDGED, State.RESOLVED):
        return Acknowledged(page, changed=False, in_flight=flying)
    page = _rest(tx, page, State.ACKNOWLEDGED, tx.now + page.plan.acknowledged_for, by)
    pages.want(tx.conn, page.id, {by: "acknowledged it"} if by.startswith("user:") else {}, tx.now)
    pages.note_acknowledged(tx.conn, page.id, by, tx.now)
    say(tx, said.ACKNOWLEDGED, page, f"{by} acknowledged page {page.number}", person=by, way=way)
    crash_point("oncall.acknowledged")
    return Acknowledged(page, changed=True, in_flight=flying)


def acknowledge_key(tx: Tx, key: str, by: str, way: Way) -> Acknowledged | None:
    """The page of the open alert of a key is acknowledged; None when there is none."""
    found = alerts.find_open(tx.conn, key)
    return acknowledge(tx, found.page, by, way) if found and found.page else None


def _rest(tx: Tx, page: Page, state: State, until: datetime, by: str) -> Page:
    """Nothing more is sent until an instant: not what waits, and not what is tried again."""
    notifications.withdraw(tx.conn, page.id, tx.now)
    values = {"state": state, "until": until, "round": page.round + 1}
    if state is State.ACKNOWLEDGED:
        values |= {"acknowledged_by": by, "acknowledged_at": page.acknowledged_at or tx.now}
    return stepping.plan_next(tx, page, until, **values)


def snooze(tx: Tx, page_id: str, until: datetime, by: str) -> Page:
    """It can wait until an instant. Raises Invalid for one that is past or a month away."""
    page = _open_one(tx, page_id)
    if until <= tx.now or (until - tx.now).days > 31:  # noqa: PLR2004
        raise Invalid("a page can be snoozed until a time to come, within a month")
    page = _rest(tx, page, State.SNOOZED, until, by)
    words = f"{by} snoozed page {page.number} until {until:%Y-%m-%d %H:%M} UTC"
    say(tx, said.SNOOZED, page, words, person=by)
    return page


def reassign(tx: Tx, page_id: str, refs: Sequence[str], by: str, why: str) -> Page:
    """Others are asked instead: they are the one step of the page's plan from now on."""
    if not refs:
        raise Invalid("say to whom: a person, a group or a schedule")
    page = _open_one(tx, page_id)
    notifications.withdraw(tx.conn, page.id, tx.now)
    plan = escalation.reassigned(page.plan, refs)
    page = stepping.change(tx, page, plan=plan)
    words = f"{by} gave page {page.number} to {', '.join(refs)}{f': {why}' if why else ''}"
    say(tx, said.REASSIGNED, page, words, person=by, entities=tuple(refs))
    return stepping.go(tx, page, escalation.stages(plan, escalation.BEFORE, 0), loop=0)


def add_responder(tx: Tx, page_id: str, person: str, by: str, why: str) -> Page:
    """One more person is asked, also when someone has it already."""
    page = _open_one(tx, page_id)
    methods = stepping.methods_of(tx, [person])[person]
    reason = f"added by {by}{f': {why}' if why else ''}"
    page = stepping.change(tx, page)
    say(tx, said.ADDED, page, f"{by} asked {person} to help", person=person, entities=(person,))
    pages.want(tx.conn, page.id, {person: reason}, tx.now)
    if not methods:
        say(tx, said.UNREACHED, page, f"{person} has no contact method.", person=person)
        return page
    stepping.tell(tx, page, {person: (reason, methods)})
    return page


def resolve(tx: Tx, page_id: str, by: str, way: Way) -> Page:
    """It is over, and so are its alerts: said again, they are new ones."""
    alerts.hold_page(tx.conn, page_id)
    page = held(tx, page_id)
    if page.state is State.RESOLVED:
        return page
    alerts.clear_page(tx.conn, page.id, tx.now)
    return _close(tx, page, by, f"resolved by {by}", way, alerts_open=0)


def _close(tx: Tx, page: Page, by: str, words: str, way: str = "", **values: int) -> Page:
    notifications.withdraw(tx.conn, page.id, tx.now)
    closing = {"state": State.RESOLVED, "resolved_at": tx.now, "resolved_by": by or "system"}
    page = stepping.change(tx, page, next_at=None, until=None, **closing, **values)
    say(tx, said.RESOLVED, page, f"Page {page.number} is over: {words}", person=by, way=way)
    return page


def held(tx: Tx, page_id: str) -> Page:
    """A page that nobody else changes now. Raises NotFound."""
    page = pages.lock(tx.conn, page_id)
    if page is None:
        raise NotFound(f"there is no page {page_id}")
    return page


def _open_one(tx: Tx, page_id: str) -> Page:
    page = held(tx, page_id)
    if page.state is State.RESOLVED:
        raise Conflict(f"page {page.number} is over")
    return page


def step(tx: Tx, page_id: str, planned: datetime) -> Page | None:
    """What was planned for an instant is due; None when it is not planned any more.

    A page that someone had too long without resolving it is nobody's again, and goes on.
    """
    page = pages.lock(tx.conn, page_id)
    if page is None or not escalation.is_due(page, planned):
        return None
    if page.state is State.SNOOZED and planned - tx.now > NEARLY:  # the clock was set back
        stepping.due(tx, page, planned - tx.now)
        return None
    if page.state is State.ACKNOWLEDGED:
        words = f"Page {page.number} was acknowledged and not resolved in time."
        say(tx, said.UNACKNOWLEDGED, page, words, person=page.acknowledged_by)
    return stepping.go(tx, page, escalation.next_stages(page))


def look_after(tx: Tx) -> int:
    """See that each page whose step is late has its job; how many were late.

    There is one already, unless a person dropped it or a clock was set back meanwhile.
    """
    late = pages.overdue(tx.conn, tx.now - LATE, TOGETHER)
    for page in late:
        stepping.due(tx, page, timedelta())
    return len(late)


def put_off(tx: Tx, by: timedelta) -> int:
    """The clock was set forward: steps that were planned before wait as long as they were meant to.

    A page that is snoozed waits for a time of day, and is left alone.
    """
    found = pages.planned_before(tx.conn, tx.now - by / 2, MOST_OPEN)
    for page_id in found:
        page = pages.lock(tx.conn, page_id)
        if page and page.next_at and page.state in (State.OPEN, State.ACKNOWLEDGED):
            until = page.until and page.until + by
            stepping.plan_next(tx, page, page.next_at + by, until=until)
    return len(found)
