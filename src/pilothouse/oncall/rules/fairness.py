"""When a person is paged too often (docs/oncall.md says where the limits come from)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import msgspec

from pilothouse.oncall.model.watch import Telling

NIGHT_FROM, NIGHT_TO = 22, 7  # hours of the wall clock where the person's schedule is
TOGETHER = timedelta(hours=1)  # pages within it are one interruption
MOST_A_WEEK = 2.0  # interruptions that a person can bear for long
MOST_NIGHTS = 1.0  # nights a week


class Count(msgspec.Struct, frozen=True):
    """How one person was interrupted."""

    pages: int = 0
    interruptions: int = 0  # pages within an hour are one
    at_night: int = 0  # of the interruptions
    nights: int = 0  # in which they were woken
    a_week: float = 0.0  # interruptions
    nights_a_week: float = 0.0

    @property
    def too_many(self) -> str:
        """Why this is too much; "" where it is not."""
        if self.nights_a_week > MOST_NIGHTS:
            return f"woken in {self.nights_a_week:.1f} nights a week"
        if self.a_week > MOST_A_WEEK:
            return f"{self.a_week:.1f} interruptions a week"
        return ""


def counted(
    found: Sequence[Telling], zones: Mapping[str, ZoneInfo], weeks: int
) -> dict[str, Count]:
    """What each person was told of in so many weeks; a page counts once a person."""
    first: dict[str, dict[str, datetime]] = {}
    for one in found:
        pages = first.setdefault(one.person, {})
        pages[one.page] = min(one.at, pages.get(one.page, one.at))
    return {
        person: _count(sorted(pages.values()), zones.get(person, UTC), weeks)
        for person, pages in first.items()
    }


def _count(at: Sequence[datetime], zone: tzinfo, weeks: int) -> Count:
    began: list[datetime] = []
    for one in at:
        if not began or one - began[-1] >= TOGETHER:
            began.append(one)
    local = [one.astimezone(zone) for one in began]
    nightly = [one for one in local if one.hour >= NIGHT_FROM or one.hour < NIGHT_TO]
    nights = {(one - timedelta(hours=NIGHT_TO)).date() for one in nightly}
    return Count(
        len(at),
        len(began),
        len(nightly),
        len(nights),
        len(began) / weeks,
        len(nights) / weeks,
    )
