"""Incidents for programs; each part of them lists its own routes."""

from __future__ import annotations

from litestar import Router

from pilothouse.incidents.api import deeds, incidents, postmortems

routes = [
    Router("/api/incidents", route_handlers=[*incidents.handlers, *deeds.handlers]),
    *postmortems.routes,
]
