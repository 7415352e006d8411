"""Who may change what: a role is enough, and so is being of the team that owns it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import Denied

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx


def may_edit(tx: Tx, actor: Actor, ref: str) -> bool:
    """Whether someone may change what belongs to an entity.

    Editors may; so may, of those who are at least viewers, the owner and the people of the team
    that owns it, as the catalog and their provider have it now. Asked once a transaction.
    """
    if actor.role >= Role.EDITOR:
        return True
    if actor.role < Role.VIEWER:
        return False
    mine = set(actor.teams)
    if actor.ref:
        mine |= {actor.ref, *_teams(tx, actor.ref)}
    return bool(mine) and not mine.isdisjoint(_owners(tx, ref))


def require_edit(tx: Tx, actor: Actor, ref: str) -> None:
    """Raises Denied when someone may not change what belongs to an entity."""
    if not may_edit(tx, actor, ref):
        owners = " or ".join(_owners(tx, ref)[:3])
        raise Denied(
            f"{actor.name} is {actor.role.name.lower()} and not of the team that owns {ref}. "
            f"Ask {owners or 'an admin'} to do it" + (", or an admin." if owners else ".")
        )


def _teams(tx: Tx, ref: str) -> tuple[str, ...]:
    return tx.once(("auth.teams", ref), lambda: tuple(tx.ties.members(tx, [ref]).get(ref, ())))


def _owners(tx: Tx, ref: str) -> tuple[str, ...]:
    return tx.once(("auth.owners", ref), lambda: tuple(tx.ties.owners(tx, ref)))
