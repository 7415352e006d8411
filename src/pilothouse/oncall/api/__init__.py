"""Where others ask on-call, and tell it."""

from pilothouse.oncall.api import alertmanager, events_v2, watch

routes = [*watch.routes, *events_v2.routes, *alertmanager.routes]
