"""The pages of on-call."""

from pilothouse.oncall.pages import paged, schedules, silences

routes = [*schedules.routes, *paged.routes, *silences.routes]
