"""Where agents and heartbeats come in."""

from pilothouse.checks.api import agents, evidence, hooks

routes = [*agents.routes, *evidence.routes, *hooks.routes]
