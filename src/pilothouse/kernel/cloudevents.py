"""CloudEvents as they come in: the word for a message that any module may take."""

from __future__ import annotations

from typing import Any

import msgspec


class CloudEvent(msgspec.Struct, frozen=True):
    """One event; `data` is what it carries, decoded where it is JSON."""

    id: str
    source: str
    type: str
    time: str = ""
    subject: str = ""
    data: Any = None
    change: str = ""  # the extension pilothousechange: of any type, it is a change of this kind
