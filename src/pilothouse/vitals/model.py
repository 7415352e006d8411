"""The nouns of vitals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

OTHER = "(other)"  # the page, or country, of what came after as many as are kept
LONGEST_PATH = 1000
MOST_MS = 3_600_000.0  # what took longer than an hour measures something else


class Metric(msgspec.Struct, frozen=True):
    """One of the numbers, and where good ends and poor begins."""

    name: str  # "lcp"
    title: str
    good: float  # up to it
    poor: float  # beyond it
    unit: str = "ms"
    most: float = MOST_MS  # what is greater was not measured by the script


# Limits of web.dev/articles/vitals and its pages of each; that of the last is ours.
METRICS: Mapping[str, Metric] = {
    one.name: one
    for one in (
        Metric("ttfmi", "First meaningful interaction", 5000, 10_000),
        Metric("lcp", "Largest contentful paint", 2500, 4000),
        Metric("inp", "Interaction to next paint", 200, 500),
        Metric("cls", "Layout shift", 0.1, 0.25, unit="", most=100),
        Metric("fcp", "First contentful paint", 1800, 3000),
        Metric("ttfb", "Time to first byte", 800, 1800),
    )
}
BY = ("page", "country", "device")


class Beacon(msgspec.Struct, frozen=True):
    """What one page view tells."""

    e: Annotated[str, msgspec.Meta(max_length=400)]  # ref of the entity
    k: Annotated[str, msgspec.Meta(max_length=64)]  # its key
    p: Annotated[str, msgspec.Meta(max_length=LONGEST_PATH)]  # path of the page
    m: Annotated[
        dict[Annotated[str, msgspec.Meta(max_length=10)], float], msgspec.Meta(max_length=12)
    ]
    w: float = 0  # width of the viewport in CSS pixels


class Site(msgspec.Struct, frozen=True):
    """An entity whose pages may tell."""

    ref: str
    key: str
    team: str  # ref of its owner; "" for none
    origins: tuple[str, ...] = ()  # empty: any
    pages: tuple[str, ...] = ()  # patterns that are kept


class Place(msgspec.Struct, frozen=True):
    """Where a page view was."""

    page: str  # a pattern
    country: str  # two letters; "" where nobody trusted says
    device: str  # "phone", "tablet", "desktop"


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """Numbers of one metric at one place, in one minute."""

    entity: str
    team: str
    metric: str
    page: str
    country: str
    device: str
    minute: int  # since 1970
    values: list[float]


class Dropped(msgspec.Struct, frozen=True, array_like=True):
    """What was not taken, and why."""

    entity: str  # "" where none of ours was named
    reason: str
    count: int


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """What came in a second, as it waits to be worked into sketches."""

    seen: list[Seen] = []
    dropped: list[Dropped] = []


# Reasons for which something is not taken, and what they say.
GARBAGE, UNKNOWN, KEY, ORIGIN, FLOOD, OVERFLOW, VALUE, LOST = (
    "garbage", "unknown", "key", "origin", "flood", "overflow", "value", "lost",
)  # fmt: skip
REASONS: Mapping[str, str] = {
    GARBAGE: "no beacon of ours",
    UNKNOWN: "no entity with a vitals key was named",
    KEY: "another key than that of the entity",
    ORIGIN: "from a site that the entity does not name",
    FLOOD: "more than one key may tell",
    OVERFLOW: "counted under (other): too many page patterns",
    VALUE: "a number that cannot be",
    LOST: "could not be written down: a fault of ours, see the log",
}
