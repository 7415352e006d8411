"""Whether this agent's own network works: can it reach what its location says must be reachable?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from pilothouse.agent.connecting import Broken, Phases, connect
from pilothouse.agent.exchange import parsed
from pilothouse.agent.seen import Visit
from pilothouse.checks.model.documents import CheckSpec

SECONDS = 5.0
AGAIN = 1.0  # seconds until it is tried once more: one lost packet is no finding


async def failed(targets: Sequence[str], allowed: Callable[[str, int], bool]) -> tuple[str, ...]:
    """Those of the targets to which no connection comes about, twice."""
    first = await _unreached(targets, allowed)
    if not first:
        return ()
    await asyncio.sleep(AGAIN)
    return await _unreached(first, allowed)


async def _unreached(
    targets: Sequence[str], allowed: Callable[[str, int], bool]
) -> tuple[str, ...]:
    found = await asyncio.gather(*(_reached(target, allowed) for target in targets))
    return tuple(target for target, reached in zip(targets, found, strict=True) if not reached)


async def _reached(target: str, allowed: Callable[[str, int], bool]) -> bool:
    """A connection is enough, of TLS where the address says https."""
    until = asyncio.get_running_loop().time() + SECONDS
    visit = Visit("", CheckSpec(entity=""), until, allowed)
    try:
        url = parsed(target)
        wire = await connect(visit, url.host, url.port, "any", Phases())
        try:
            if url.scheme == "https":
                await wire.encrypt(url.host)
        finally:
            wire.close()
    except Broken as error:
        return error.unable  # an address that it may not visit says nothing of its network
    return True
