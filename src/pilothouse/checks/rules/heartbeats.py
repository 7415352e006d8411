"""Heartbeats: by when something should have called, and what it means that it did not."""

from __future__ import annotations

from datetime import datetime, timedelta

from pilothouse.checks.model.documents import Heartbeat
from pilothouse.checks.model.kept import Beat
from pilothouse.checks.model.verdicts import State, Verdict
from pilothouse.checks.rules import cron
from pilothouse.checks.rules.maintenance import zone
from pilothouse.kernel import durations, words

EARLY = timedelta(minutes=1)  # a clock that is fast calls a little before its time
SELDOM = timedelta(minutes=10)


def expected(heartbeat: Heartbeat, after: datetime) -> datetime:
    """When the next call is expected after one that came, or a run that began, at `after`.

    Raises Invalid for what is no cron expression, or never comes.
    """
    if heartbeat.period is not None:
        return after + durations.parse(heartbeat.period)
    coming = cron.times(heartbeat.cron or "", after, zone(heartbeat.time_zone))
    first = next(coming)
    if first - after > EARLY:
        return first
    second = next(coming)
    return second if second - first >= SELDOM else first


def due_at(heartbeat: Heartbeat, beat: Beat) -> datetime | None:
    """Later than this it is late; None before the first call: nobody has connected it yet.

    A run that has begun must end within `longest`, if the document says that. What ran on time
    but long is not late for that: with cron, the next time counts from its start.
    """
    began, ended = beat.began_at, beat.ended_at
    if began is None and ended is None:
        return None
    grace = durations.parse(heartbeat.grace)
    if began is not None and (ended is None or began > ended):
        if heartbeat.longest is not None:
            return began + durations.parse(heartbeat.longest)
        return expected(heartbeat, began) + grace
    last = began if began is not None and heartbeat.cron is not None else ended
    return expected(heartbeat, last or beat.made_at) + grace


def judge(heartbeat: Heartbeat, beat: Beat, now: datetime) -> Verdict:
    """The verdict on a heartbeat: it failed, it is late, it runs too long, or all is well."""
    due = due_at(heartbeat, beat)
    began, ended = beat.began_at, beat.ended_at
    if due is None:
        return Verdict(State.UNKNOWN, words="has not called yet")
    running = began is not None and (ended is None or began > ended)
    if now > due:
        return Verdict(State.FAILED, since=due, words=_late(heartbeat, beat, due, now), voting=1)
    if beat.failed and ended is not None:
        said = f"said at {_time(ended, now)} that it failed"
        return Verdict(State.FAILED, since=ended, words=said, voting=1)
    if running and began is not None:
        if ended is None:
            return Verdict(State.UNKNOWN, words=f"runs since {_time(began, now)}, the first time")
        return Verdict(State.HEALTHY, words=f"runs since {_time(began, now)}", voting=1)
    called = f"called at {_time(ended, now)}" if ended else ""
    return Verdict(
        State.HEALTHY, words=f"{called}; the next call is due by {_time(due, now)}", voting=1
    )


def _late(heartbeat: Heartbeat, beat: Beat, due: datetime, now: datetime) -> str:
    began, ended = beat.began_at, beat.ended_at
    if began is not None and (ended is None or began > ended) and heartbeat.longest is not None:
        return f"began at {_time(began, now)} and has not ended within {heartbeat.longest}"
    last = max(at for at in (began, ended) if at is not None)
    return f"late: expected by {_time(due, now)}, last heard of at {_time(last, now)}"


def _time(at: datetime, now: datetime) -> str:
    return f"{words.when(at, now)} UTC"
