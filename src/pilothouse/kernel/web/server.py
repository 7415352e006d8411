"""Runs the web application until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import uvicorn

from pilothouse.kernel.errors import Conflict
from pilothouse.kernel.settings import Settings
from pilothouse.kernel.web.access import require_sign_in
from pilothouse.kernel.web.edge import App
from pilothouse.kernel.web.live import Live

# Requests that are worked on at once; asyncio's own count, 6 on two cores, is for computing, and
# ours wait for the database too. Fewer than PostgreSQL's pool of connections has.
THREADS = 16
GRACE = 2  # seconds for requests in hand; without a bound, an open live page would keep us


class _Server(uvicorn.Server):
    """uvicorn's server, which ends live streams before it waits for connections to end."""

    def __init__(self, config: uvicorn.Config, live: Live, ending: Callable[[], None]) -> None:
        super().__init__(config)
        self.live = live
        self.ending = ending

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """End in order on SIGINT and SIGTERM; uvicorn would raise them again afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        told = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in told}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        pool = ThreadPoolExecutor(THREADS, thread_name_prefix="web")
        asyncio.get_running_loop().set_default_executor(pool)
        await super().startup(sockets)

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.ending()
        self.live.close()
        await super().shutdown(sockets)  # pyright: ignore[reportArgumentType]


def make(
    app: App, live: Live, settings: Settings, ending: Callable[[], None] = lambda: None
) -> uvicorn.Server:
    """A server for these settings, not yet running; `ending` is called when it begins to end.

    Raises Invalid when it would be reachable from elsewhere without sign-in.
    """
    require_sign_in(settings)
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
        proxy_headers=False,  # Edge asks the settings whom to believe
        http="httptools",
        loop="asyncio",
    )
    return _Server(config, live, ending)


def listen(settings: Settings) -> socket.socket:
    """Take the address before anything else is done.

    Raises Invalid as `require_sign_in`, Conflict when another program has the port.
    """
    require_sign_in(settings)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only on sockets that say they are TCP; with it every
    # second answer on a kept connection waits 40 ms for the client's acknowledgement.
    taken = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((settings.host, settings.port))
    except OSError as error:
        taken.close()
        raise Conflict(
            f"{settings.host}:{settings.port} cannot be used ({error.strerror}). Is another "
            "Pilothouse running? Choose another port with --port."
        ) from error
    taken.listen(2048)
    taken.set_inheritable(True)
    return taken
