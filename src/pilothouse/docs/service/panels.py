"""What docs put on the page of an entity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import views
from pilothouse.docs.service import runbooks
from pilothouse.docs.service.runbooks import Runbook

if TYPE_CHECKING:
    from pilothouse.kernel.refs import EntityRef
    from pilothouse.kernel.tx import Tx


class Runbooks(msgspec.Struct, frozen=True):
    """The runbooks of an entity: those read here, and links to those elsewhere."""

    items: list[Runbook]
    outside: list[tuple[str, str]]  # title, url

    @property
    def total(self) -> int:
        return len(self.items) + len(self.outside)


def of_entity(tx: Tx, ref: EntityRef) -> Runbooks | None:
    """The runbooks of an entity; None when it has none."""
    items = runbooks.runbooks_for(tx, [str(ref)]).get(str(ref), [])
    known = {item.href for item in items}
    links = views.body(tx, ref)["metadata"].get("links") or ()
    outside = [
        (str(link.get("title") or link.get("url")), str(link.get("url")))
        for link in links
        if isinstance(link, dict) and link.get("type") == "runbook"
    ]
    here = runbooks.linked(tx, ref, [url for _, url in outside])
    left = [(title, url) for title, url in outside if here.get(url) not in known]
    found = Runbooks(items, left)
    return found if found.total else None
