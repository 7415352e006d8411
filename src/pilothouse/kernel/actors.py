"""Who does something. Every request and every write has an actor."""

from __future__ import annotations

from enum import IntEnum

import msgspec


class Role(IntEnum):
    """What an actor may do; each role may do what those before it may."""

    VIEWER = 1
    RESPONDER = 2
    EDITOR = 3
    ADMIN = 4


class Actor(msgspec.Struct, frozen=True):
    """A person or a program; `id` is what the journal keeps."""

    id: str
    name: str
    role: Role = Role.VIEWER


SYSTEM = Actor("system", "Pilothouse", Role.ADMIN)
LOCAL_ADMIN = Actor("local", "local admin", Role.ADMIN)
