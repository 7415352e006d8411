"""What is told at once is stored in one transaction; nobody is answered before theirs is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from pilothouse.kernel.errors import Busy, Conflict
from pilothouse.kernel.group_commit import GroupCommit
from pilothouse.kernel.tx import Tx
from pilothouse.oncall.model.intake import Told
from pilothouse.oncall.service import taking

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Database

MOST = 200  # requests of one transaction
MOST_TOLD = 1000
TRIES = 5


class Message(msgspec.Struct, frozen=True):
    """What one request tells."""

    told: Sequence[Told]


def _write(tx: Tx, messages: Sequence[Message]) -> list[None]:
    taking.take_in(tx, [one for message in messages for one in message.told])
    return [None] * len(messages)


MESSAGES = GroupCommit(_write, lambda one: max(1 / MOST, len(one.told) / MOST_TOLD))


def store(db: Database, told: Sequence[Told]) -> None:
    """Take in what a request tells. Raises Busy: its sender is to say it again."""
    for _ in range(TRIES):
        try:
            MESSAGES.store(db, Message(told))
        except Conflict:  # somebody changed the same page at this moment
            continue
        return
    raise Busy("the same page is being changed by many at once; send it again")
