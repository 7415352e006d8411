"""Which side of the drawing a relation is on, and what it is called there.

Left uses, owns or contains right. So what an entity depends on is right of it, and its owner is
left; an API is left of what provides it, for whoever consumes it uses that in the end.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec

from pilothouse.catalog.rules.graph.model import Tie
from pilothouse.catalog.rules.kinds import reverse_of

if TYPE_CHECKING:
    from collections.abc import Mapping


class Words(msgspec.Struct, frozen=True):
    """How one kept relation is drawn."""

    forward: bool  # its source is the left one
    left: str  # what the left one is to the right one: "uses it"
    right: str  # what the right one is to the left one: "used"
    says: str  # of the centre on the right, with the left ones after it: "Used by"
    said: str  # of the centre on the left: "Uses"
    verb: str  # the left one … the right one
    use: bool = False  # one that failures travel along


WORDS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "dependsOn": Words(True, "uses it", "used", "Used by", "Uses", "uses", use=True),
        "consumesApi": Words(
            True, "consumer", "consumed", "Consumed by", "Consumes", "consumes", use=True
        ),
        "providesApi": Words(
            False, "provided", "provider", "Provides", "Provided by", "is provided by", use=True
        ),
        "partOf": Words(False, "contains", "part", "Part of", "Contains", "contains"),
        "ownedBy": Words(False, "owner", "owned", "Owned by", "Owns", "owns"),
        "memberOf": Words(False, "team", "member", "Member of", "Members", "has the member"),
        "childOf": Words(False, "parent", "child", "Under", "Over", "is over"),
    }
)
_ORDER: Final = MappingProxyType({name: place for place, name in enumerate(WORDS)})
_KINDS: Final = MappingProxyType(
    {"api": "API", "airesource": "AI resource", "probelocation": "Probe location"}
)
_OTHER = len(WORDS)


def words_of(relation: str) -> Words:
    """One that a module brought is said as it is named, and drawn from its source."""
    return WORDS.get(relation) or Words(True, *[relation] * 5, use=True)


def order_of(relation: str) -> tuple[int, str]:
    """Uses first, then wholes and parts, owners, people."""
    return _ORDER.get(relation, _OTHER), relation


def tie(source: str, relation: str, target: str) -> Tie:
    """A kept relation as it is drawn."""
    if words_of(relation).forward:
        return Tie(source, target, relation)
    return Tie(target, source, relation)


def called(side: int, relation: str) -> str | None:
    """What a kept relation is called from the centre; `side` is where the others are (1: right)."""
    return relation if words_of(relation).forward == (side > 0) else reverse_of(relation)


def kind_words(kind: str) -> str:
    """`API`, `Component`."""
    return _KINDS.get(kind.lower()) or kind[:1].upper() + kind[1:]
