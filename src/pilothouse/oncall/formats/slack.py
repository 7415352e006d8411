"""A message as Slack takes it (chat.postMessage, Block Kit), and a button that was pressed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from pilothouse.oncall.model.methods import Message

ACKNOWLEDGE = "pilothouse_acknowledge"
LONGEST = 2900  # of a block's 3,000 characters
LONGEST_TITLE = 150


class Pressed(msgspec.Struct, frozen=True):
    """A button that somebody pressed."""

    value: str
    user: str  # U0123ABCD
    name: str = ""


class _User(msgspec.Struct):
    id: str = ""
    username: str = ""
    name: str = ""


class _Action(msgspec.Struct):
    action_id: str = ""
    value: str = ""


class _Payload(msgspec.Struct):
    type: str = ""
    user: _User = msgspec.field(default_factory=_User)
    actions: list[_Action] = []


def write(message: Message, channel: str) -> bytes:
    """The body of chat.postMessage. What others wrote stands in plain text: it cannot mention."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(message.title[:LONGEST_TITLE])},
    ]
    if message.body:
        blocks.append({"type": "section", "text": _plain(message.body[:LONGEST])})
    if buttons := _buttons(message):
        blocks.append({"type": "actions", "elements": buttons})
    said = {
        "channel": channel,
        "text": _escaped(message.title[:LONGEST]),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": {
            "event_type": "pilothouse_notification",
            "event_payload": {"dedup_key": message.dedup_key, "page": message.number},
        },
    }
    return msgspec.json.encode(said)


def _buttons(message: Message) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if message.acknowledge_url:
        found.append(
            {
                "type": "button",
                "style": "primary",
                "text": _plain("Acknowledge"),
                "action_id": ACKNOWLEDGE,
                "value": message.acknowledge_url.rpartition("/")[2],
            }
        )
    if message.url.startswith("http"):
        opens = {"type": "button", "text": _plain("Open"), "action_id": "pilothouse_open"}
        found.append(opens | {"url": message.url})
    return found


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def pressed(payload: str) -> Pressed | None:
    """The button of an interaction's payload; None for whatever else it is.

    Raises msgspec.DecodeError for what is no payload.
    """
    found = msgspec.json.decode(payload, type=_Payload)
    for one in found.actions[:10]:
        if found.type == "block_actions" and one.action_id == ACKNOWLEDGE:
            return Pressed(one.value, found.user.id, found.user.name or found.user.username)
    return None
