"""The pages of on-call."""

from pilothouse.oncall.pages import acknowledging, contact, schedules

routes = [*schedules.routes, *contact.routes, *acknowledging.routes]
