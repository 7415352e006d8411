"""What twelve places would have seen in the days before: made up, plausible, the same each time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from pilothouse.checks.model.results import Outcome, Result
from pilothouse.demo.model import Place

RANDOM_BITS = 20  # of a result's id, after its milliseconds
DAYS, LATELY = timedelta(days=13), timedelta(hours=26)
RARE, DENSE = timedelta(hours=2), timedelta(minutes=12)  # between visits: before, and lately
BLIPS = 0.002  # share of visits that fail, for no reason that anybody finds
GATEWAY = "bank-gateway"  # a handshake, and no answer
# Check -> ms that the company itself takes, round trips, whether the nearest edge answers.
COSTS = {
    "pay": (24.0, 1, False),
    "front-page": (7.0, 1, False),
    "search": (5.0, 1, False),
    "shop-assets": (1.2, 1, True),
    "reviews-script": (1.5, 1, True),
    "customer-sign-in": (16.0, 6, False),
    "database-pool": (1.5, 1, False),
    GATEWAY: (2.5, 2, False),
}


def of(place: Place, now: datetime) -> Iterator[Result]:
    """Results of one place, oldest first, up to a few minutes ago."""
    chance = random.Random(place.name)  # noqa: S311  the same history each time
    for at in _moments(now):
        for check in COSTS:
            yield _visit(place, check, at + timedelta(seconds=chance.uniform(0, 50)), chance)


def batches(results: Iterator[Result], most: int) -> Iterator[Sequence[Result]]:
    """The same in posts."""
    batch: list[Result] = []
    for result in results:
        batch.append(result)
        if len(batch) == most:
            yield batch
            batch = []
    if batch:
        yield batch


def _moments(now: datetime) -> Iterator[datetime]:
    at = now - DAYS
    while at < now - timedelta(minutes=5):
        yield at
        at += RARE if at < now - LATELY else DENSE


def _visit(place: Place, check: str, at: datetime, chance: random.Random) -> Result:
    own, trips, near = COSTS[check]
    distance = place.edge if near else place.distance
    busy = 1 + 0.25 * max(0.0, 1 - abs(at.hour - 17) / 6)  # customers come in the afternoon
    wait = own * busy * chance.lognormvariate(0, 0.18)
    total = wait + trips * distance * chance.uniform(1, 1.12)
    number = int(at.timestamp() * 1000) << RANDOM_BITS | chance.getrandbits(RANDOM_BITS)
    failed = chance.random() < BLIPS
    return Result(
        id=number,
        check=f"check:default/{check}",
        location=place.name,
        total=round(total, 2),
        outcome=Outcome.FAILED if failed else Outcome.OK,
        fault="conn" if failed else "",
        reason="the connection was broken off" if failed else "",
        phases=_phases(check, total),
        status=0 if failed or check == GATEWAY else 200,
    )


def _phases(check: str, total: float) -> dict[str, float]:
    known = {"dns": 0.1, "connect": 0.2}
    if check == GATEWAY:
        return known | {"tls": round(total - 0.3, 2)}
    return known | {"first_byte": round(total - 0.5, 2), "body": 0.2}
