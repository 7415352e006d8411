"""Who serves what: first party or third, by registrable domain."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import cache
from typing import Any
from urllib.parse import urlsplit


def domain(url: str) -> str:
    """The registrable domain of an address: "shop.example.co.uk" -> "example.co.uk".

    An IP address, and a name that is itself a public suffix, stand for themselves.
    """
    try:
        host = (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return _suffixes().privatesuffix(host) or host


@cache
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


def busy(spans: Iterable[tuple[float, float]]) -> float:
    """For how long at least one of the spans (begin, end) was open."""
    total, reached = 0.0, float("-inf")
    for begin, end in sorted(spans):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total


def bare(url: str, longest: int = 300) -> str:
    """An address without its query string, fragment, user and password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme in {"data", "blob"}:
        return f"{parts.scheme}:"
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"[:longest]
