"""TLS: a handshake; the chain, the host name, how long the certificate is good for."""

from __future__ import annotations

import time
from contextlib import suppress

from pilothouse.agent.connecting import Broken, Phases, connect
from pilothouse.agent.probing import connected, seen_by
from pilothouse.agent.seen import Seen, Visit
from pilothouse.checks.model.documents import Tls


async def probe(visit: Visit) -> Seen:
    """Visit once."""
    return await seen_by(visit, _look)


async def _look(visit: Visit, seen: Seen, phases: Phases) -> None:
    spec = visit.spec.tls
    if spec is None:
        raise Broken("URL", "the check has no host", unable=True)
    began = time.perf_counter()
    try:
        await _shake_hands(visit, spec, seen, phases, verify=True)
    except Broken as error:
        seen.total = (time.perf_counter() - began) * 1000
        if error.fault == "TLS":  # what was shown that is not accepted?
            with suppress(Broken):
                await _shake_hands(visit, spec, seen, Phases(), verify=False)
        raise


async def _shake_hands(
    visit: Visit, spec: Tls, seen: Seen, phases: Phases, *, verify: bool
) -> None:
    wire = await connect(visit, spec.host, spec.port, spec.ip, phases)
    try:
        seen.address = wire.address
        await wire.encrypt(spec.server_name or spec.host, verify=verify)
        connected(seen, wire)
        seen.protocol = wire.certificate.version if wire.certificate else "TLS"
    finally:
        wire.close()
