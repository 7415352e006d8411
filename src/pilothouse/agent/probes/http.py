"""HTTP: a request, and those it is redirected to (RFC 9110)."""

from __future__ import annotations

import asyncio
import base64
import time
from typing import Any
from urllib.parse import urlencode, urljoin

import msgspec

from pilothouse.agent.connecting import Broken, Phases, Wire, connect
from pilothouse.agent.exchange import ALPN, Answer, Request, Url, checked, exchange, parsed
from pilothouse.agent.probing import connected, seen_by
from pilothouse.agent.seen import Seen, Visit
from pilothouse.checks.model.documents import ClientCredentials, Http

REDIRECTS = (301, 302, 303, 307, 308)
KEEP_METHOD = (307, 308)
PRIVATE = ("authorization", "cookie", "proxy-authorization")  # not for another origin
OURS = {"user-agent": "Pilothouse", "accept": "*/*", "accept-encoding": "gzip, deflate"}
EARLIER = 30.0  # seconds before its end at which a token is fetched anew
SHORT, LONG = 60.0, 3600.0  # seconds that a token is kept that does not say, and at most
OK, UNAUTHORIZED = 200, 401
MOST_TOKENS = 1000

_tokens: dict[ClientCredentials, tuple[str, float]] = {}  # and until when, by the monotonic clock


async def probe(visit: Visit) -> Seen:
    """Visit once."""
    return await seen_by(visit, _look)


async def _look(visit: Visit, seen: Seen, phases: Phases) -> None:
    spec = visit.spec.http
    if spec is None:
        raise Broken("URL", "the check has no address", unable=True)
    headers = OURS | checked(spec.headers)
    await _signed_in(visit, spec, headers)
    request = Request(spec.method, parsed(spec.url), headers, spec.body.encode())
    followed = 0
    while True:
        answer = await ask(visit, spec, request, phases, seen)
        _told(seen, request.url, answer, followed)
        place = answer.headers.get("location", "")
        if answer.status not in REDIRECTS or not place or not spec.follow_redirects:
            break
        followed += 1
        if followed > spec.follow_redirects:
            raise Broken("loop", f"redirected more than {spec.follow_redirects} times")
        request = _next(visit, request, answer.status, place)
    if answer.status == UNAUTHORIZED and spec.oauth2 is not None:
        _tokens.pop(spec.oauth2, None)


async def ask(visit: Visit, spec: Http, request: Request, phases: Phases, seen: Seen) -> Answer:
    """One request over a connection of its own. Raises Broken."""
    url = request.url
    wire = await connect(visit, url.host, url.port, spec.ip, phases)
    try:
        seen.address = wire.address
        if url.scheme == "https":
            await wire.encrypt(url.host, verify=spec.verify, alpn=ALPN[spec.version])
            connected(seen, wire)
        return await _spoken(wire, request, spec.version)
    finally:
        wire.close()


async def _spoken(wire: Wire, request: Request, version: str) -> Answer:
    if version == "2" and request.url.scheme == "https" and wire.alpn != "h2":
        raise Broken("HTTP", f"{wire.host} does not speak HTTP/2")
    if wire.alpn == "h2" or version == "2":
        from pilothouse.agent import http2

        return await http2.exchange(wire, request)
    return await exchange(wire, request)


def _told(seen: Seen, url: Url, answer: Answer, followed: int) -> None:
    seen.status, seen.size, seen.protocol = answer.status, answer.size, answer.protocol
    seen.values |= {
        "status": answer.status,
        "header": answer.headers,
        "body": answer.body,
        "size": answer.size,
        "url": str(url),
        "redirects": followed,
    }


def _next(visit: Visit, request: Request, status: int, place: str) -> Request:
    """What a redirect asks for (RFC 9110, 15.4): 303 and old habit make it a GET.

    What is secret goes to no other origin. Raises Broken for a body that would have to.
    """
    url = parsed(urljoin(str(request.url), place))
    headers, elsewhere = request.headers, url.origin != request.url.origin
    if elsewhere:
        headers = {
            name: value
            for name, value in headers.items()
            if name not in PRIVATE and (OURS.get(name) == value or not visit.redact.finds(value))
        }
        headers.pop("host", None)
    if status in KEEP_METHOD or request.method in ("GET", "HEAD"):
        if elsewhere and request.body and visit.redact.finds(request.body.decode()):
            said = f"{url.authority} is another origin: a body with a secret is not sent there"
            raise Broken("secr", said)
        return Request(request.method, url, headers, request.body)
    headers = {name: value for name, value in headers.items() if not name.startswith("content-")}
    return Request("GET", url, headers)


async def _signed_in(visit: Visit, spec: Http, headers: dict[str, str]) -> None:
    """Put the authorisation into the headers."""
    if spec.basic is not None:
        headers["authorization"] = _basic(spec.basic.username, spec.basic.password)
    elif spec.bearer:
        headers |= checked({"authorization": f"Bearer {spec.bearer}"})
    elif spec.oauth2 is not None:
        token = await _token(visit, spec, spec.oauth2)
        visit.redact.learn(token)
        headers |= checked({"authorization": f"Bearer {token}"})


def _basic(username: str, password: str) -> str:
    pair = base64.b64encode(f"{username}:{password}".encode()).decode()
    return f"Basic {pair}"


async def _token(visit: Visit, spec: Http, wanted: ClientCredentials) -> str:
    """An access token (RFC 6749, 4.4), kept until shortly before its end. Raises Broken."""
    kept = _tokens.get(wanted)
    if kept and kept[1] > time.monotonic():
        return kept[0]
    form = {"grant_type": "client_credentials", "scope": wanted.scope, "audience": wanted.audience}
    headers = OURS | {
        "accept": "application/json",
        "content-type": "application/x-www-form-urlencoded",
        "authorization": _basic(
            *(urlencode({"": text})[1:] for text in (wanted.client_id, wanted.client_secret))
        ),
    }
    body = urlencode({name: value for name, value in form.items() if value}).encode()
    request = Request("POST", parsed(wanted.token_url), headers, body)
    try:
        async with asyncio.timeout_at(visit.until):
            answer = await ask(visit, spec, request, Phases(), Seen())
    except Broken as error:
        reason = f"no access token: {error.reason}"
        raise Broken("auth", reason, unable=error.unable) from error
    except TimeoutError:
        raise Broken("auth", "no access token in time") from None
    token, seconds = _granted(answer)
    if len(_tokens) >= MOST_TOKENS:
        _tokens.clear()
    _tokens[wanted] = (token, time.monotonic() + seconds - EARLIER)
    return token


def _granted(answer: Answer) -> tuple[str, float]:
    try:
        found: Any = msgspec.json.decode(answer.body)
        token = found["access_token"]
        seconds = float(found.get("expires_in", SHORT))
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError):
        token, seconds = None, 0.0
    if answer.status != OK or not isinstance(token, str):
        raise Broken("auth", f"no access token: its server answered {answer.status}")
    return token, min(seconds, LONG)
