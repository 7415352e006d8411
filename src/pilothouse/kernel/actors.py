"""Who does something. Every request and every write has an actor."""

from __future__ import annotations

from enum import IntEnum

import msgspec


class Role(IntEnum):
    """What an actor may do; each role may do what those before it may."""

    NOBODY = 0  # not signed in
    VIEWER = 1
    RESPONDER = 2
    EDITOR = 3
    ADMIN = 4


class Actor(msgspec.Struct, frozen=True):
    """A person or a program; `id` is what the journal keeps."""

    id: str
    name: str
    role: Role = Role.VIEWER
    ref: str | None = None  # the User of the catalog that this is
    teams: tuple[str, ...] = ()  # Groups, by ref, as they were when this person was last asked for
    scopes: frozenset[str] = frozenset()  # narrow ones of an API token, beside its role
    location: str = ""  # the only one that an agent may speak for; "": any


class Identity(msgspec.Struct, frozen=True):
    """Who signed in, as the one who vouches for them says."""

    provider: str  # name of a provider of sign-in; "local" for our own users
    subject: str  # stable there
    name: str  # what they call themselves there: "maya"
    title: str = ""  # "Maya Okafor"
    email: str = ""  # "" unless the provider has verified it
    groups: tuple[str, ...] = ()


SYSTEM = Actor("system", "Pilothouse", Role.ADMIN)
LOCAL_ADMIN = Actor("local", "local admin", Role.ADMIN)
NOBODY = Actor("anonymous", "nobody", Role.NOBODY)
ANYBODY = Actor("anonymous", "anybody", Role.VIEWER)  # where those not signed in may read
