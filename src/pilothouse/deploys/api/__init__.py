"""Where deployments come in over HTTP."""

from pilothouse.deploys.api import hooks

routes = hooks.routes
