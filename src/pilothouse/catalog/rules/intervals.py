"""How often to look at a source that cannot tell when it changes."""

from __future__ import annotations


def next_interval(present: int, *, changed: bool, shortest: int, longest: int) -> int:
    """Seconds until the next look: half as long after a change, one and a half as long without.

    A repository that changes twice an hour is soon looked at every minute or two, one that rests
    for days once an hour.
    """
    wanted = present // 2 if changed else present + present // 2
    return max(shortest, min(longest, wanted))
