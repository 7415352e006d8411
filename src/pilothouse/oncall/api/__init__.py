"""Where others ask on-call, and tell it."""

from pilothouse.oncall.api import calling_back, watch

routes = [*watch.routes, *calling_back.routes]
