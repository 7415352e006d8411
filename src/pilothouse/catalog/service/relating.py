"""Relations of one type, for those who follow them: who owns, who is a member, what is a part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.catalog.store import relations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.tx import Tx


def sources(tx: Tx, refs: Sequence[str], relation: str, kind: str) -> dict[str, list[str]]:
    """Of each of these refs the entities of a kind (in lower case) whose relation leads to it."""
    found: dict[str, list[str]] = {ref: [] for ref in refs}
    for source, target in relations.leading_to(tx.conn, list(refs), relation, kind):
        found[target].append(source)
    return found


def targets(tx: Tx, refs: Sequence[str], relation: str) -> dict[str, list[str]]:
    """Of each of these refs where its relations of a kept type lead."""
    found: dict[str, list[str]] = {ref: [] for ref in refs}
    for source, target in relations.leading_from(tx.conn, list(refs), relation):
        found[source].append(target)
    return found
