"""What the agent asks of its server and tells it. Only ever outward, over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from pilothouse import __version__
from pilothouse.agent.connecting import Broken, Phases, connect
from pilothouse.agent.exchange import Answer, Request, exchange, parsed
from pilothouse.agent.seen import Visit
from pilothouse.checks.model.documents import CheckSpec
from pilothouse.checks.model.plans import Asked, Plan, Taken

SECONDS = 20.0  # for an answer
POLL = 40.0  # for that of the long poll, which is given 25 s by the server
MOST_BYTES = 33_554_432  # of a plan
OK, ACCEPTED, NO_CONTENT, NOT_MODIFIED = 200, 202, 204, 304
UNAUTHORIZED, FORBIDDEN = 401, 403
FIRST_BAD, NOT_FOUND, TOO_LARGE, TOO_MANY, SERVER = 400, 404, 413, 429, 500
T = TypeVar("T")


class Away(Exception):
    """The server cannot be reached, or is busy: later."""


class Refused(Exception):
    """The server answers, and does not take it: sending the same again does not help."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"{status}: {said}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Server:
    """The server, as one agent knows it."""

    url: str
    token: str
    location: str
    agent: str

    async def plan(self, etag: str) -> tuple[Plan | None, str, bytes]:
        """The plan with its ETag and its bytes; None where it is still the one of this ETag."""
        headers = {"if-none-match": etag} if etag else {}
        answer = await self._ask("GET", "plan", headers=headers)
        if answer.status == NOT_MODIFIED:
            return None, etag, b""
        return decoded(answer.body, Plan), answer.headers.get("etag", ""), answer.body

    async def post(
        self, lines: list[bytes], waiting: int, references_failed: tuple[str, ...] = ()
    ) -> Taken:
        """Hand over results; none only says that this agent is there."""
        body = msgspec.json.encode(
            {
                "agent": self.agent,
                "location": self.location,
                "results": [msgspec.Raw(line) for line in lines],
                "waiting": waiting,
                "references_failed": references_failed,
                "software": f"pilothouse {__version__}",
            }
        )
        answer = await self._ask("POST", "results", body=body)
        return decoded(answer.body, Taken)

    async def wanted(self, etag: str) -> Asked:
        """Visits out of turn that are wanted; waits for some, or another plan, not for ever."""
        answer = await self._ask("GET", "confirm", about={"plan": etag}, seconds=POLL)
        return decoded(answer.body, Asked) if answer.body else Asked()

    async def put_evidence(self, file: Path) -> None:
        """Hand over a file that a result named: …/{result}/{name}."""
        path = f"evidence/{quote(file.parent.name)}/{quote(file.name)}"
        kind = "image/png" if file.suffix == ".png" else "application/json"
        body = await asyncio.to_thread(file.read_bytes)
        await self._ask("PUT", path, headers={"content-type": kind}, body=body)

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        about: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        seconds: float = SECONDS,
    ) -> Answer:
        """One request. Raises Away or Refused."""
        asked = {"location": self.location, "agent": self.agent, **(about or {})}
        query = f"?{urlencode(asked)}" if method == "GET" else ""
        sent = {
            "authorization": f"Bearer {self.token}",
            "user-agent": f"pilothouse-agent/{__version__}",
            "accept": "application/json",
            "accept-encoding": "gzip",
            **({"content-type": "application/json"} if body else {}),
            **(headers or {}),
        }
        try:
            url = parsed(f"{self.url.rstrip('/')}/api/checks/{path}{query}")
            answer = await _asked(Request(method, url, sent, body, MOST_BYTES), seconds)
        except (Broken, TimeoutError) as error:
            raise Away(str(error) or "no answer in time") from error
        if answer.status >= SERVER or answer.status == TOO_MANY:
            raise Away(f"the server answers {answer.status}")
        if answer.status >= FIRST_BAD or answer.status not in _GOOD:
            raise Refused(answer.status, said(answer))
        return answer


_GOOD = (OK, 201, ACCEPTED, NO_CONTENT, NOT_MODIFIED)


async def _asked(request: Request, seconds: float) -> Answer:
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    # Whoever started the agent named the server: it may be anywhere.
    visit = Visit("", CheckSpec(entity=""), until, lambda *_: True)
    url = request.url
    async with asyncio.timeout_at(until + 1):
        wire = await connect(visit, url.host, url.port, "any", Phases())
        try:
            if url.scheme == "https":
                await wire.encrypt(url.host, alpn=("http/1.1",))
            return await exchange(wire, request)
        finally:
            wire.close()


def said(answer: Answer) -> str:
    """What the server says that it does not like (RFC 9457)."""
    try:
        found: Any = msgspec.json.decode(answer.body)
        text = str(found.get("detail") or found.get("title") or "")
    except (msgspec.DecodeError, AttributeError):
        text = ""
    return text[:300] or "it says no more"


def decoded(body: bytes, kind: type[T]) -> T:
    """An answer of the server. Raises Away for what is none, as a proxy's page."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Away(
            f"the server's answer cannot be read: is {kind.__name__} of a newer one?"
        ) from error
