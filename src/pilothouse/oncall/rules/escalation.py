"""What a page does next: which step of its plan, for how long, and when it is over.

A page goes through its plan's steps, again as often as the plan repeats them, and then stays with
the last resort, who is told again and again until someone has it. `step` is the index of the step
that is waited for; that of the last resort is one past the last step.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from pilothouse.oncall.model.paging import Page, Plan, Rung, State, Who

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Kind = Literal["step", "repeat", "last resort"]

BEFORE = -1  # the step before the first
AGAIN = 48  # times that the last resort is told again: a day, where each is given half an hour
SHORTEST = timedelta(seconds=1)
DEFAULT_WAIT = timedelta(minutes=5)


class Stage(msgspec.Struct, frozen=True):
    """A place in a plan."""

    step: int
    loop: int
    kind: Kind

    def words(self, plan: Plan) -> str:
        """How people call it: "step 2", "step 1, again", "last resort"."""
        if self.kind == "last resort":
            return "last resort"
        again = ", again" if self.loop else ""
        return f"step {self.step + 1} of {len(plan.rungs)}{again}"


def stages(plan: Plan, step: int, loop: int) -> tuple[Stage, ...]:
    """Where a page can go from a step, in the order that is tried; () when it was everywhere.

    After the rest of this pass one whole pass, if there is one more, and then the last resort:
    who was not to be had in a whole pass is not looked for in the next ones.
    """
    last = len(plan.rungs)
    if step >= last:
        over = loop >= plan.repeat + AGAIN
        return () if over else (Stage(last, loop + 1, "last resort"),)
    kind: Kind = "repeat" if loop else "step"
    rest = [Stage(index, loop, kind) for index in range(step + 1, last)]
    if loop < plan.repeat and last:
        rest += [Stage(index, loop + 1, "repeat") for index in range(last)]
    return (*rest, Stage(last, loop, "last resort"))


def from_here(page: Page) -> tuple[Stage, ...]:
    """Where a page goes that is taken up again: where it stood, or its beginning after the end."""
    if page.round == 0:
        return stages(page.plan, BEFORE, 0)
    if page.step >= len(page.plan.rungs):
        return (*stages(page.plan, BEFORE, page.plan.repeat),)
    return stages(page.plan, page.step - 1, page.loop)


def onward(page: Page) -> tuple[Stage, ...]:
    """Where a page goes when nobody has taken it in time."""
    return stages(page.plan, page.step, page.loop) if page.round else from_here(page)


def next_stages(page: Page) -> tuple[Stage, ...]:
    """What is due at a page's `next_at`: on with it, or up with it again."""
    match page.state:
        case State.OPEN:
            return onward(page)
        case State.ACKNOWLEDGED | State.SNOOZED:
            return from_here(page)
        case State.RESOLVED:
            return ()


def who(plan: Plan, stage: Stage) -> tuple[Who, ...]:
    """Whom a stage means."""
    return plan.last_resort if stage.kind == "last resort" else plan.rungs[stage.step].notify


def wait(plan: Plan, stage: Stage) -> timedelta:
    """How long a stage's people are waited for."""
    if stage.kind == "last resort":
        return max(plan.acknowledged_for, SHORTEST)
    return max(plan.rungs[stage.step].wait, SHORTEST)


def choose(candidates: Sequence[Stage], reaches: Callable[[Stage], bool]) -> Stage | None:
    """The first stage that reaches somebody; without one the last resort, to be tried again."""
    for stage in candidates:
        if reaches(stage):
            return stage
    return candidates[-1] if candidates else None


def is_due(page: Page, meant: datetime | None) -> bool:
    """Whether what was planned for an instant is still what is planned.

    The queue's clock says when; a clock that was set says nothing about the order of things.
    """
    return page.next_at is not None and page.next_at == meant and page.state is not State.RESOLVED


def reassigned(plan: Plan, to: Sequence[str]) -> Plan:
    """The plan of a page that was handed to others: they are its one step."""
    wait_for = plan.rungs[0].wait if plan.rungs else DEFAULT_WAIT
    rungs = (Rung(tuple(Who(ref) for ref in to), wait_for),)
    return msgspec.structs.replace(plan, rungs=rungs)
