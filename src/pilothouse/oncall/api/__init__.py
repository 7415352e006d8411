"""Where others ask on-call, and tell it."""

from pilothouse.oncall.api import watch

routes = [*watch.routes]
