"""The pages of on-call."""

from pilothouse.oncall.pages import acknowledging, contact, paged, schedules, silences

routes = [
    *schedules.routes,
    *paged.routes,
    *silences.routes,
    *contact.routes,
    *acknowledging.routes,
]
