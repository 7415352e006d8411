"""What a word about a deployment changes, and what then runs."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from pilothouse.deploys.model import GOING_ON, WENT_LIVE, Status

_RANK = {
    Status.QUEUED: 0,
    Status.IN_PROGRESS: 1,
    Status.FAILED: 2,
    Status.SUCCEEDED: 3,
    Status.INACTIVE: 4,
    Status.ROLLED_BACK: 5,
}


def moves(old: Status, old_at: datetime, new: Status, new_at: datetime) -> bool:
    """Whether a word about a deployment changes its status.

    Words come late, twice and out of order: the newer one counts, of two at one time the one that
    is further on. What failed or was rolled back does not become inactive, and what ran stays
    something that ran.
    """
    if new is old or old is Status.ROLLED_BACK:
        return False
    if old in WENT_LIVE and new in GOING_ON | {Status.FAILED}:
        return False
    if old is Status.FAILED and new is Status.INACTIVE:
        return False
    if new_at == old_at:
        return _RANK[new] > _RANK[old]
    return new_at > old_at


def is_rollback(version: str, commit: str, before: tuple[tuple[str, str], ...]) -> bool:
    """Whether bringing this takes back what runs: `before` is what runs, then what ran before it.

    Each a version and a commit. The same again is no rollback.
    """
    if len(before) < 2:  # noqa: PLR2004  what runs, and one that ran before it
        return False
    return not _same(version, commit, before[0]) and any(
        _same(version, commit, one) for one in before[1:]
    )


def _same(version: str, commit: str, other: tuple[str, str]) -> bool:
    if commit and other[1]:
        return commit == other[1]
    return bool(version) and version == other[0]


def monday(at: datetime) -> str:
    """The ISO week (ISO 8601: from Monday on, in UTC) as the date of its Monday."""
    day = at.date()
    return (day - timedelta(days=day.weekday())).isoformat()


def week_name(week: str) -> str:
    """The ISO week of a Monday as the standard writes it: "2026-W48"."""
    year, number, _ = date.fromisoformat(week).isocalendar()
    return f"{year}-W{number:02}"


def lead(commit_at: datetime | None, live_at: datetime | None) -> int | None:
    """Seconds from commit to live; None where one of them is unknown, or the clocks disagree."""
    if commit_at is None or live_at is None:
        return None
    seconds = int((live_at - commit_at).total_seconds())
    return seconds if seconds >= 0 else None
