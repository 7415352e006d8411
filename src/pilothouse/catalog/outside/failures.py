"""How a source can fail to answer, and what to do about it."""

from __future__ import annotations

import re

from pilothouse.kernel.errors import PilothouseError


class SourceUnreachable(PilothouseError):
    """A source does not answer; what it gave before stays, marked stale."""

    status = 503
    title = "A source cannot be reached"


# What git says, first match wins, and what its reader can do.
_SAYINGS = (
    (
        (
            r"could not read (Username|Password)|Authentication failed|Permission denied \(|"
            r"HTTP Basic: Access denied|requested URL returned error: 40[13]|"
            r"terminal prompts disabled"
        ),
        "it wants credentials: give git a credential helper, or ssh a key without a passphrase",
    ),
    (
        r"Host key verification failed|REMOTE HOST IDENTIFICATION",
        "its ssh host key is not known here: add it to known_hosts",
    ),
    (
        (
            r"does not exist|[Rr]epository .*not found|does not appear to be a git|"
            r"not a git repository|error: 404|access denied or repository not exported"
        ),
        "there is no repository at this address, or it is not for these credentials",
    ),
    (
        r"Could not resolve host|Name or service not known|unable to look up",
        "its host name is not known here: check the address and DNS",
    ),
    (
        (
            r"Connection refused|Connection timed out|unable to connect|Failed to connect|"
            r"Network is unreachable|No route to host|Connection reset|early EOF|hung up"
        ),
        "the connection failed: check the address and the network between",
    ),
    (r"certificate|SSL|TLS", "its certificate is not trusted here"),
    (r"transport '[^']*' not allowed", "this kind of address is not allowed"),
)
_USER_IN_ADDRESS = re.compile(r"(\w+://)[^/\s@']+@")
_QUERY_IN_ADDRESS = re.compile(r"(\w+://[^\s?']+)\?[^\s']*")
_MOST_SAID = 300


def explain(shown: str, said: str) -> SourceUnreachable:
    """What to do when git ended with `said`; `shown` is the address without its credentials."""
    for pattern, advice in _SAYINGS:
        if re.search(pattern, said):
            return SourceUnreachable(f"{shown} cannot be read: {advice}. {_quoted(said)}".rstrip())
    return SourceUnreachable(f"{shown} cannot be read. {_quoted(said)}".rstrip())


def without_credentials(text: str) -> str:
    """The text with names, passwords and queries taken out of the addresses in it."""
    return _QUERY_IN_ADDRESS.sub(r"\1", _USER_IN_ADDRESS.sub(r"\1", text))


def _quoted(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("fatal:", "error:", "ERROR:", "remote:"))]
    line = without_credentials((told or lines or [""])[0])
    line = "".join(letter for letter in line if letter.isprintable())[:_MOST_SAID]
    return f"git says: {line}" if line else ""
