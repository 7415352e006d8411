"""TCP: connects; sends and reads where the check says so."""

from __future__ import annotations

import time

from pilothouse.agent.connecting import Broken, Phases, connect
from pilothouse.agent.probing import seen_by
from pilothouse.agent.seen import Seen, Visit

MOST_READ = 65_536


async def probe(visit: Visit) -> Seen:
    """Visit once."""
    return await seen_by(visit, _look)


async def _look(visit: Visit, seen: Seen, phases: Phases) -> None:
    spec = visit.spec.tcp
    if spec is None:
        raise Broken("URL", "the check has no host", unable=True)
    wire = await connect(visit, spec.host, spec.port, spec.ip, phases)
    seen.address, seen.protocol = wire.address, "TCP"
    try:
        if spec.send:
            phases.now = "first_byte"
            await wire.write(spec.send.encode())
        if spec.read:
            began, phases.now = time.perf_counter(), "first_byte"
            data = await wire.read(MOST_READ)
            phases.ms["first_byte"] = (time.perf_counter() - began) * 1000
            if not data:
                raise Broken("conn", f"{spec.host} ended the connection without a word")
            seen.size = len(data)
            seen.values |= {"body": data, "size": len(data)}
    finally:
        wire.close()
