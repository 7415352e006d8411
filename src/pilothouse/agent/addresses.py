"""Which addresses the agent of a location may connect to: one judge for every probe.

What is connected to is the address that was judged, at every redirect anew: a name that means
another address a moment later changes nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from functools import lru_cache

from pilothouse.kernel.outgoing import Network, barred

REMEMBERED = 4096
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


def judge(private_targets: Sequence[str]) -> Callable[[str, int], bool]:
    """What says whether an address may be connected to; private ones only in these networks.

    A network that cannot be read opens nothing.
    """
    opened = tuple(network for text in private_targets if (network := _network(text)))

    @lru_cache(maxsize=REMEMBERED)
    def may(address: str) -> bool:
        try:
            return not barred(address, opened)
        except ValueError:
            return False

    return lambda address, _port: may(address)


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
