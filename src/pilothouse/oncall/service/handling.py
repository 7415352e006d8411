"""Who may do something with pages and silences, and whom their forms mean."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from pilothouse.catalog.service import views
from pilothouse.kernel import durations
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.auth.service import owning
from pilothouse.kernel.errors import Denied, Invalid
from pilothouse.kernel.refs import EntityRef
from pilothouse.oncall.service import reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.tx import Tx
    from pilothouse.oncall.model.paging import Page

LONGEST_WHY = 200
TOLD = ("user", "group", "schedule")


def by(actor: Actor) -> str:
    """What people call someone who does something with a page."""
    return actor.ref or actor.name


def may(tx: Tx, actor: Actor, entity: str) -> bool:
    """Whether someone may page for an entity, or silence it: responders, and those who own it."""
    if actor.role >= Role.RESPONDER:
        return True
    return bool(entity) and owning.may_edit(tx, actor, entity)


def require(tx: Tx, actor: Actor, entity: str) -> None:
    """Raises Denied where someone may not."""
    if may(tx, actor, entity):
        return
    if entity:
        owning.require_edit(tx, actor, entity)
    raise Denied(f"{actor.name} is {actor.role.name.lower()}. Ask a responder to do it.")


def may_steer(tx: Tx, actor: Actor, page: Page) -> bool:
    """Whether someone may do something with a page: also whoever it wants."""
    if may(tx, actor, page.entity):
        return True
    if actor.role < Role.VIEWER or actor.ref is None:
        return False
    return actor.ref in {one.person for one in reading.responders(tx, page.id)}


def require_steer(tx: Tx, actor: Actor, page: Page) -> None:
    """Raises Denied where someone may not do anything with a page."""
    if not may_steer(tx, actor, page):
        require(tx, actor, page.entity)


def whom(tx: Tx, written: str, kinds: Sequence[str] = TOLD) -> str:
    """The ref of whom a form names: "maya", "group:shop". Raises Invalid."""
    text = written.strip()
    if not text:
        raise Invalid(f"Say whom: {', '.join(kinds)}.")
    ref = str(EntityRef.parse(text, kinds[0]))
    if ref.partition(":")[0] not in kinds:
        raise Invalid(f"{ref} is no {' or '.join(kinds)}.")
    if not views.name_all(tx, [ref])[ref].exists:
        raise Invalid(f"{ref} is not in the catalog.")
    return ref


def end_of(now: datetime, length: str, until: str, zone: tzinfo) -> datetime:
    """Until when: a time as a form has it, in the reader's zone, else a length. Raises Invalid."""
    if until.strip():
        try:
            at = datetime.fromisoformat(until.strip())
        except ValueError:
            raise Invalid(f"{until[:50]!r} is not a time: write 2026-11-23T09:00.") from None
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    if not length.strip():
        raise Invalid("Say until when.")
    return now + durations.parse(length.strip())


def reason(written: str) -> str:
    """Why somebody does something, as one line."""
    return " ".join(written.split())[:LONGEST_WHY]
