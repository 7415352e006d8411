"""A person presses Page: somebody is wanted for a service or a team, now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import views
from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.errors import Invalid, NotFound
from pilothouse.kernel.refs import EntityRef
from pilothouse.oncall.model.intake import PERSON
from pilothouse.oncall.model.paging import Page, Signal
from pilothouse.oncall.service import handling, paging, reading

if TYPE_CHECKING:
    from pilothouse.kernel.actors import Actor
    from pilothouse.kernel.tx import Tx

LONGEST = 200
KINDS = ("component", "api", "resource", "system", "domain", "group")


class Asked(msgspec.Struct, frozen=True):
    """The page that somebody is wanted by; `joined`: it was open already."""

    page: Page
    joined: bool


def entity_of(tx: Tx, written: str) -> str:
    """What somebody is wanted for. Raises Invalid, NotFound."""
    if not written.strip():
        raise Invalid("Say for what: the ref of a service or a team.")
    ref = str(EntityRef.parse(written.strip(), "component"))
    if ref.partition(":")[0] not in KINDS:
        raise Invalid(f"Nobody is paged for {ref}: name a service or a team.")
    if not views.name_all(tx, [ref])[ref].exists:
        raise NotFound(f"{ref} is not in the catalog.")
    return ref


def ask(tx: Tx, actor: Actor, entity: str, why: str, urgency: str) -> Asked:
    """Page whoever has the watch. Raises Denied, Invalid, NotFound."""
    ref = entity_of(tx, entity)
    handling.require(tx, actor, ref)
    why = " ".join(why.split())
    if not 0 < len(why) <= LONGEST:
        raise Invalid(f"Say what you need, in 1 to {LONGEST} characters.")
    signal = Signal(
        key=f"{PERSON}:{uuid7()}",
        source=PERSON,
        entity=ref,
        summary=why,
        detail=f"{actor.name} pressed Page.",
        urgency="low" if urgency == "low" else "high",
    )
    arrived = paging.take(tx, signal)
    assert arrived.page is not None  # noqa: S101  a person is never silenced
    page = reading.page(tx, arrived.page)
    return Asked(page, joined=page.alerts > 1)
