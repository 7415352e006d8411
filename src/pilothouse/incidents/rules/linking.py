"""Whether a page belongs to an incident that there is already."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

RELAPSE = timedelta(minutes=30)  # after it was resolved by itself, the same is the same


class About(msgspec.Struct, frozen=True):
    """An incident, as the rule sees it; the worst first."""

    id: str
    entities: frozenset[str]
    bundles: frozenset[str]  # systems of them
    resolved_at: datetime | None = None


def joins(entity: str, bundle: str, below: Collection[str], known: Sequence[About]) -> About | None:
    """The open incident that a page for an entity belongs to.

    One about the same entity; else about the same system; else about something that the entity
    depends on, in at most two steps (`below`).
    """
    same = [one for one in known if entity in one.entities]
    near = [one for one in known if bundle in one.bundles or bundle in one.entities]
    under = [one for one in known if one.entities.intersection(below)]
    return next(iter((*same, *near, *under)), None)


def why(entity: str, bundle: str, one: About) -> str:
    """By which of these rules."""
    if entity in one.entities:
        return "by rule: the same entity"
    if bundle in one.bundles or bundle in one.entities:
        return "by rule: the same system"
    return "by rule: it depends on what this incident is about"


def relapse(entity: str, known: Sequence[About], now: datetime) -> About | None:
    """The incident about the same entity that was over a moment ago."""
    return next(
        (
            one
            for one in known
            if entity in one.entities
            and one.resolved_at is not None
            and now - one.resolved_at <= RELAPSE
        ),
        None,
    )
