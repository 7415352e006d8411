"""Which names the assertions of each type may use. One table: docs/checks.md shows it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

ALWAYS: Mapping[str, str] = {
    "timing": "how long each phase took: timing.dns, .connect, .tls, .first_byte, .body, .total",
    "address": "the address that was reached",
    "protocol": 'what was spoken: "HTTP/2"',
}
_STATUS = {"status": "the status of the answer: 200"}
_HEADER = {"header": 'the answer\'s headers, names in lower case: header["x-cache"]'}
_BODY = {"body": "what was answered, as text", "json": "the same, read as JSON"}
_TLS = {
    "tls": "of the certificate: tls.expires_in, .subject, .issuer, .names, .version; absent "
    "without TLS"
}
_SIZE = {"size": "bytes of the answer"}
_HTTP = {"url": "the last address asked", "redirects": "how many were followed"}
_TYPES: Mapping[str, Mapping[str, str]] = {
    "http": {**_STATUS, **_HEADER, **_BODY, **_TLS, **_SIZE, **_HTTP},
    "tcp": {**_BODY, **_SIZE},
    "tls": _TLS,
    "dns": {
        "answers": 'what the records say, sorted: ["192.0.2.1"]',
        "ttl": "the least time to live, in seconds",
        "rcode": '"NOERROR", "NXDOMAIN", …',
        "authoritative": "whether the resolver says that it is",
    },
    "icmp": {
        "loss": "share of echo requests without an answer: 0.0 to 1.0",
        "sent": "echo requests",
        "received": "echo replies",
        "rtt": "how long replies took: rtt.min, .avg, .median, .max",
    },
    "grpc": {"status": '"SERVING", "NOT_SERVING", …', **_TLS},
    "websocket": {**_STATUS, **_HEADER, **_BODY, **_TLS, **_SIZE},
    "smtp": {
        "greeting": "the server's first line",
        "capabilities": "what EHLO was answered with, in upper case",
        **_TLS,
    },
    "postgres": {
        "rows": "of the query, each a map by column",
        "connections": "connections.used, .limit, .share",
        "pgbouncer": "pgbouncer.waiting, .longest_wait, .share, .active, .servers; absent where "
        "none is named",
        "version": "of the server",
    },
    "oidc": {"claims": "of the ID token", "userinfo": "what userinfo says", **_TLS},
    "journey": {
        "lcp": "largest contentful paint, a duration",
        "cls": "cumulative layout shift",
        "tbt": "total blocking time, a duration",
        "third_party": "third_party.blocking_ms, third_party.hosts by registrable domain",
        "console_errors": "what the pages complained of",
        "axe": "accessibility violations by impact: axe.critical, .serious, .moderate, .minor",
        "steps": 'how long each step took, by its name: steps["Sign in"]',
        "requests": "how many there were",
        **_STATUS,
    },
}
# What is known of what these are. A name that is not here may be anything.
NUMBER, TEXT, LENGTH, TRUTH = "a number", "a text", "a duration", "true or false"
LIST, MAP, ANY = "a list", "a map", ""
EVERY = "*"  # any key
Shape = str | Mapping[str, Any]  # one of the above, or a shape for each key
_TIMING = ("dns", "connect", "tls", "first_byte", "body", "total")
_PHASES: Mapping[str, tuple[str, ...]] = {  # that only these have
    "icmp": ("rtt",),
    "postgres": ("state", "query"),
    "smtp": ("ehlo", "auth", "quit"),
    "journey": ("browser", "walk"),
}
_SHAPES: Mapping[str, Shape] = {
    "address": TEXT,
    "protocol": TEXT,
    "status": NUMBER,
    "header": {EVERY: TEXT},
    "body": TEXT,
    "size": NUMBER,
    "url": TEXT,
    "redirects": NUMBER,
    "tls": {
        "expires_in": LENGTH,
        "subject": TEXT,
        "issuer": TEXT,
        "names": LIST,
        "version": TEXT,
        "cipher": TEXT,
    },
    "answers": LIST,
    "ttl": NUMBER,
    "rcode": TEXT,
    "authoritative": TRUTH,
    "loss": NUMBER,
    "sent": NUMBER,
    "received": NUMBER,
    "rtt": dict.fromkeys(("min", "avg", "median", "max"), LENGTH),
    "greeting": TEXT,
    "capabilities": LIST,
    "rows": LIST,
    "connections": dict.fromkeys(("used", "limit", "share"), NUMBER),
    "pgbouncer": {
        **dict.fromkeys(("waiting", "active", "servers", "share"), NUMBER),
        "longest_wait": LENGTH,
        "pool": TEXT,
    },
    "version": TEXT,
    "claims": MAP,
    "userinfo": MAP,
    "lcp": LENGTH,
    "cls": NUMBER,
    "tbt": LENGTH,
    "third_party": {"blocking_ms": NUMBER, "hosts": {EVERY: NUMBER}},
    "console_errors": LIST,
    "axe": dict.fromkeys(("critical", "serious", "moderate", "minor"), NUMBER),
    "steps": {EVERY: LENGTH},
    "requests": NUMBER,
}
# What a check expects that says nothing of it itself.
EXPECTED: Mapping[str, tuple[str, ...]] = {
    "http": ("status < 400",),
    "grpc": ('status == "SERVING"',),
    "dns": ('rcode == "NOERROR" && answers.size() > 0',),
}


def of_type(kind: str) -> Mapping[str, str]:
    """Every name that assertions of this type of check may begin with, and what it is."""
    return {**ALWAYS, **_TYPES.get(kind, {})}


@cache
def shapes(kind: str) -> Mapping[str, Shape]:
    """What is known of the names of a type."""
    timing = dict.fromkeys((*_TIMING, *_PHASES.get(kind, ())), LENGTH)
    return {**_SHAPES, "timing": timing} | ({"status": TEXT} if kind == "grpc" else {})
