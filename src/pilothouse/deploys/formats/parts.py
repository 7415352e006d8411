"""What several formats share: times, bounded texts, statuses in others' words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pilothouse.deploys.model import Status

LONGEST_VERSION = 200
LONGEST_URL = 2000
LONGEST_NAME = 300
MOST_PATHS = 500
MOST_COMMITS = 100

WORDS = {
    "queued": Status.QUEUED,
    "pending": Status.QUEUED,
    "created": Status.QUEUED,
    "waiting": Status.QUEUED,
    "waiting_for_resource": Status.QUEUED,
    "scheduled": Status.QUEUED,
    "requested": Status.QUEUED,
    "in_progress": Status.IN_PROGRESS,
    "running": Status.IN_PROGRESS,
    "started": Status.IN_PROGRESS,
    "success": Status.SUCCEEDED,
    "succeeded": Status.SUCCEEDED,
    "failure": Status.FAILED,
    "failed": Status.FAILED,
    "error": Status.FAILED,
    "timed_out": Status.FAILED,
    "startup_failure": Status.FAILED,
    "inactive": Status.INACTIVE,
    "canceled": Status.INACTIVE,
    "cancelled": Status.INACTIVE,
    "rolled_back": Status.ROLLED_BACK,
}
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def time_of(value: Any) -> datetime | None:
    """A time in ISO 8601, in GitLab's "2021-04-28 21:50:00 +0200", or in seconds since 1970.

    None for anything else, and for a year that nobody deploys in.
    """
    at: datetime | None = None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            at = datetime.fromtimestamp(value, UTC)
        elif isinstance(value, str) and value:
            text = value.strip().replace(" UTC", "Z")
            if text.count(" ") == 2:  # noqa: PLR2004  date, time, zone
                text = "".join(text.rsplit(" ", 1))
            at = datetime.fromisoformat(text)
        if at is None:
            return None
        # The end of the last year there is, in a zone behind UTC, is no time in UTC.
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return at if _EARLIEST <= at <= _LATEST else None


def text_of(value: Any, longest: int = LONGEST_NAME) -> str:
    """A text without NULs, cut to a length; "" for what is none."""
    return value.replace("\0", "")[:longest].strip() if isinstance(value, str) else ""


def map_of(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object of this name; an empty one for what is none."""
    value = values.get(name)
    return value if isinstance(value, dict) else {}


def addresses_of(
    values: Mapping[str, Any], names: Sequence[str], otherwise: str
) -> tuple[str, ...]:
    """The addresses that a repository has under these names; the other one where it has none."""
    found = [text for name in names if (text := text_of(values.get(name), LONGEST_URL))]
    return tuple(found) or (otherwise,)


def first_line(value: Any) -> str:
    """The subject of a commit's message."""
    return text_of(value, LONGEST_NAME).partition("\n")[0]
