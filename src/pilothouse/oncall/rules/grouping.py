"""Which alerts belong together, and which of them are silenced."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from pilothouse.oncall.model.intake import PERSON
from pilothouse.oncall.model.paging import Page, Signal, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from pilothouse.kernel.alerts.model import Urgency
    from pilothouse.oncall.model.paging import Silence

UNKNOWN = "unknown"  # the bundle of alerts of which nobody knows the entity
LONGEST = 400


def bundle_of(signal: Signal, systems: Mapping[str, Sequence[str]]) -> str:
    """What an alert has in common with others: its system, without one its entity."""
    if not signal.entity:
        return UNKNOWN
    if signal.entity.startswith("system:"):
        return signal.entity
    return min(systems.get(signal.entity, ()), default=signal.entity)


def open_key(bundle: str, signal: Signal, policy: str) -> str:
    """What two pages that are open cannot have in common.

    Alerts for a policy of their own, and rehearsals, are apart. `policy`: the one an alert names,
    where that is not its entity's anyway.
    """
    whole = f"{'drill ' if signal.drill else ''}{bundle}{f' {policy}' if policy else ''}"
    if len(whole) <= LONGEST:
        return whole
    return hashlib.sha256(whole.encode()).hexdigest()


def merged(signals: Iterable[Signal]) -> dict[str, tuple[Signal, int]]:
    """The last word on each key, how often it was said, and the highest urgency of all."""
    found: dict[str, tuple[Signal, int]] = {}
    for signal in signals:
        before, count = found.get(signal.key, (signal, 0))
        urgency = higher(before.urgency, signal.urgency)
        found[signal.key] = (msgspec.structs.replace(signal, urgency=urgency), count + 1)
    return found


def higher(one: Urgency, other: Urgency) -> Urgency:
    return "high" if "high" in (one, other) else "low"


def raises(page: Page, urgency: Urgency) -> bool:
    """Whether an alert of this urgency says more than the page has told."""
    return page.state is not State.RESOLVED and page.urgency == "low" and urgency == "high"


def silenced_by(signal: Signal, silences: Iterable[Silence], now: datetime) -> Silence | None:
    """The silence that keeps an alert from paging: the one that lasts longest.

    A person who presses Page is never silenced.
    """
    if signal.source == PERSON:
        return None
    holding = [one for one in silences if _lasts(one, now) and matches(one, signal)]
    return max(holding, key=lambda one: one.end, default=None)


def _lasts(silence: Silence, now: datetime) -> bool:
    return silence.ended_at is None and silence.start <= now < silence.end


def matches(silence: Silence, signal: Signal) -> bool:
    """Whether a silence is about an alert: its entity and all of its labels, as far as it says."""
    if not silence.entity and not silence.labels:
        return False
    if silence.entity and silence.entity != signal.entity:
        return False
    return all(signal.labels.get(name) == value for name, value in silence.labels.items())
