"""Runs the web application until it is told to stop."""

from __future__ import annotations

import uvicorn

from pilothouse.kernel.settings import Settings
from pilothouse.kernel.web.access import require_loopback
from pilothouse.kernel.web.edge import App
from pilothouse.kernel.web.live import Live

GRACE = 2  # seconds for requests in hand; without a bound, an open live page would keep us


class _Server(uvicorn.Server):
    """uvicorn's server, which ends live streams before it waits for connections to end."""

    def __init__(self, config: uvicorn.Config, live: Live) -> None:
        super().__init__(config)
        self.live = live

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.live.close()
        await super().shutdown(sockets)  # pyright: ignore[reportArgumentType]


def make(app: App, live: Live, settings: Settings) -> uvicorn.Server:
    """A server for these settings, not yet running.

    Raises Invalid when it would be reachable from elsewhere without sign-in.
    """
    require_loopback(settings.host)
    config = uvicorn.Config(
        app,  # pyright: ignore[reportArgumentType]
        host=settings.host,
        port=settings.port,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=15,
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        http="httptools",
        loop="asyncio",
    )
    return _Server(config, live)
