"""Who holds a ref that several documents claim."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable


class Claim(msgspec.Struct, frozen=True):
    """A document that says it is some entity."""

    order: int  # its source's place among the sources, from 0
    source: str
    path: str  # of its file within the source, "/" between parts
    index: int = 0  # its place in the file
    digest: str = ""  # of its content, where it is known


AnyClaim = TypeVar("AnyClaim", bound=Claim)


def holder(claims: Iterable[AnyClaim], current: Claim | None = None) -> AnyClaim | None:
    """The claim that gets the ref; None when there is no claim.

    The document that is stored keeps it: known by source, path and content, else by source and
    path, whatever its place in the file is now. Else the first by order of sources, then by the
    bytes of the path, then by place in the file.
    """
    ranked = sorted(claims, key=_rank)
    if current is not None:
        same_file = [one for one in ranked if _file(one) == _file(current)]
        same_text = [one for one in same_file if one.digest and one.digest == current.digest]
        ranked = same_text or same_file or ranked
    return ranked[0] if ranked else None


def _rank(claim: Claim) -> tuple[int, bytes, int]:
    return claim.order, claim.path.encode("utf-8", "surrogateescape"), claim.index


def _file(claim: Claim) -> tuple[str, str]:
    return claim.source, claim.path
