"""The pages of checks that belong in the copy as plain files."""

from __future__ import annotations

from collections.abc import Iterator

from pilothouse.checks.service import agents, showing, showing_status, telling
from pilothouse.checks.store import reading
from pilothouse.kernel.module import Exported
from pilothouse.kernel.tx import Tx


def exported(tx: Tx) -> Iterator[Exported]:
    """The list, each check, the locations, the public status pages; nothing where there is none."""
    checks = reading.all_checks(tx.conn)
    if checks:
        yield Exported("/checks")
        for offset in range(showing.PAGE, len(checks), showing.PAGE):
            yield Exported(f"/checks?offset={offset}")
        yield Exported("/locations")
    for one in checks:
        yield Exported(telling.href(one.ref))  # each time: results come without an event
    for place in agents.all_locations(tx):
        if checks:
            yield Exported(telling.location_href(place.name))
    for ref in showing_status.systems(tx):
        yield Exported(showing_status.href(ref))
