"""Where others ask on-call, and tell it."""

from pilothouse.oncall.api import alertmanager, calling_back, events_v2, watch

routes = [*watch.routes, *events_v2.routes, *alertmanager.routes, *calling_back.routes]
