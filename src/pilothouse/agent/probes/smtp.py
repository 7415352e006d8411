"""SMTP (RFC 5321): greets, encrypts (RFC 3207), signs in (RFC 4954), and takes its leave."""

from __future__ import annotations

import base64
import ipaddress
from dataclasses import dataclass

from pilothouse.agent import connecting
from pilothouse.agent.connecting import Broken, Phases, Wire
from pilothouse.agent.probing import connected, seen_by
from pilothouse.agent.seen import Seen, Visit
from pilothouse.checks.model.documents import Smtp

MOST_BYTES = 65536  # of one reply
_NAME = "pilothouse.invalid"  # RFC 2606; a check has no name of its own that could be looked up
_GREETING, _BYE, _DONE, _SIGNED_IN, _MORE = 220, 221, 250, 235, 334


@dataclass(slots=True)
class _Reply:
    code: int
    lines: list[str]

    def __str__(self) -> str:
        return f"{self.code} {' '.join(self.lines)}"[:200]


@dataclass(slots=True)
class _Talk:
    """Commands and replies over one wire."""

    wire: Wire
    phases: Phases
    rest: bytes = b""

    async def say(self, line: str, phase: str, *right: int) -> _Reply:
        """Send a line, read the reply. Raises Broken where it is none of the right ones."""
        with self.phases.measure(phase):
            await self.wire.write(line.encode() + b"\r\n")
            return await self.hear(line.split(" ", 1)[0], *right)

    async def hear(self, what: str, *right: int) -> _Reply:
        lines: list[str] = []
        while True:
            line = await self._line()
            if len(line) < 3 or not line[:3].isdigit():  # noqa: PLR2004  the code's digits
                raise Broken("smtp", f"it does not speak SMTP: {line[:80]!r}")
            lines.append(line[4:])
            if line[3:4] != "-":
                break
            if sum(map(len, lines)) > MOST_BYTES:
                raise Broken("size", "its reply does not end")
        reply = _Reply(int(line[:3]), lines)
        if right and reply.code not in right:
            raise Broken(str(reply.code), f"{what} was answered with {reply}")
        return reply

    async def _line(self) -> str:
        while b"\n" not in self.rest:
            came = await self.wire.read(4096)
            if not came:
                raise Broken("conn", f"{self.wire.host} ended the connection")
            self.rest += came
            if len(self.rest) > MOST_BYTES:
                raise Broken("size", "its reply does not end")
        line, _, self.rest = self.rest.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "replace")


async def probe(visit: Visit) -> Seen:
    """One session, to its QUIT; no message is sent."""
    seen = await seen_by(visit, _look)
    seen.reason = visit.redact(seen.reason)
    return seen


async def _look(visit: Visit, seen: Seen, phases: Phases) -> None:
    spec = visit.spec.smtp or Smtp(host="")
    seen.protocol = "SMTP"
    wire = await connecting.connect(visit, spec.host, spec.port, spec.ip, phases)
    try:
        await _session(_Talk(wire, phases), spec, seen)
    finally:
        connected(seen, wire)
        wire.close()


async def _session(talk: _Talk, spec: Smtp, seen: Seen) -> None:
    if spec.tls == "implicit":
        await talk.wire.encrypt(spec.host)
    with talk.phases.measure("first_byte"):
        greeting = await talk.hear("the connection", _GREETING)
    seen.status, seen.values["greeting"] = greeting.code, greeting.lines[0]
    able = await _able(talk, seen)
    if spec.tls == "starttls":
        if "STARTTLS" not in able:
            raise Broken("TLS", f"{spec.host} does not offer STARTTLS")
        await talk.say("STARTTLS", "tls", _GREETING)
        talk.rest = b""  # what came before the handshake is nobody's word (RFC 3207, 6)
        await talk.wire.encrypt(spec.host)
        able = await _able(talk, seen)
    if spec.username:
        await _sign_in(talk, spec, able)
    reply = await talk.say("QUIT", "quit")
    seen.status = reply.code


async def _able(talk: _Talk, seen: Seen) -> list[str]:
    """What the server can do, in upper case."""
    reply = await talk.say(f"EHLO {_NAME}", "ehlo", _DONE)
    able = [line.upper() for line in reply.lines[1:]]
    seen.status, seen.values["capabilities"] = reply.code, able
    return able


async def _sign_in(talk: _Talk, spec: Smtp, able: list[str]) -> None:
    if talk.wire.certificate is None and not ipaddress.ip_address(talk.wire.address).is_loopback:
        raise Broken("AUTH", "a password is not sent without TLS", unable=True)
    ways = next((line.split()[1:] for line in able if line.startswith("AUTH ")), [])
    if "PLAIN" in ways:
        both = _coded(f"\0{spec.username}\0{spec.password}")
        await talk.say(f"AUTH PLAIN {both}", "auth", _SIGNED_IN)
    elif "LOGIN" in ways:
        await talk.say("AUTH LOGIN", "auth", _MORE)
        with talk.phases.measure("auth"):
            await talk.wire.write(_coded(spec.username).encode() + b"\r\n")
            await talk.hear("the username", _MORE)
            await talk.wire.write(_coded(spec.password).encode() + b"\r\n")
            await talk.hear("the password", _SIGNED_IN)
    else:
        raise Broken("AUTH", f"{spec.host} offers neither AUTH PLAIN nor AUTH LOGIN")


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
