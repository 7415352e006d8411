"""Messages that come in at once are stored in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from pilothouse.deploys.model import Delivery
from pilothouse.deploys.service import receiving
from pilothouse.kernel.actors import Actor
from pilothouse.kernel.group_commit import GroupCommit
from pilothouse.kernel.module import Receives
from pilothouse.kernel.tx import Tx

MOST = 100  # requests of one transaction
MOST_CHARACTERS = 8_000_000
MOST_OTHERS = 500  # events of one transaction that other modules take


class Message(msgspec.Struct, frozen=True):
    """The deliveries of one request: all are stored, or none."""

    found: Sequence[Delivery]
    actor: Actor | None = None  # whose deed it is; None: a webhook's secret let it in
    # Of each delivery who else takes it, and what of it; None: deployments.
    others: Sequence[tuple[Receives, Any] | None] = ()
    size: int = 0  # bytes, where the deliveries do not keep them


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
    _pass_on(tx, messages, answers)
    return answers


def _pass_on(tx: Tx, messages: Sequence[Message], answers: Sequence[Sequence[bool]]) -> None:
    """What other modules take, each of them in one go; a replay is not taken again."""
    found: dict[int, tuple[Receives, list[Any]]] = {}
    for message, fresh in zip(messages, answers, strict=True):
        for other, is_new in zip(message.others, fresh, strict=False):
            if other is not None and is_new:
                found.setdefault(id(other[0]), (other[0], []))[1].append(other[1])
    for receives, items in found.values():
        receives.take(tx, items)


def _weigh(message: Message) -> float:
    size = message.size + sum(len(one.body) for one in message.found)
    return max(1 / MOST, size / MOST_CHARACTERS, sum(map(bool, message.others)) / MOST_OTHERS)


MESSAGES = GroupCommit(_write, _weigh)
