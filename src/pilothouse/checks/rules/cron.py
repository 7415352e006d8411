"""Cron expressions, five fields as crontab(5), read as Debian's cron reads them.

A job at a time that the clocks jump over runs when they have jumped; one at a time that comes
twice runs once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo

from pilothouse.kernel.errors import Invalid

FIELDS = 5
LONGEST = 200
_ANY_LEAP_YEAR = datetime(2024, 1, 1, tzinfo=UTC)


def read(expression: str) -> None:
    """Raises Invalid, saying what is wrong, for what is no cron expression or never comes."""
    next(times(expression, _ANY_LEAP_YEAR, UTC))


def times(expression: str, after: datetime, zone: tzinfo) -> Iterator[datetime]:
    """The instants (UTC) after one at which it comes, by the clocks of a zone. Raises Invalid."""
    from cronsim import CronSim, CronSimError

    if len(expression) > LONGEST or len(expression.split()) != FIELDS:
        raise Invalid(f"{expression[:LONGEST]!r} has not the five fields of a cron expression")
    try:
        found = CronSim(expression, after.astimezone(zone))
        for at in found:
            yield at.astimezone(UTC)
    except CronSimError as error:
        raise Invalid(f"{expression!r} is no cron expression: {error}") from None
    raise Invalid(f"{expression!r} never comes")
