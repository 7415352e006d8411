"""Where pages tell how they felt."""

from pilothouse.vitals.api.beacons import routes

__all__ = ["routes"]
