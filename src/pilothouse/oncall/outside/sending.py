"""One message by one method: whichever adapter that is, it answers and raises nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from pilothouse.oncall.model.methods import Answer
from pilothouse.oncall.outside import apprise, email, ntfy, slack, twilio, web_push, webhook
from pilothouse.oncall.rules import answers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pilothouse.oncall.model.methods import Channel, Message, Method
    from pilothouse.oncall.outside.providers import Providers

log = structlog.get_logger("pilothouse.oncall")

UNREADABLE = "its address cannot be read: it was sealed with another secret key; add it again"


def send(method: Method, message: Message, providers: Providers) -> Answer:
    """Hand a message to a provider once."""
    if not method.address:
        return answers.hopeless(UNREADABLE)
    try:
        return ADAPTERS[method.channel](method, message, providers)
    except Exception as error:  # noqa: BLE001  Apprise alone speaks to a hundred services
        # Neither its words nor where it was: both may hold an address.
        log.warning("oncall.adapter_failed", channel=method.channel, error=type(error).__name__)
        return answers.failed(f"the adapter failed: {type(error).__name__}")


def _inbox(_method: Method, _message: Message, providers: Providers) -> Answer:
    """Of the demo: who calls this keeps the message, and a page shows it."""
    if not providers.inbox:
        return answers.hopeless("there is an inbox in the demo only")
    return Answer(fine=True, status=200, words="in the inbox")


ADAPTERS: Mapping[Channel, Callable[[Method, Message, Providers], Answer]] = {
    "email": email.send,
    "webhook": webhook.send,
    "ntfy": ntfy.send,
    "slack": slack.send,
    "sms": twilio.text,
    "voice": twilio.call,
    "web_push": web_push.send,
    "apprise": apprise.send,
    "inbox": _inbox,
}
