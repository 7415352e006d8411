"""The people of groups, as policies and schedules mean them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.catalog.service import relating

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pilothouse.kernel.tx import Tx

DEEP = 3  # of groups within a group without members of its own


def members_of(tx: Tx, groups: Sequence[str]) -> dict[str, list[str]]:
    """The people of each group; of one without members of its own, those of the groups in it."""
    if not groups:
        return {}
    found = relating.sources(tx, groups, "memberOf", "user")
    within: dict[str, list[str]] = {group: [group] for group in groups if not found[group]}
    for _ in range(DEEP):
        if not within:
            break
        asked = sorted(_all(within.values()))
        children = relating.sources(tx, asked, "childOf", "group")
        within = {top: [c for g in each for c in children[g]] for top, each in within.items()}
        below = relating.sources(tx, sorted(_all(within.values())), "memberOf", "user")
        for top, each in list(within.items()):
            found[top] = sorted({person for group in each for person in below[group]})
            if found[top] or not each:
                del within[top]
    return found


def _all(lists: Iterable[Sequence[str]]) -> set[str]:
    return {one for each in lists for one in each}
