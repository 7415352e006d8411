"""The heartbeat out: a URL of someone else's that is asked every minute."""

from __future__ import annotations

from pilothouse.kernel import outgoing
from pilothouse.oncall.rules import answers

SECONDS = 20.0


def call(url: str) -> str:
    """Ask it; what was wrong, or ""."""
    try:
        trusted = frozenset((outgoing.host_of(url),))  # an admin wrote it into the settings
        reply = outgoing.fetch("GET", url, trusted=trusted, seconds=SECONDS)
    except (outgoing.Forbidden, outgoing.Unreachable) as error:
        return answers.plain(str(error), url.partition("://")[2].partition("/")[2])
    return "" if reply.status in answers.FINE else f"answered {reply.status}"
