"""How much of a time a check was up, from its changes of state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from pilothouse.checks.model.verdicts import State

NOTHING = timedelta(0)
DAY = timedelta(days=1)


class Stretch(msgspec.Struct, frozen=True):
    """A state from one instant to another."""

    start: datetime
    end: datetime
    state: State

    @property
    def length(self) -> timedelta:
        return self.end - self.start


def stretches(
    before: State | None,
    changes: Sequence[tuple[datetime, State]],
    start: datetime,
    end: datetime,
) -> list[Stretch]:
    """The states between two instants; `before` is the one at `start`, changes are in order."""
    found: list[Stretch] = []
    state, since = before or State.UNKNOWN, start
    for at, now in changes:
        here = min(max(at, start), end)
        if now is state:
            continue
        if here > since:
            found.append(Stretch(since, here, state))
        state, since = now, here
    if end > since:
        found.append(Stretch(since, end, state))
    return found


def share(found: Sequence[Stretch]) -> float | None:
    """Of the time whose state is known, the share that was not failed; None where none is known."""
    known = sum((one.length for one in found if one.state is not State.UNKNOWN), NOTHING)
    failed = sum((one.length for one in found if one.state is State.FAILED), NOTHING)
    return 1 - failed / known if known else None


def within(found: Sequence[Stretch], start: datetime, end: datetime) -> list[Stretch]:
    """The parts of stretches that lie between two instants."""
    return [
        Stretch(max(one.start, start), min(one.end, end), one.state)
        for one in found
        if one.start < end and one.end > start
    ]


def by_day(found: Sequence[Stretch], first: datetime, days: int, least: timedelta) -> list[State]:
    """Of each day from `first` on, the worst state that it was in for longer than `least`."""
    lengths: list[dict[State, timedelta]] = [{} for _ in range(days)]
    for one in found:
        day = max((one.start - first) // DAY, 0)
        while day < days and (begin := first + day * DAY) < one.end:
            here = min(one.end, begin + DAY) - max(one.start, begin)
            lengths[day][one.state] = lengths[day].get(one.state, NOTHING) + here
            day += 1
    return [_worst(one, least) for one in lengths]


def _worst(lengths: Mapping[State, timedelta], least: timedelta) -> State:
    for state in (State.FAILED, State.DEGRADED, State.HEALTHY):
        if lengths.get(state, NOTHING) > least:
            return state
    return State.UNKNOWN


_BADNESS = (State.UNKNOWN, State.HEALTHY, State.DEGRADED, State.FAILED)  # the last one wins


def combined(several: Sequence[Sequence[Stretch]]) -> list[Stretch]:
    """What several checks of one thing say together: at each time the worst that is known."""
    edges = sorted({at for found in several for one in found for at in (one.start, one.end)})
    places = [0] * len(several)
    out: list[Stretch] = []
    for start, end in pairwise(edges):
        state = State.UNKNOWN
        for number, found in enumerate(several):
            while places[number] < len(found) and found[places[number]].end <= start:
                places[number] += 1
            if places[number] < len(found) and found[places[number]].start <= start:
                state = max(state, found[places[number]].state, key=_BADNESS.index)
        if out and out[-1].state is state and out[-1].end == start:
            out[-1] = Stretch(out[-1].start, end, state)
        else:
            out.append(Stretch(start, end, state))
    return out
