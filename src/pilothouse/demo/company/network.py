"""The ways from twelve places to the company: every byte takes as long as the distance says.

Each place has a loopback address of its own. What it opens there ends at the program of the same
port, or at the edge of the region that the place is in.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress

from pilothouse.demo.model import LOOPBACK, PLACES, REACHED, Company, Place, address_of

CHUNK = 65536
JITTER = 0.12  # share of a distance by which a way varies


def run(company: Company) -> None:
    """Open all ways."""
    asyncio.run(_open(company))


async def _open(company: Company) -> None:
    servers = [await _way(company, place, program) for place in PLACES for program in REACHED]
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def _way(company: Company, place: Place, program: str) -> asyncio.Server:
    to = place.edge_program if program == "cdn" else program
    distance = place.edge if program in ("cdn", "reviews") else place.distance

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        late = distance / 2000 * random.uniform(1, 1 + JITTER)  # noqa: S311  there, or back
        try:
            far, out = await asyncio.open_connection(LOOPBACK, company.ports[to])
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(_copy(reader, out, late), _copy(far, writer, late))

    return await asyncio.start_server(carry, address_of(place), company.ports[program], backlog=64)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, late: float) -> None:
    """Everything that comes, as much later; then the end."""
    with suppress(OSError):
        async for data in _read(reader):
            await asyncio.sleep(late)
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.close()


async def _read(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while data := await reader.read(CHUNK):
        yield data
