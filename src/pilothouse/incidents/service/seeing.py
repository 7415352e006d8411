"""Who may know of an incident, and as whom somebody acts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.kernel.actors import ANYBODY, SYSTEM

if TYPE_CHECKING:
    from pilothouse.kernel.actors import Actor
    from pilothouse.kernel.tx import Tx

NOBODYS = (SYSTEM.id, ANYBODY.id)


def names(tx: Tx) -> tuple[str, ...]:
    """By which names the actor may be named on a restricted incident; () for the program itself.

    What the program does for all (Now, panels, the copy) sees only what everybody may.
    """
    return names_of(tx.actor)


def names_of(actor: Actor) -> tuple[str, ...]:
    if actor.id in NOBODYS:
        return ()
    return tuple(one for one in (actor.ref, actor.id) if one)


def me(tx: Tx) -> str:
    """What the actor is called in what is written: the User of the catalog, if they are one."""
    return tx.actor.ref or tx.actor.id
