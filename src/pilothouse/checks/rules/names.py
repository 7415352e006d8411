"""Which names the assertions of each type may use. One table: docs/checks.md shows it."""

from __future__ import annotations

from collections.abc import Mapping

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
# What a check expects that says nothing of it itself.
EXPECTED: Mapping[str, tuple[str, ...]] = {
    "http": ("status < 400",),
    "grpc": ('status == "SERVING"',),
    "dns": ('rcode == "NOERROR" && answers.size() > 0',),
}


def of_type(kind: str) -> Mapping[str, str]:
    """Every name that assertions of this type of check may begin with, and what it is."""
    return {**ALWAYS, **_TYPES.get(kind, {})}
