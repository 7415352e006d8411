"""Cookies for as long as one visit takes (RFC 6265, without its persistence)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MOST = 100
_NEXT = re.compile(r", (?=[^;,=\s]+=)")  # between two Set-Cookie headers that were joined
_LONG_AGO = "01 jan 1970"


@dataclass(slots=True)
class Jar:
    """By host, or by ".domain", and name."""

    kept: dict[tuple[str, str], str] = field(default_factory=dict)

    def sent(self, host: str) -> str:
        """What the Cookie header of a request to this host says; "" where there is none."""
        return "; ".join(
            f"{name}={value}"
            for (whose, name), value in self.kept.items()
            if whose == host or (whose.startswith(".") and f".{host}".endswith(whose))
        )

    def take(self, host: str, header: str) -> None:
        """Keep, or forget, what the Set-Cookie headers of a host say."""
        for cookie in _NEXT.split(header)[:MOST] if header else ():
            pair, *attributes = cookie.split(";")
            name, _, value = pair.strip().partition("=")
            said = dict(_attribute(one) for one in attributes)
            domain = said.get("domain", "").lstrip(".").lower()
            whose = f".{domain}" if domain and f".{host}".endswith(f".{domain}") else host
            over = said.get("max-age") == "0" or _LONG_AGO in said.get("expires", "").lower()
            if over or not value:
                self.kept.pop((whose, name), None)
            elif name and len(self.kept) < MOST:
                self.kept[whose, name] = value


def _attribute(text: str) -> tuple[str, str]:
    name, _, value = text.strip().partition("=")
    return name.lower(), value.strip()
