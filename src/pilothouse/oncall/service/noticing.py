"""Telling people what is no page: that their shift begins, that something of theirs is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pilothouse.kernel.alerts.model import Urgency
from pilothouse.oncall.model.methods import Answer, Message, Method
from pilothouse.oncall.rules import choosing
from pilothouse.oncall.service import methods
from pilothouse.oncall.service.handing import Due

if TYPE_CHECKING:
    from datetime import datetime

    from pilothouse.kernel.tx import Tx

TELL = "oncall.tell"
MOST_TRIES = 4  # of one method
LONGEST_KEY, LONGEST_TITLE, LONGEST_BODY = 200, 300, 4000


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What one person is to be told, by the first of their methods that is taken."""

    person: str  # ref of a User
    title: str
    body: str
    path: str  # of a page of ours
    dedup_key: str  # letters, digits, - and _: the same for the same thing, which is told once
    kind: str = "notice"
    urgency: Urgency = "low"
    tried: tuple[str, ...] = ()  # methods that were refused
    failed: int = 0  # times that the next one failed


class Telling(msgspec.Struct, frozen=True):
    """A notice with the method that it goes by now."""

    notice: Notice
    method: Method
    message: Message


def notice(tx: Tx, wanted: Notice) -> None:
    """Have a person told of something: soon, and however often providers fail."""
    bounded = msgspec.structs.replace(
        wanted, title=wanted.title[:LONGEST_TITLE], body=wanted.body[:LONGEST_BODY]
    )
    payload: dict[str, Any] = msgspec.to_builtins(bounded)
    tx.enqueue(TELL, payload, key=bounded.dedup_key[:LONGEST_KEY])


def begin(tx: Tx, key: str, home: str, found: Notice) -> Telling | None:
    """What is to be sent now; None where the person has no (other) method."""
    known = methods.of(tx, [found.person])[found.person]
    chosen = choosing.stand_in(known, found.urgency, found.tried)
    method = methods.opened(tx, key, chosen.id, found.person) if chosen else None
    if method is None:
        return None
    message = Message(
        kind="shift" if found.kind == "shift" else "notice",
        dedup_key=found.dedup_key,
        title=found.title,
        body=found.body,
        url=home.rstrip("/") + found.path,
        urgency=found.urgency,
        person=found.person,
        at=tx.now,
    )
    return Telling(found, method, message)


def end(tx: Tx, one: Telling, answer: Answer) -> None:
    """Keep what was answered; what was not taken is tried again, or by the next method."""
    methods.answered(tx, one.method.id, answer)
    if answer.fine:
        return
    verdict = choosing.judge(answer, one.notice.failed + 1)
    if verdict.again_after is None or one.notice.failed + 1 >= MOST_TRIES:
        tried = (*one.notice.tried, one.method.id)
        notice(tx, msgspec.structs.replace(one.notice, tried=tried, failed=0))
        return
    again = msgspec.structs.replace(one.notice, failed=one.notice.failed + 1)
    payload: dict[str, Any] = msgspec.to_builtins(again)
    tx.enqueue(TELL, payload, key=again.dedup_key[:LONGEST_KEY], after=verdict.again_after)


def test_message(home: str, person: str, mark: str, at: datetime) -> Message:
    """What is sent to try a method out."""
    return Message(
        kind="test",
        dedup_key=f"test-{mark}",
        title="A test of Pilothouse",
        body="This is how a page reaches you. Say on your contact page that it arrived.",
        url=f"{home}/account/contact",
        urgency="low",
        person=person,
        at=at,
    )


def shift(tx: Tx, due: Due, note: str, mark: str) -> None:
    """The watch went over: those who have it now are told, with what the one before said."""
    for number, person in enumerate(one for one in due.after if one not in due.before):
        name = due.schedule.partition(":")[2]
        body = f"Since {due.at:%Y-%m-%d %H:%M} UTC you have the watch of {due.title}."
        if note:
            body += f"\nA note from the one before:\n{note}"
        notice(
            tx,
            Notice(
                person=person,
                kind="shift",
                title=f"You have the watch of {due.title}",
                body=body,
                path=f"/oncall/schedules/{name}",
                dedup_key=f"shift-{mark}-{number}",
            ),
        )
