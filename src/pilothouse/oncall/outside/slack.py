"""Slack: chat.postMessage of the Web API, by the bot of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilothouse.kernel import outgoing
from pilothouse.oncall.formats import slack as format_
from pilothouse.oncall.model.methods import Answer
from pilothouse.oncall.outside import providers as asking
from pilothouse.oncall.rules import answers

if TYPE_CHECKING:
    from pilothouse.oncall.model.methods import Message, Method
    from pilothouse.oncall.outside.providers import Providers

# Errors that another try can change; all others say that something is set up wrongly.
LATER = frozenset(
    {
        "fatal_error", "internal_error", "ratelimited", "rate_limited", "request_timeout",
        "service_unavailable", "team_added_to_org",
    }
)  # fmt: skip


class _Reply(msgspec.Struct):
    ok: bool = False
    error: str = ""
    ts: str = ""


def send(method: Method, message: Message, providers: Providers) -> Answer:
    """Post a message once. Slack says 200 also where it refuses: its `ok` counts."""
    if not providers.slack_token:
        return answers.hopeless("Slack is not set up: slack_token in the settings")
    url = f"{providers.slack_url}/chat.postMessage"
    asked = asking.Asking(
        url=url,
        headers={
            "Content-Type": "application/json; charset=utf-8",
            "Authorization": f"Bearer {providers.slack_token}",
        },
        body=format_.write(message, method.address),
        trusted=asking.own(url),
        seconds=providers.seconds,
        secrets=(providers.slack_token, method.address),
    )
    reply = asking.post(asked)
    if not isinstance(reply, outgoing.Reply) or reply.status not in answers.FINE:
        return asking.judged(reply)
    try:
        said = msgspec.json.decode(reply.body, type=_Reply)
    except msgspec.DecodeError:
        return answers.failed("Slack answered what is not JSON", reply.status)
    if said.ok:
        return Answer(fine=True, status=reply.status, words="taken", id=said.ts)
    words = answers.plain(said.error, *asked.secrets)
    if said.error in LATER:
        return answers.failed(words, reply.status)
    return answers.hopeless(words or "refused", reply.status)
