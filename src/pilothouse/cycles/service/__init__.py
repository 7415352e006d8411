"""What can be done with the calendar."""

from pilothouse.cycles.rules import beginning, end_of_sprints, today, working_days_after
from pilothouse.cycles.service.asking import calendar_of, calendars

__all__ = [
    "beginning",
    "calendar_of",
    "calendars",
    "end_of_sprints",
    "today",
    "working_days_after",
]
