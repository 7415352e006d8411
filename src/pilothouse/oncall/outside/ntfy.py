"""ntfy: a topic on ntfy.sh, or on a server of one's own (docs.ntfy.sh, "Publish as JSON")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pilothouse.kernel import outgoing
from pilothouse.kernel.errors import Invalid
from pilothouse.oncall.outside import providers as asking
from pilothouse.oncall.rules import answers, contacts

if TYPE_CHECKING:
    from pilothouse.oncall.model.methods import Answer, Message, Method
    from pilothouse.oncall.outside.providers import Providers

HIGHEST, DEFAULT = 5, 3
LONGEST, LONGEST_TITLE = 3500, 240  # bytes of 4,096; characters


class _Reply(msgspec.Struct):
    id: str = ""
    error: str = ""


def send(method: Method, message: Message, providers: Providers) -> Answer:
    """Publish a message once. The same dedup key again updates the notification."""
    try:
        topic = contacts.ntfy(method.address)
    except Invalid as error:
        return answers.hopeless(str(error))
    headers = {"Content-Type": "application/json"}
    if topic.token:
        headers["Authorization"] = f"Bearer {topic.token}"
    asked = asking.Asking(
        url=topic.server,
        headers=headers,
        body=msgspec.json.encode(_body(topic.topic, message)),
        trusted=providers.trusted,
        seconds=providers.seconds,
        secrets=(method.address, topic.token, topic.topic),
    )
    reply = asking.post(asked)
    said = _read(reply)
    return asking.judged(reply, answers.plain(said.error, *asked.secrets), said.id)


def _body(topic: str, message: Message) -> dict[str, Any]:
    body: dict[str, Any] = {
        "topic": topic,
        "title": message.title[:LONGEST_TITLE],
        "message": message.body.encode()[:LONGEST].decode(errors="ignore") or message.title,
        "priority": HIGHEST if message.urgency == "high" and message.kind != "test" else DEFAULT,
        "sequence_id": message.dedup_key[:64],
    }
    if message.url.startswith("http"):
        body["click"] = message.url
    if message.acknowledge_url:  # it opens a page that shows what will happen, and asks
        action = {"action": "view", "label": "Acknowledge", "url": message.acknowledge_url}
        body["actions"] = [action | {"clear": True}]
    return body


def _read(reply: outgoing.Reply | Answer) -> _Reply:
    if not isinstance(reply, outgoing.Reply):
        return _Reply()
    try:
        return msgspec.json.decode(reply.body, type=_Reply)
    except msgspec.DecodeError:
        return _Reply()
