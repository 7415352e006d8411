"""DNS: one question to one resolver."""

from __future__ import annotations

import asyncio
from typing import Any

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.reversename

from pilothouse.agent import resolving
from pilothouse.agent.connecting import Broken, Phases, late
from pilothouse.agent.probing import seen_by
from pilothouse.agent.seen import Seen, Visit
from pilothouse.checks.model.documents import Dns

PORT = 53
MOST_ANSWERS = 200


async def probe(visit: Visit) -> Seen:
    """Visit once."""
    return await seen_by(visit, _look)


async def _look(visit: Visit, seen: Seen, phases: Phases) -> None:
    spec = visit.spec.dns
    if spec is None:
        raise Broken("URL", "the check has no name", unable=True)
    address, port = await _resolver(visit, spec, phases)
    seen.address, seen.protocol = address, f"DNS over {spec.protocol.upper()}"
    with phases.measure("first_byte"):
        try:
            async with asyncio.timeout_at(visit.until):
                answer = await _ask(spec, address, port)
        except TimeoutError:
            raise late(phases) from None
        except (OSError, EOFError) as error:
            raise Broken("conn", f"{address}:{port}: {error}") from error
        except dns.exception.DNSException as error:
            raise Broken("DNS", f"{address}:{port}: {error}") from error
    _told(seen, answer)


async def _resolver(visit: Visit, spec: Dns, phases: Phases) -> tuple[str, int]:
    """Whom to ask. The agent's own resolvers may be asked wherever they are."""
    if not spec.resolver:
        return resolving.system().servers[0], PORT
    host, port = _parted(spec.resolver)
    address = resolving.literal(host)
    if not address:
        with phases.measure("dns"):
            try:
                async with asyncio.timeout_at(visit.until):
                    address = (await resolving.lookup(host, (4, 6)))[0]
            except TimeoutError:
                raise late(phases) from None
            except resolving.UnknownName as error:
                raise Broken("DNS", str(error)) from error
    if not visit.allowed(address, port):
        said = f"the resolver {address} is one that agents of this location must not ask"
        raise Broken("deny", said, unable=True)
    return address, port


def _parted(written: str) -> tuple[str, int]:
    host, mark, port = written.rpartition(":")
    if written.count(":") > 1 and not written.startswith("["):  # an IPv6 address without a port
        return written, PORT
    if mark and port.isdigit():
        return host.strip("[]"), int(port)
    return written.strip("[]"), PORT


async def _ask(spec: Dns, address: str, port: int) -> dns.message.Message:
    name: Any = spec.name
    if spec.record == "PTR" and resolving.literal(spec.name):
        name = dns.reversename.from_address(spec.name)
    question = dns.message.make_query(name, spec.record, use_edns=True)
    if spec.protocol == "tcp":
        return await dns.asyncquery.tcp(question, address, port=port)
    answer, _ = await dns.asyncquery.udp_with_fallback(
        question, address, port=port, ignore_unexpected=True
    )
    return answer


def _told(seen: Seen, answer: dns.message.Message) -> None:
    kind = answer.question[0].rdtype if answer.question else None
    found = [each for each in answer.answer if each.rdtype == kind]
    texts = sorted(_text(item) for each in found for item in list(each)[:MOST_ANSWERS])
    seen.size = len(answer.wire or b"")
    seen.values |= {
        "answers": texts[:MOST_ANSWERS],
        "rcode": dns.rcode.to_text(answer.rcode()),
        "authoritative": bool(answer.flags & dns.flags.AA),
    }
    if found:
        seen.values["ttl"] = min(each.ttl for each in found)


def _text(item: Any) -> str:
    """A record as people write it: names without the last dot, texts without quotes."""
    strings = getattr(item, "strings", None)
    if strings is not None:
        return b"".join(strings).decode("utf-8", "replace")
    return item.to_text().removesuffix(".")
