"""Addresses in catalog files: what parses as one, and what a page may offer to follow."""

from __future__ import annotations

import re

# WHATWG URL Standard, sections 4.3 and 4.4: a scheme is needed; these also need a host.
_SCHEME = re.compile(r"[\x00-\x20]*([A-Za-z][A-Za-z0-9+.\-]*):(.*)", re.DOTALL)
_WITH_HOST = frozenset(("http", "https", "ws", "wss", "ftp"))
_HOST = re.compile(r"[/\\]*(?:[^/\\?#]*@)?(\[[0-9A-Fa-f:.]+\]|[^/\\?#:]*)(?::(\d*))?(?=[/\\?#]|\Z)")
_NEVER_IN_HOST = re.compile(r"[\x00-\x20#<>?\[\\\]^|%]")
_REMOVED = str.maketrans("", "", "\t\r\n")  # the parser of the standard drops them anywhere
_SAFE = frozenset(("http", "https", "mailto"))
_LAST_PORT = 65535


def scheme_of(url: str) -> str | None:
    """The scheme in lower case as a browser would read it, None when `url` is no address."""
    match = _SCHEME.match(url.translate(_REMOVED).rstrip("\x00\x20"))
    if match is None:
        return None
    scheme = match[1].lower()
    return scheme if scheme not in _WITH_HOST or _has_host(match[2]) else None


def is_safe_link(url: str) -> bool:
    """Whether a page may show it as a link: http, https or mailto, and nothing else ever."""
    return scheme_of(url) in _SAFE


def _has_host(rest: str) -> bool:
    match = _HOST.match(rest)
    if match is None or not match[1]:
        return False
    host, port = match[1], match[2]
    if port and int(port[:6]) > _LAST_PORT:
        return False
    return host.startswith("[") or not _NEVER_IN_HOST.search(host)
