"""Twilio: text messages and calls by the account of the settings."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec

from pilothouse.kernel import outgoing
from pilothouse.oncall.formats import twiml
from pilothouse.oncall.outside import providers as asking
from pilothouse.oncall.rules import answers

if TYPE_CHECKING:
    from pilothouse.oncall.model.methods import Answer, Message, Method
    from pilothouse.oncall.outside.providers import Providers

RINGS = "25"  # seconds


class _Reply(msgspec.Struct):
    sid: str = ""
    code: int | None = None
    message: str = ""


def text(method: Method, message: Message, providers: Providers) -> Answer:
    """Send a text message once."""
    return _ask("Messages", method, {"Body": twiml.text(message)}, providers)


def call(method: Method, message: Message, providers: Providers) -> Answer:
    """Begin a call. The key that is pressed in it comes back to /hooks/twilio."""
    token = message.acknowledge_url.rpartition("/")[2]
    # Twilio must reach us for that; what it says there, it signs.
    action = f"{providers.home}/hooks/twilio/{token}" if token else ""
    said = {"Twiml": twiml.call(message, action), "Timeout": RINGS}
    return _ask("Calls", method, said, providers)


def _ask(what: str, method: Method, said: dict[str, str], providers: Providers) -> Answer:
    account, token = providers.twilio_account, providers.twilio_token
    if not (account and token and providers.twilio_from):
        needed = "twilio_account, twilio_token and twilio_from in the settings"
        return answers.hopeless(f"Twilio is not set up: {needed}")
    basic = base64.b64encode(f"{account}:{token}".encode()).decode()
    url = f"{providers.twilio_url}/2010-04-01/Accounts/{account}/{what}.json"
    asked = asking.Asking(
        url=url,
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "Authorization": f"Basic {basic}",
        },
        body=urlencode({"To": method.address, "From": providers.twilio_from, **said}).encode(),
        trusted=asking.own(url),
        seconds=providers.seconds,
        secrets=(token, basic, account, method.address, method.address[1:]),
    )
    reply = asking.post(asked)
    if not isinstance(reply, outgoing.Reply):
        return reply
    try:
        found = msgspec.json.decode(reply.body, type=_Reply)
    except msgspec.DecodeError:
        found = _Reply()
    words = f"{found.message} ({found.code})" if found.code else found.message
    return asking.judged(reply, answers.plain(words, *asked.secrets), found.sid)
