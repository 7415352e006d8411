"""Documents that claim one ref: both are told, each where the other stands."""

from __future__ import annotations

from collections.abc import Sequence

from pilothouse.catalog.model import Claim, Problem, Scope
from pilothouse.catalog.rules.problems import CODES
from pilothouse.catalog.store import problems
from pilothouse.kernel.tx import Tx

MOST_RIVALS = 5  # named to the document that keeps a ref; more are counted


def tell_rivals(
    tx: Tx, refs: Sequence[str], held: dict[str, list[Claim]], holders: set[int]
) -> None:
    """Both documents of a ref claimed twice are told, each where the other stands."""
    earlier = problems.clear_refs(tx.conn, Scope.CLAIM, refs)
    found: list[tuple[int, Problem]] = []
    for ref, rivals in held.items():
        if len(rivals) > 1:
            keeper = next(claim for claim in rivals if claim.document_id in holders)
            found += [(claim.source_id, _rivalry(ref, claim, keeper, rivals)) for claim in rivals]
    problems.add(tx.conn, Scope.CLAIM, found, tx.now, earlier)


def _rivalry(ref: str, claim: Claim, keeper: Claim, rivals: list[Claim]) -> Problem:
    if claim is keeper:
        code = "contested-ref"
        others = [_place(other, claim) for other in rivals[: MOST_RIVALS + 1] if other is not claim]
        more = len(rivals) - 1 - len(others[:MOST_RIVALS])
        named = ", ".join(others[:MOST_RIVALS]) + (f" and {more:,} more" if more else "")
        words = f"{ref} is also claimed by {named}; this document keeps it"
    else:
        code = "duplicate-ref"
        words = (
            f"{ref} is held by {_place(keeper, claim)}, so this document is left out. "
            "Rename one of the two, or delete one."
        )
    return Problem(
        code=code,
        severity=CODES[code].severity,
        message=words,
        file=claim.path,
        line=claim.line,
        ref=ref,
        field="metadata.name",
        found=claim.entity.body["metadata"]["name"],
        expected="a name that no other document of this kind and namespace has",
    )


def _place(claim: Claim, seen_from: Claim) -> str:
    place = f"{claim.path}:{claim.line}"
    return place if claim.source_id == seen_from.source_id else f"{place} in {claim.spec}"
