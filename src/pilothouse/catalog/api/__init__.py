"""The catalog over HTTP, as Backstage's clients expect it."""

from litestar import Router

from pilothouse.catalog.api import actions, entities, listing, locations

# One router for all: Litestar registers the handlers of a path again with each one that is added
# to it, and wraps synchronous ones once more each time, so that their answers are never awaited.
routes = [
    Router(
        "/", route_handlers=[*listing.routes, *entities.routes, *locations.routes, *actions.routes]
    )
]
