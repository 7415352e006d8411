"""Which of a person's methods, when, and what follows a provider's answer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.kernel.jobs.rules import back_off
from pilothouse.oncall.model.methods import Method

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pilothouse.kernel.alerts.model import Urgency
    from pilothouse.oncall.model.methods import Answer

MOST_TRIES = 6  # of one notification
IN_TIME = timedelta(seconds=10)  # a wait that is longer is not waited for alone
SECOND = 2  # failures after which the next method is asked meanwhile


class Chosen(msgspec.Struct, frozen=True):
    """A method to be used so long after the page, unless somebody has it by then."""

    method: Method
    after: timedelta


def usable(methods: Sequence[Method], urgency: Urgency) -> list[Method]:
    """Methods in their order that take this urgency; if none does, all: better so than nobody."""
    ordered = sorted(methods, key=lambda one: (one.place, one.id))
    return [one for one in ordered if one.takes(urgency)] or ordered


def chosen(methods: Sequence[Method], urgency: Urgency) -> list[Chosen]:
    """The first method of each delay. The others stand by, for when one fails."""
    found: dict[int, Chosen] = {}
    fine = sorted(usable(methods, urgency), key=lambda one: (one.failing_since is not None,))
    for one in fine:
        found.setdefault(one.after, Chosen(one, timedelta(seconds=one.after)))
    if not found:
        return []
    delays = sorted(found)
    first = delays[0]  # whatever its delay is, somebody who is paged hears of it at once
    return [
        msgspec.structs.replace(found[each], after=timedelta(seconds=each - first))
        for each in delays
    ]


def stand_in(methods: Sequence[Method], urgency: Urgency, tried: Collection[str]) -> Method | None:
    """The next method of a person of whom these were tried."""
    for one in usable(methods, urgency):
        if one.id not in tried:
            return one
    return None


class Verdict(msgspec.Struct, frozen=True):
    """What follows an answer that was not fine."""

    again_after: timedelta | None  # None: given up
    next_method: bool  # the next one is asked now


def judge(answer: Answer, attempts: int, jitter: float | None = None) -> Verdict:
    """Whether to try again, and whether to wait for that alone. `attempts`: with this one."""
    if answer.hopeless or attempts >= MOST_TRIES:
        return Verdict(None, next_method=True)
    wait = max(back_off(attempts, jitter), timedelta(seconds=answer.retry_after))
    return Verdict(wait, next_method=wait > IN_TIME or attempts >= SECOND)
