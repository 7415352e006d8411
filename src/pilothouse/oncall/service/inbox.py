"""The inbox of the demo: what its people were told stands on a page."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.kernel import events
from pilothouse.kernel.events import Event
from pilothouse.oncall.model.methods import Message
from pilothouse.oncall.rules import links

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx
    from pilothouse.oncall.model.methods import Method

INBOXED = "oncall.inboxed"
SHOWN = timedelta(days=7)
MOST = 50


class Kept(msgspec.Struct, frozen=True):
    """A message, and the page and notification that it is of; "" for other notices."""

    message: Message
    page: str = ""
    notification: str = ""


def keep(tx: Tx, method: Method, kept: Kept) -> None:
    """Put a message into the inbox, once. Its link is made anew where it is shown."""
    if method.channel != "inbox":
        return
    without = msgspec.structs.replace(kept.message, acknowledge_url="")
    data = msgspec.to_builtins(msgspec.structs.replace(kept, message=without))
    tx.emit(
        Event(
            type=INBOXED,
            entities=(method.person,),
            data=data,
            dedup_key=f"inbox {kept.message.dedup_key}"[:255],
        )
    )


def read(tx: Tx, key: str) -> list[tuple[Kept, str]]:
    """Messages, the newest first, each with the path that acknowledges it, or ""."""
    asked = events.Asked(start=tx.now - SHOWN, end=tx.now + timedelta(minutes=1), types=(INBOXED,))
    found = [msgspec.convert(one.data, Kept) for one in events.among(tx.conn, asked)]
    found = sorted(found, key=lambda one: one.message.at, reverse=True)[:MOST]
    return [(one, _path(key, one)) for one in found]


def _path(key: str, kept: Kept) -> str:
    if not kept.notification:
        return ""
    said = kept.message
    token = links.write(key, kept.notification, kept.page, said.person, said.at)
    return f"/acknowledge/{token}"
