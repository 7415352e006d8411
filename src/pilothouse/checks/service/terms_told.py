"""How a check is judged, in words."""

from __future__ import annotations

from pilothouse.checks.model.documents import Heartbeat
from pilothouse.checks.model.kept import Check
from pilothouse.kernel import durations
from pilothouse.kernel.words import counted, span


def judged(check: Check) -> list[tuple[str, str]]:
    """How it is judged, in words."""
    spec, verdict = check.said, check.said.verdict
    told = [("Alerts", _alerts(check)), ("Policy", spec.alert.policy or "the owner's")]
    if spec.heartbeat is not None:
        return [*_rhythm(spec.heartbeat), *told]
    where = spec.locations
    if isinstance(where, str):
        places = "all"
    elif isinstance(where, tuple):
        places = ", ".join(where)
    else:
        places = f"those in {', '.join(where.regions)}"
    quorum = verdict.quorum if isinstance(verdict.quorum, str) else f"{verdict.quorum} of them"
    return [
        ("Every", f"{_length(check, 'every')}, at most {_length(check, 'timeout')} long"),
        ("Locations", places),
        ("Agree", f"{quorum}, or all of a region"),
        ("Down", f"after {counted(verdict.down_after, 'visit')} in a row"),
        ("Up", f"after {counted(verdict.up_after, 'visit')} in a row"),
        *told,
    ]


def _alerts(check: Check) -> str:
    alerts = check.said.alert
    loud = alerts.urgency or ("high" if check.critical else "low")
    degraded = check.critical if alerts.degraded is None else alerts.degraded
    return f"{loud} urgency, {'failed and degraded' if degraded else 'failed only'}"


def _rhythm(beat: Heartbeat) -> list[tuple[str, str]]:
    """When it is to be called."""
    when = f"{beat.cron} ({beat.time_zone})" if beat.cron else f"each {beat.period}"
    rows = [("Called", when), ("Late", f"after {beat.grace} of grace")]
    return [*rows, ("At most", f"{beat.longest} long")] if beat.longest else rows


def _length(check: Check, field: str) -> str:
    return span(durations.parse(getattr(check.said, field)))
