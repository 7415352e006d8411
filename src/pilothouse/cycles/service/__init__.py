"""What can be done with the calendar."""

from pilothouse.cycles.service.asking import calendar_of, calendars

__all__ = ["calendar_of", "calendars"]
