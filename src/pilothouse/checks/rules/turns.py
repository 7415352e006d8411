"""Whose turn it is: the locations of a check are spread evenly over its interval."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import timedelta
from hashlib import blake2b


def _chance(*names: str) -> int:
    """A number that the names decide, the same everywhere and for ever."""
    return int.from_bytes(blake2b("\0".join(names).encode(), digest_size=8).digest())


def order(check: str, regions: Mapping[str, str]) -> list[str]:
    """The locations in the order of their turns, those of one region far from each other.

    `regions` names the region of each location. A location more, or one less, leaves the order of
    those in other regions as it was.
    """
    inside: dict[str, list[str]] = defaultdict(list)
    for location, region in regions.items():
        inside[region].append(location)
    places: list[tuple[float, int, str]] = []
    for region, locations in inside.items():
        locations.sort(key=lambda location: (_chance(check, location), location))
        begin = _chance(check, region) / 2**64
        places += [
            ((begin + number) / len(locations), _chance(check, location), location)
            for number, location in enumerate(locations)
        ]
    return [location for _, _, location in sorted(places)]


def offsets(check: str, regions: Mapping[str, str], every: timedelta) -> dict[str, float]:
    """Seconds into each interval (of Unix time) at which it is each location's turn.

    12 locations at 5 minutes look every 25 seconds. Checks begin their intervals at different
    times, so that a location does not visit all of them at once.
    """
    length = every.total_seconds()
    begin = _chance(check) / 2**64 * length
    step = length / max(1, len(regions))
    return {
        location: round((begin + number * step) % length, 3) % length
        for number, location in enumerate(order(check, regions))
    }


def agent_of(check: str, agents: Collection[str]) -> str:
    """Which agent of a location has the turns of a check; "" when there is none.

    Rendezvous hashing (Thaler and Ravishankar, 1998): when an agent falls silent only its checks
    move, and they are shared out among all the others.
    """
    return max(agents, key=lambda agent: (_chance(check, agent), agent), default="")
