"""What an action item may be, when it is asked for, and when it is escalated.

An item is escalated at the end of the second sprint after its post-mortem was published. That
instant is set once, at publication: no deadline, cadence or merge moves it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from pilothouse.incidents.model.postmortems import MOST_ACTIONS, Action, State
from pilothouse.kernel.errors import Conflict, Invalid

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

SPRINTS = 2  # after publication
LONGEST_TITLE, LONGEST_PROOF, LONGEST_WHY = 200, 500, 1000
BEFORE = (7, 3, 1)  # days before a deadline on which its owner is reminded
WEEK = 7
DAY = timedelta(days=1)
WAYS: dict[State, frozenset[State]] = {
    State.OPEN: frozenset({State.DONE, State.DEPRIORITIZED, State.ESCALATED}),
    State.ESCALATED: frozenset({State.DONE, State.DEPRIORITIZED}),
    State.DONE: frozenset(),
    State.DEPRIORITIZED: frozenset(),
}
FULL = (
    f"A post-mortem has at most {MOST_ACTIONS} action items, and a dropped one keeps its place. "
    "What is most worth doing stands there; keep this thought as a note in the text."
)


def line(words: str, longest: int, what: str) -> str:
    """One line of text. Raises Invalid where there is none, or too much."""
    words = " ".join(words.replace("\0", "").split())
    if not words:
        raise Invalid(f"An action item needs {what}.")
    if len(words) > longest:
        raise Invalid(f"{what.capitalize()} has at most {longest} characters; this has more.")
    return words


def free_slot(taken: Collection[int]) -> int:
    """The first slot that nothing was ever put in. Raises Conflict when there is none."""
    for slot in range(1, MOST_ACTIONS + 1):
        if slot not in taken:
            return slot
    raise Conflict(FULL)


def check_deadline(due_on: date, today: date, ends: date) -> None:
    """Raises Invalid for a day that is over, or on which the two sprints are over (`ends`)."""
    if due_on < today:
        raise Invalid(f"{due_on} is over: an action item is due today or later.")
    if due_on >= ends:
        raise Invalid(
            f"{due_on} is too late: two sprints after publication, on {ends}, what is not done is "
            f"escalated whatever its deadline. {ends - DAY} is the last day that can be chosen."
        )


def check_addition(escalates_at: datetime | None, now: datetime) -> None:
    """Raises Conflict once the two sprints are over: a new item would begin them anew."""
    if escalates_at is not None and now >= escalates_at:
        raise Conflict(
            "The two sprints of this post-mortem are over: no action item can be added. "
            "Keep the thought as a note in the text."
        )


def check_way(before: State, after: State) -> None:
    """Raises Conflict where an item cannot become that: what was closed stays closed."""
    if after not in WAYS[before]:
        raise Conflict(f"This action item is {before.value}; it cannot become {after.value}.")


def is_due(action: Action, now: datetime) -> bool:
    """Whether it is to be escalated now."""
    at = action.escalates_at
    return action.state is State.OPEN and at is not None and now >= at


def reminder(action: Action, today: date, ends: date | None) -> str:
    """Which reminder an item is at: each is given once; "" for none.

    A week, three days and a day before its deadline, on it, and every week after; a week before it
    is escalated; every week afterwards until it is done or dropped.
    """
    if action.state is State.ESCALATED:
        since = action.escalated_at.date() if action.escalated_at else today
        weeks = (today - since).days // WEEK
        return f"escalated {weeks}" if weeks > 0 else ""
    if action.state is not State.OPEN:
        return ""
    left = (action.due_on - today).days
    if left < 0:
        if ends is not None and (ends - today).days <= WEEK:
            return f"last week {-left // WEEK}"
        return f"over {-left // WEEK}"
    if left == 0:
        return "today"
    near = [days for days in BEFORE if left <= days]
    return f"{min(near)} before" if near else ""


def told(owner: str, lead: Sequence[str], owners: Sequence[str]) -> tuple[str, ...]:
    """Whom an escalation is told: who has the item, the team's lead, the owner of the service."""
    return tuple(dict.fromkeys(one for one in (owner, *lead, *owners) if one))


def lead_of(
    groups: Sequence[str], leads: dict[str, str], parents: dict[str, list[str]], deepest: int = 10
) -> str:
    """The lead of the nearest group that has one, upward; "" where none has."""
    seen: set[str] = set()
    level = [one for one in groups if one]
    for _ in range(deepest):
        for group in level:
            if leads.get(group):
                return leads[group]
        seen |= set(level)
        above = [up for group in level for up in parents.get(group, ())]
        level = [one for one in dict.fromkeys(above) if one not in seen]
    return ""
