"""Who may pause checks and have them run: whoever responds, and the team that owns them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.auth.service import owning

if TYPE_CHECKING:
    from pilothouse.checks.model.kept import Check
    from pilothouse.kernel.tx import Tx


def may(tx: Tx, actor: Actor, check: Check) -> bool:
    """Whether someone may: at night it is rarely the owner who must."""
    return actor.role >= Role.RESPONDER or owning.may_edit(tx, actor, check.entity)


def require(tx: Tx, actor: Actor, check: Check) -> None:
    """Raises Denied, saying whom to ask."""
    if actor.role < Role.RESPONDER:
        owning.require_edit(tx, actor, check.entity)
