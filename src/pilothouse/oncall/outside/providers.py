"""What adapters need of the settings, and how they ask: once, for five seconds at most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from pilothouse.kernel import clock, outgoing
from pilothouse.oncall.rules import answers

if TYPE_CHECKING:
    from pilothouse.kernel.settings import Settings
    from pilothouse.oncall.model.methods import Answer

SECONDS = 5.0  # that a provider is waited for: the next method is to come in time


class Providers(msgspec.Struct, frozen=True, kw_only=True):
    """Where the settings say that messages go, and the key that is theirs alone."""

    home: str
    key: str
    trusted: frozenset[str] = frozenset()  # hosts that people's methods may name, on any network
    smtp_url: str = ""
    smtp_from: str = ""
    slack_token: str = ""
    slack_url: str = "https://slack.com/api"
    twilio_account: str = ""
    twilio_token: str = ""
    twilio_from: str = ""
    twilio_url: str = "https://api.twilio.com"
    inbox: bool = False
    seconds: float = SECONDS


def of(settings: Settings, key: str) -> Providers:
    """The providers of these settings."""
    return Providers(
        home=settings.home.rstrip("/"),
        key=key,
        trusted=frozenset(settings.contact_hosts),
        smtp_url=settings.smtp_url or "",
        smtp_from=settings.smtp_from or "",
        slack_token=settings.slack_token or "",
        slack_url=settings.slack_url.rstrip("/"),
        twilio_account=settings.twilio_account or "",
        twilio_token=settings.twilio_token or "",
        twilio_from=settings.twilio_from or "",
        twilio_url=settings.twilio_url.rstrip("/"),
        inbox=settings.inbox,
    )


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """A request to a provider."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    trusted: frozenset[str] = frozenset()
    seconds: float = SECONDS
    secrets: tuple[str, ...] = ()  # that no words of an error may repeat


def own(url: str) -> frozenset[str]:
    """The host of an address in the settings: an admin wrote it there, so it is trusted."""
    return frozenset((outgoing.host_of(url),))


def post(asking: Asking) -> outgoing.Reply | Answer:
    """What a provider answered; an Answer where it did not."""
    try:
        return outgoing.fetch(
            "POST",
            asking.url,
            asking.headers,
            asking.body,
            trusted=asking.trusted,
            seconds=asking.seconds,
        )
    except outgoing.Forbidden as error:
        return answers.hopeless(answers.plain(str(error), *asking.secrets))
    except outgoing.Unreachable as error:
        return answers.failed(answers.plain(str(error), *asking.secrets))


def judged(reply: outgoing.Reply | Answer, words: str = "", name: str = "") -> Answer:
    """An answer over HTTP as it is kept."""
    if not isinstance(reply, outgoing.Reply):
        return reply
    return answers.read(reply.status, reply.headers, clock.now(), words=words, name=name)
