"""What a page may do on which a program of others lets one try an API out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

MOST_ORIGINS = 10
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


def origins(urls: Iterable[str]) -> tuple[str, ...]:
    """The origins of addresses on the web; what is relative, or has variables, has none."""
    found: dict[str, None] = {}
    for url in urls:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            continue
        host = parts.hostname or ""
        if parts.scheme in {"http", "https"} and _HOST.fullmatch(host):
            found[f"{parts.scheme}://{host}" + (f":{port}" if port else "")] = None
    return tuple(found)[:MOST_ORIGINS]


def policy(servers: Iterable[str]) -> str:
    """A Content-Security-Policy: requests go to these servers only, not even to the portal."""
    connect = " ".join(servers) or "'none'"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data:; font-src data:; connect-src {connect}; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
