"""What has no adapter of its own here goes by Apprise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.kernel.alerts import model, outside
from pilothouse.kernel.errors import Invalid
from pilothouse.oncall.model.methods import Answer
from pilothouse.oncall.rules import answers, contacts

if TYPE_CHECKING:
    from pilothouse.oncall.model.methods import Message, Method
    from pilothouse.oncall.outside.providers import Providers


def send(method: Method, message: Message, _providers: Providers) -> Answer:
    """Hand a message to Apprise once; it says no status."""
    try:
        url = contacts.take("apprise", method.address).address
        words = outside.apprise(url, _as_alert(message))
    except Invalid as error:
        return answers.hopeless(str(error))
    except outside.Undelivered as error:
        said = answers.plain(str(error), method.address)
        return answers.hopeless(said) if error.hopeless else answers.failed(said)
    return Answer(fine=True, words=words)


def _as_alert(message: Message) -> model.Message:
    links = [message.acknowledge_url and f"Acknowledge: {message.acknowledge_url}", message.url]
    return model.Message(
        delivery=message.dedup_key,
        key=message.dedup_key,
        state="cleared" if message.kind == "resolved" else "raised",
        source="oncall",
        entity="",
        summary=message.title,
        detail="\n".join(part for part in (message.body, *links) if part),
        urgency=message.urgency,
        policy="",
        url="",
        since=message.at,
        at=message.at,
    )
