"""The pages of on-call."""

from pilothouse.oncall.pages import schedules

routes = [*schedules.routes]
