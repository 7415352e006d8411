"""Incidents for programs; each part of them lists its own routes."""

from __future__ import annotations

from pilothouse.incidents.api import incidents, postmortems

routes = [*incidents.routes, *postmortems.routes]
