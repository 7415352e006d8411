"""The words for trouble that all modules share."""

from __future__ import annotations

from typing import Literal

import msgspec

RAISED, CLEARED = "alerts.raised", "alerts.cleared"  # types of events

Urgency = Literal["high", "low"]


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Something that somebody should hear of."""

    key: str  # the same for the same trouble: "checks:check:default/checkout-pay"
    source: str  # the module, "checks"
    entity: str  # ref of what is in trouble
    summary: str  # one sentence: thing, state, place, since
    detail: str = ""  # why, in words
    urgency: Urgency = "low"
    policy: str = ""  # ref of an escalation policy; "": the owner's
    href: str = ""  # path of ours where one sees more
