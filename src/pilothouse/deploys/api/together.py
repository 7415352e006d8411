"""Messages that come in at once are stored in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pilothouse.deploys.model import Delivery
from pilothouse.deploys.service import receiving
from pilothouse.kernel.actors import Actor
from pilothouse.kernel.group_commit import GroupCommit
from pilothouse.kernel.tx import Tx

MOST = 100  # requests of one transaction
MOST_CHARACTERS = 8_000_000


class Message(msgspec.Struct, frozen=True):
    """The deliveries of one request: all are stored, or none."""

    found: Sequence[Delivery]
    actor: Actor | None = None  # whose deed it is; None: a webhook's secret let it in


def _write(tx: Tx, messages: Sequence[Message]) -> list[list[bool]]:
    """Of each delivery of each message whether it is new."""
    new = iter(receiving.store(tx, [one for message in messages for one in message.found]))
    answers: list[list[bool]] = []
    for message in messages:
        fresh = [next(new) for _ in message.found]
        answers.append(fresh)
        if message.actor is not None:
            stored = [one for one, is_new in zip(message.found, fresh, strict=True) if is_new]
            receiving.write_deed(tx, message.actor, stored)
    return answers


def _weigh(message: Message) -> float:
    size = sum(len(one.body) for one in message.found)
    return max(1 / MOST, size / MOST_CHARACTERS)


MESSAGES = GroupCommit(_write, _weigh)
