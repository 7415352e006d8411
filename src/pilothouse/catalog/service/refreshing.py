"""Asking for a look at a source before its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.catalog.service import browsing, origins, passes
from pilothouse.kernel.actors import SYSTEM
from pilothouse.kernel.events import Event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilothouse.kernel.refs import EntityRef
    from pilothouse.kernel.tx import Tx

SYNC = "catalog.sync"  # the job that looks at a source
ASKED = "catalog.refresh_asked"  # the event that a person wanted it


def refresh_source(tx: Tx, spec: str) -> None:
    """Look at a source at once, named as it was given or as answers show it.

    Raises NotFound for one that is not of this catalog.
    """
    known = {origins.shown(source.spec): source.spec for source in passes.all_sources(tx)}
    source = passes.source(tx, known.get(spec, spec))
    tx.enqueue(SYNC, {"source": source.spec}, key=source.spec)
    if tx.actor != SYSTEM:
        tx.emit(Event(type=ASKED, data={"source": origins.shown(source.spec)}))


def refresh_repositories(tx: Tx, addresses: Iterable[str]) -> None:
    """Look at once at all sources that are read from repositories.

    Each may be named by any of its addresses, those of people and those that git takes.
    """
    wanted = {place for address in addresses if (place := _place(address))}
    if not wanted:
        return
    for source in passes.all_sources(tx):
        if _place(source.spec) in wanted:
            tx.enqueue(SYNC, {"source": source.spec}, key=source.spec)


def _place(address: str) -> str:
    """Host and path of a repository, however one gets there: ports differ by protocol."""
    host, _, path = origins.web_address(address).partition("://")[2].partition("/")
    return f"{host.partition(':')[0]}/{path}".lower() if path else ""


def refresh_entity(tx: Tx, ref: EntityRef) -> None:
    """Look at once at the source that an entity comes from.

    Raises NotFound when the entity is not in the catalog.
    """
    refresh_source(tx, browsing.entity(tx, ref).origin)
