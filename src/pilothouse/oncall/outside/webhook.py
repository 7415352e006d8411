"""A webhook of a person's own: the message as JSON, signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilothouse.kernel import clock
from pilothouse.kernel.alerts.rules import signature
from pilothouse.oncall.outside import providers as asking
from pilothouse.oncall.rules.links import webhook_secret

if TYPE_CHECKING:
    from pilothouse.oncall.model.methods import Answer, Message, Method
    from pilothouse.oncall.outside.providers import Providers


def send(method: Method, message: Message, providers: Providers) -> Answer:
    """Post a message once."""
    body = msgspec.json.encode(message)
    secret = webhook_secret(providers.key, method.id)
    headers = {
        "Content-Type": "application/json",
        "Pilothouse-Key": message.dedup_key,
        "Idempotency-Key": f'"{message.dedup_key}"',
        "Pilothouse-Signature": signature(secret, body, clock.now()),
    }
    asked = asking.Asking(
        url=method.address,
        headers=headers,
        body=body,
        trusted=providers.trusted,
        seconds=providers.seconds,
        secrets=(method.address,),
    )
    return asking.judged(asking.post(asked))
