"""Alert policies of OpenSLO as rules of burn rates."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pilothouse.objectives.model import documents as written
from pilothouse.objectives.model.objectives import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.objectives.model.objectives import Severity

PAGES = frozenset({"page", "critical", "high", "urgent", "sev1", "sev2", "p1", "p2"})
SHORTER = 12  # a short time is this part of the long one where none is said
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def rules_of(slo: written.Slo, find: Any) -> tuple[Rule, ...]:
    """Who is told when, by its own policies; none where the usual rules hold.

    `find(kind, name, struct)` looks documents up and raises what it must.
    """
    return tuple(_rule(one) for one in _conditions(slo, find))


def _conditions(slo: written.Slo, find: Any) -> Iterator[written.AlertCondition]:
    for named in slo.alert_policies or ():
        if isinstance(named, str):
            policy = find("alertpolicy", named, written.AlertPolicy)
        elif named.alert_policy_ref:
            policy = find("alertpolicy", named.alert_policy_ref, written.AlertPolicy)
        else:
            policy = named.spec
        for one in policy.conditions if policy and policy.alert_when_breaching else ():
            if one.condition_ref:
                yield find("alertcondition", one.condition_ref, written.AlertCondition)
            elif one.spec:
                yield one.spec


def _rule(said: written.AlertCondition) -> Rule:
    severity: Severity = "page" if said.severity.lower() in PAGES else "ticket"
    long = span(said.condition.lookback_window)
    after = said.condition.alert_after
    short = min(span(after), long) if after else max(long / SHORTER, timedelta(minutes=1))
    return Rule(severity=severity, long=long, short=short, factor=said.condition.threshold)


def span(text: str) -> timedelta:
    """A length of OpenSLO; a month counts 30 days."""
    number, unit = int(text[:-1]), text[-1]
    if unit in _UNITS:
        return timedelta(**{_UNITS[unit]: number})
    return timedelta(days={"M": 30, "Q": 91, "Y": 365}[unit] * number)
