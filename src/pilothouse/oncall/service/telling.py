"""Notifications, one call to a provider at a time: begun, answered, followed by the next.

The call itself is between `begin` and `end`, in no transaction. Both hold the page: what begins
after an acknowledgement committed does not begin.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.faults import crash_point
from pilothouse.oncall.model.methods import Answer, Message
from pilothouse.oncall.model.paging import (
    NOTIFIED,
    UNREACHED,
    Attempt,
    Call,
    Notification,
    Page,
    Progress,
    State,
)
from pilothouse.oncall.rules import choosing, words
from pilothouse.oncall.service import stepping
from pilothouse.oncall.service.saying import say
from pilothouse.oncall.store import alerts, notifications, pages

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

OPEN = (Progress.WAITING, Progress.SENDING)
MOST_WORDS = 1000


def begin(tx: Tx, notification_id: str) -> Call | None:
    """What a provider is to be told now; None where nobody is to be told any more.

    One whose call began and never ended is begun again, with the same dedup key.
    """
    asked = notifications.find(tx.conn, notification_id)
    page = pages.lock(tx.conn, asked.page) if asked else None
    found = notifications.find(tx.conn, notification_id)  # as it is now that the page is held
    if page is None or found is None or found.progress not in OPEN:
        return None
    if not _may_be_sent(page, found):
        values = {"progress": Progress.WITHDRAWN, "ended_at": tx.now}
        notifications.change(tx.conn, found, among=OPEN, **values)
        return None
    attempt = found.attempts + 1
    values = {"progress": Progress.SENDING, "attempts": attempt, "sent_at": tx.now}
    if not notifications.change(tx.conn, found, among=OPEN, **values):
        return None
    crash_point("oncall.sending")
    return Call(
        notification=msgspec.structs.replace(found, **values),
        page=page,
        message=_message(tx, page, found),
        attempt=attempt,
    )


def _may_be_sent(page: Page, found: Notification) -> bool:
    """While nobody has the page; then only to those who were asked for since."""
    if page.state is State.RESOLVED:
        return False
    return page.state is State.OPEN or found.round == page.round


def _message(tx: Tx, page: Page, found: Notification) -> Message:
    contents = contents_of(tx, page)
    again = found.round > 1
    return Message(
        kind="repeat" if again else "page",
        dedup_key=found.dedup_key,
        title=words.title(page, contents, again=again and "again" in found.why),
        body=words.body(page, contents, found.why, tx.now),
        url=f"/oncall/pages/{page.number}",
        urgency=page.urgency,
        person=found.person,
        at=tx.now,
        number=page.number,
        drill=page.drill,
    )


def body_of(tx: Tx, page: Page) -> str:
    """What is in a page now, in a few lines."""
    return words.body(page, contents_of(tx, page), "", tx.now)


def contents_of(tx: Tx, page: Page) -> words.Contents:
    """What is in a page now."""
    counts = alerts.counts(tx.conn, page.id)
    first = [one.signal.summary for one in alerts.of_page(tx.conn, page.id, words.FIRST)]
    return words.Contents(
        total=sum(count for _, count in counts),
        counts=tuple(counts[: words.ENTITIES]),
        others=max(len(counts) - words.ENTITIES, 0),
        first=tuple(first) or (page.summary,),
    )


def end(tx: Tx, notification_id: str, answer: Answer) -> Notification | None:
    """Keep what a provider answered, and see that somebody else is told if it did not take it."""
    asked = notifications.find(tx.conn, notification_id)
    page = pages.lock(tx.conn, asked.page) if asked else None
    found = notifications.find(tx.conn, notification_id)
    if page is None or found is None:
        return None
    _note(tx, found, answer)
    crash_point("oncall.sent")
    if answer.fine:
        _delivered(tx, page, found, answer)
    elif found.progress is Progress.SENDING:
        _failed(tx, page, found, answer)
    return notifications.find(tx.conn, notification_id)


def _note(tx: Tx, found: Notification, answer: Answer) -> None:
    began = found.sent_at or tx.now
    attempt = Attempt(
        id=uuid7(),
        notification=found.id,
        page=found.page,
        at=began,
        took=max((tx.now - began).total_seconds(), 0.0),
        fine=answer.fine,
        status=answer.status,
        answer=answer.words[:MOST_WORDS],
    )
    notifications.attempt(tx.conn, attempt)


def _delivered(tx: Tx, page: Page, found: Notification, answer: Answer) -> None:
    """Also one that was withdrawn while its call was on the way: it did arrive."""
    values = {
        "progress": Progress.DELIVERED,
        "ended_at": tx.now,
        "status": answer.status,
        "answer": answer.words[:MOST_WORDS],
    }
    among = (*OPEN, Progress.WITHDRAWN)
    if not notifications.change(tx.conn, found, among=among, **values):
        return
    pages.note_told(tx.conn, page.id, found.person)
    pages.note_reached(tx.conn, page.id, found.person, tx.now)
    notifications.withdraw_tried(tx.conn, found, tx.now)
    told = f"{found.person} was told by {found.channel} ({found.to})"
    say(tx, NOTIFIED, page, told, person=found.person)


def _failed(tx: Tx, page: Page, found: Notification, answer: Answer) -> None:
    verdict = choosing.judge(answer, found.attempts)
    may = _may_be_sent(page, found)
    values = {"status": answer.status, "answer": answer.words[:MOST_WORDS]}
    if not may:
        values |= {"progress": Progress.WITHDRAWN, "ended_at": tx.now}
    elif verdict.again_after is None:
        values |= {"progress": Progress.FAILED, "ended_at": tx.now}
    else:
        values |= {"progress": Progress.WAITING, "due_at": tx.now + verdict.again_after}
        job = {"notification": found.id}
        tx.enqueue(stepping.DELIVER, job, key=found.id, after=verdict.again_after)
    notifications.change(tx.conn, found, among=(Progress.SENDING,), **values)
    if may and verdict.next_method:
        _next(tx, page, found, given_up=verdict.again_after is None)


def _next(tx: Tx, page: Page, found: Notification, *, given_up: bool) -> None:
    """The person's next method now; when there is none, the page's next step."""
    together = notifications.of_round(tx.conn, page.id, found.round)
    mine = [one for one in together if one.person == found.person]
    if any(one.progress is Progress.DELIVERED for one in mine):
        return
    unbegun = [one for one in mine if one.progress is Progress.WAITING and not one.attempts]
    if unbegun:  # planned for later: its time is now
        sooner = min(unbegun, key=lambda one: (one.due_at, one.id))
        notifications.change(tx.conn, sooner, among=(Progress.WAITING,), due_at=tx.now)
        tx.enqueue(stepping.DELIVER, {"notification": sooner.id}, key=sooner.id)
        return
    methods = stepping.methods_of(tx, [found.person])[found.person]
    tried = {one.method for one in mine}
    if method := choosing.stand_in(methods, page.urgency, tried):
        held = msgspec.structs.replace(page, round=found.round)
        made = stepping.notification(tx, held, method, found.why, timedelta())
        stepping.send(tx, [made])
        return
    if given_up and not any(one.progress in OPEN and one.id != found.id for one in mine):
        _unreached(tx, page, found, together)


def _unreached(tx: Tx, page: Page, found: Notification, together: list[Notification]) -> None:
    """A person could not be told by anything; if so nobody of the round was, on with the page."""
    why = f"{found.person} could not be reached: no method was taken by its provider."
    say(tx, UNREACHED, page, why, person=found.person, entities=(found.person,))
    hope = (*OPEN, Progress.DELIVERED)
    if any(one.progress in hope and one.id != found.id for one in together):
        return
    if found.round == page.round and page.state is State.OPEN:
        stepping.plan_next(tx, page, tx.now)
