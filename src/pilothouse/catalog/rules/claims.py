"""Who holds a ref that several documents claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilothouse.catalog.model import Claim


def holder(claims: Iterable[Claim], stored: int | None = None) -> Claim:
    """The one of these claims, at least one, that gets the ref.

    The document that is stored keeps it (`stored` is its id). Else the first by order of sources,
    then by the bytes of the path, then by place in the file.
    """
    ranked = sorted(claims, key=_rank)
    return next((one for one in ranked if one.document_id == stored), ranked[0])


def _rank(claim: Claim) -> tuple[int, bytes, int]:
    return claim.position, claim.path.encode("utf-8", "surrogateescape"), claim.place
