"""What every probe does around its own protocol: time, and what is said when it breaks off."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from pilothouse.agent import certificates
from pilothouse.agent.connecting import Broken, Phases, Wire
from pilothouse.agent.seen import Seen, Visit
from pilothouse.kernel import clock

Look = Callable[[Visit, Seen, Phases], Awaitable[None]]


async def seen_by(visit: Visit, look: Look) -> Seen:
    """What a look at it saw; it writes into what it is given, and may raise Broken."""
    seen, phases = Seen(), Phases()
    began = time.perf_counter()
    try:
        await look(visit, seen, phases)
    except Broken as error:
        seen.fault, seen.reason, seen.unable = error.fault, error.reason, error.unable
    except (ValueError, LookupError) as error:  # an answer that nobody foresaw
        seen.fault, seen.reason = "fail", f"the answer cannot be read: {error}"
    # A probe may look on after its visit is over: how long that took is its own affair.
    seen.total = seen.total or (time.perf_counter() - began) * 1000
    seen.phases = phases.ms
    return seen


def connected(seen: Seen, wire: Wire) -> None:
    """What a connection tells of the other side."""
    seen.address = wire.address
    if wire.certificate is not None:
        seen.certificate = wire.certificate
        with suppress(ValueError):
            seen.values["tls"] = certificates.values(wire.certificate, wire.cipher, clock.now())
