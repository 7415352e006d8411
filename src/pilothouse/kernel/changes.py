"""Changes: the words for what was different afterwards, which any module may tell of.

A module that writes events about changes says how they are read (`Module.changes`); what changed is
then asked of the journal by the entities of an incident.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Kind = Literal[
    "deployment", "flag", "config", "catalog", "schedule", "data", "maintenance", "vendor", "other"
]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was different afterwards, from the journal."""

    id: str  # of its event
    at: datetime  # when it took effect
    kind: Kind
    entities: tuple[str, ...]
    title: str  # "Deploy payments-api 2026.11.23-1"
    by: str = ""
    href: str = ""  # its evidence: diff, commits, deploy log
    detail: str = ""  # environment, regions, status
    size: int | None = None  # commits or lines; None: not known
    same: str = ""  # what makes two changes the same one in several places: version, flag's value
    undoes: str = ""  # id of the change that it took back
    undone_at: datetime | None = None  # when it was taken back itself
    failed: bool = False  # it did not take effect, or only in part
    back: str = ""  # what its way back is called: "See 2026.11.20-3, which ran before"
    back_href: str = ""
    regions: tuple[str, ...] = ()  # where it took effect; none: everywhere, or not known
