"""The nouns of sign-in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from pilothouse.kernel.actors import Actor, Identity, Role

LOCAL = "local"  # the provider of our own users
TOKEN_MARK = "ph_"  # noqa: S105  every API token begins with it

# What a token may do as its role, and narrow scopes with the role that may give them away.
ROLE_SCOPES = {
    "read": Role.VIEWER,
    "respond": Role.RESPONDER,
    "write": Role.EDITOR,
    "admin": Role.ADMIN,
}
NARROW_SCOPES = {"agent": Role.ADMIN, "events": Role.RESPONDER, "metrics": Role.VIEWER}
SCOPE_WORDS = {
    "read": "read everything a viewer sees",
    "respond": "what a responder may do",
    "write": "what an editor may do",
    "admin": "everything",
    "agent": "visit checks from a location and send what it sees, nothing else",
    "events": "send events and deployments, nothing else",
    "metrics": "read /metrics, nothing else",
}


RoleName = Literal["viewer", "responder", "editor", "admin"]


class Provider(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `[[sign_in]]` table: an OpenID Connect provider whose people may sign in."""

    name: Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9-]{0,39}$")]  # in addresses
    issuer: str  # as it calls itself: https://login.example/realms/company
    client_id: str
    client_secret: str | None = None  # or PILOTHOUSE_SIGN_IN_SECRET_<NAME>; none: a public client
    title: str = ""  # on its button; its name otherwise
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    user_claim: str = "preferred_username"  # what a person is called; dots lead into objects
    groups_claim: str = "groups"
    groups: dict[str, str] = {}  # its group -> Group of the catalog: {"sre" = "group:default/sre"}
    roles: dict[str, RoleName] = {}  # its group -> role: {"platform" = "admin"}
    allowed_groups: tuple[str, ...] = ()  # one of these is needed; none: everyone there may sign in
    trust_email: bool = False  # take e-mail addresses without email_verified for verified
    parameters: dict[str, str] = {}  # more of the authorization request: {prompt = "consent"}

    @property
    def label(self) -> str:
        return self.title or self.name


class Person(msgspec.Struct, frozen=True):
    """Someone who may sign in, or did."""

    id: str
    provider: str  # LOCAL, or the name of an OpenID Connect provider
    subject: str  # stable at the provider; of a local user the name
    name: str
    title: str
    email: str
    ref: str | None  # the User of the catalog
    role: int
    teams: tuple[str, ...]  # Groups, by ref: of the catalog and of the provider's groups
    groups: tuple[str, ...]  # as the provider calls them
    added_at: datetime
    seen_at: datetime | None = None  # signed in last
    checked_at: datetime | None = None  # the provider vouched for them last
    gone_at: datetime | None = None  # it does no more: nothing of theirs is valid

    @property
    def shown(self) -> str:
        """What pages call them."""
        return self.title or self.name

    @property
    def actor_id(self) -> str:
        """What the journal calls them."""
        return self.ref or f"{self.provider}:{self.name}"


class Belonging(msgspec.Struct, frozen=True):
    """Who in the catalog a person, as they were read, is now, and their teams."""

    person: Person
    ref: str | None
    teams: tuple[str, ...]


class Session(msgspec.Struct, frozen=True):
    """One browser that someone is signed in with."""

    id: str
    person_id: str
    added_at: datetime
    seen_at: datetime  # at most a minute old
    expires_at: datetime
    address: str
    agent: str


class Token(msgspec.Struct, frozen=True):
    """An API token; what it is itself was shown once and is not kept."""

    id: str
    person_id: str | None  # None: made on the command line, nobody's
    name: str
    hint: str  # its first characters, to tell tokens apart
    scopes: tuple[str, ...]
    added_at: datetime
    expires_at: datetime
    used_at: datetime | None = None  # at most a minute old
    location: str = ""  # that an agent's speaks for; "": any


class Attempt(msgspec.Struct, frozen=True):
    """Someone was sent to a provider and has not come back yet."""

    provider: str
    nonce: str
    verifier: str  # of PKCE
    browser: str  # digest of the cookie that the same browser must bring back
    next: str  # path of ours to go to then
    added_at: datetime


class Claims(msgspec.Struct, frozen=True):
    """What a provider says of who came back, and what it can be asked again with."""

    identity: Identity | None  # None: that they are still there, and no more
    refresh_token: str | None = None


def _nobody(_tx: Any, identities: Sequence[Identity]) -> Sequence[str | None]:
    return [None] * len(identities)


class Ties(msgspec.Struct, frozen=True):
    """What modules know of people, teams and owners; nothing without the catalog.

    Each is called with a Tx, which stands above the nouns.
    """

    members: Callable[[Any, Sequence[str]], Mapping[str, Sequence[str]]] = lambda _tx, _refs: {}
    owners: Callable[[Any, str], Sequence[str]] = lambda _tx, _ref: ()
    users: Callable[[Any, Sequence[Identity]], Sequence[str | None]] = _nobody
    last_resort: tuple[str, ...] = ()  # refs and mail addresses, by the settings


NO_TIES = Ties()


def ties_of(modules: Sequence[Any]) -> Ties:
    """The ties that modules register: the first of each kind."""
    found: dict[str, Any] = {}
    for name in Ties.__struct_fields__:
        for module in modules:
            if (seam := getattr(module, name, None)) is not None:
                found.setdefault(name, seam)
    return Ties(**found)


class Asked(msgspec.Struct, frozen=True):
    """Who asks, and how that is known."""

    actor: Actor
    person: Person | None = None
    session: Session | None = None
    token: Token | None = None
    refused: str = ""  # why what was shown is not taken; nobody is signed in then
