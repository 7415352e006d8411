"""People: who they are, where they come from, that they go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilothouse.kernel.actors import Identity, Role
from pilothouse.kernel.auth import rules, store
from pilothouse.kernel.auth.model import LOCAL, Belonging, Person, Provider
from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.errors import Conflict, Denied, NotFound
from pilothouse.kernel.events import Event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from pilothouse.kernel.tx import Tx

# What a provider says of someone, and what follows from it.
SAID = ("name", "title", "email", "ref", "role", "teams", "groups", "checked_at")
CHECK = "auth.check"  # the job that asks a provider whether someone is still there


def welcome(tx: Tx, provider: Provider, identity: Identity, default_role: str) -> Person:
    """Keep what a provider says of someone now, and what follows from it.

    Raises Denied when the settings do not let them in.
    """
    if not rules.may_sign_in(provider, identity):
        raise Denied(
            f"{provider.label} knows {identity.name}, but none of their groups may sign in here"
        )
    ref = _ref(tx, identity)
    teams = rules.teams_by_groups(provider, identity.groups)
    found = Person(
        id=uuid7(),
        provider=identity.provider,
        subject=identity.subject,
        name=identity.name,
        title=identity.title,
        email=identity.email,
        ref=ref,
        role=rules.role_by_groups(provider, identity.groups, default_role),
        teams=_with_catalog(tx, ref, teams),
        groups=identity.groups,
        added_at=tx.now,
        checked_at=tx.now,
    )
    before = store.people.person_of(tx.conn, identity.provider, identity.subject)
    if before is None:
        store.people.add_person(tx.conn, found)
        return found
    said = {name: getattr(found, name) for name in SAID}
    store.people.change_person(tx.conn, before.id, **said)
    return msgspec.structs.replace(before, **said)


def _ref(tx: Tx, identity: Identity) -> str | None:
    return tx.ties.users(tx, [identity])[0]


def _with_catalog(tx: Tx, ref: str | None, teams: list[str]) -> tuple[str, ...]:
    """Teams by a provider, and those that the catalog adds."""
    known = tx.ties.members(tx, [ref]).get(ref, ()) if ref else ()
    return tuple(dict.fromkeys([*teams, *known]))


def local_user(tx: Tx, name: str) -> Person | None:
    """The local user of this name."""
    return store.people.person_of(tx.conn, LOCAL, name.lower())


def local_users(tx: Tx) -> list[Person]:
    """All local users."""
    return store.people.all_people(tx.conn, LOCAL)


def add_local(tx: Tx, identity: Identity, role: Role, hashed: str) -> Person:
    """Let someone sign in with a name and a password.

    Raises Conflict when the name is taken.
    """
    if local_user(tx, identity.subject):
        raise Conflict(f"there is a user {identity.subject} already")
    ref = _ref(tx, identity)
    found = Person(
        id=uuid7(),
        provider=LOCAL,
        subject=identity.subject,
        name=identity.subject,
        title=identity.title,
        email=identity.email,
        ref=ref,
        role=role,
        teams=_with_catalog(tx, ref, []),
        groups=(),
        added_at=tx.now,
        checked_at=tx.now,
    )
    store.people.add_person(tx.conn, found)
    store.people.put_password(tx.conn, found.id, hashed)
    _tell(tx, "auth.user_added", found, role=role.name.lower())
    return found


def password_of(tx: Tx, person: Person) -> str | None:
    """The hash of someone's password."""
    return store.people.password_of(tx.conn, person.id)


def change_password(tx: Tx, person: Person, hashed: str, keep: str | None = None) -> None:
    """Give someone another password; whoever is signed in with the old one is no more.

    The session `keep`, the one that asks, stays.
    """
    store.people.put_password(tx.conn, person.id, hashed)
    store.sessions.end_sessions(tx.conn, person.id, keep)
    _tell(tx, "auth.user_changed", person, what="password")


def remove_local(tx: Tx, name: str) -> Person:
    """Let someone sign in no more; their sessions and tokens end with them.

    Raises NotFound when there is no such user.
    """
    found = local_user(tx, name)
    if found is None or not store.people.remove_person(tx.conn, found.id):
        known = ", ".join(person.name for person in local_users(tx)[:20]) or "none"
        raise NotFound(f"there is no user {name!r}. Known are: {known}.")
    _tell(tx, "auth.user_removed", found)
    return found


def linked(tx: Tx, person: Person) -> Person:
    """A local user as the catalog knows them now; no provider is asked about them."""
    for one in _belongings(tx, [person], {}):
        store.people.change_person(tx.conn, person.id, ref=one.ref, teams=one.teams)
        return msgspec.structs.replace(person, ref=one.ref, teams=one.teams)
    return person


def moved(tx: Tx, providers: Mapping[str, Provider]) -> list[Belonging]:
    """Of those who get in, who is another User of the catalog now, or in other teams."""
    return _belongings(tx, store.people.who_gets_in(tx.conn), providers)


def move(tx: Tx, found: Sequence[Belonging]) -> None:
    """Keep it; who signed in meanwhile stays as they are known by that."""
    store.people.put_belongings(tx.conn, found)


def _belongings(
    tx: Tx, found: Sequence[Person], providers: Mapping[str, Provider]
) -> list[Belonging]:
    identities = [
        Identity(one.provider, one.subject, one.name, one.title, one.email, one.groups)
        for one in found
    ]
    refs = tx.ties.users(tx, identities)
    known = tx.ties.members(tx, sorted({ref for ref in refs if ref}))
    changed: list[Belonging] = []
    for person, ref in zip(found, refs, strict=True):
        provider = providers.get(person.provider)
        by_groups = rules.teams_by_groups(provider, person.groups) if provider else []
        teams = tuple(dict.fromkeys([*by_groups, *(known.get(ref, ()) if ref else ())]))
        if (ref, teams) != (person.ref, person.teams):
            changed.append(Belonging(person, ref, teams))
    return changed


# --- What a provider was asked again ---


def find(tx: Tx, person_id: str) -> Person | None:
    """One person."""
    return store.people.person(tx.conn, person_id)


def refresh_of(tx: Tx, person: Person) -> str | None:
    """The encrypted token by which a provider can be asked of someone."""
    return store.people.refresh_of(tx.conn, person.id)


def put_refresh(tx: Tx, person: Person, encrypted: str, every: timedelta) -> None:
    """Keep it, and have the provider asked after a while."""
    store.people.put_refresh(tx.conn, person.id, encrypted)
    tx.enqueue(CHECK, {"person": person.id}, key=person.id, after=every)


def renew_refresh(tx: Tx, person: Person, asked: str, encrypted: str) -> bool:
    """Keep the token that the provider gave in place of the one it was asked with.

    False when that one is not theirs any more: they signed in meanwhile, or are gone.
    """
    return store.people.swap_refresh(tx.conn, person.id, asked, encrypted)


def forget_refresh(tx: Tx, person: Person) -> None:
    """Keep none: the provider gave none, so it cannot be asked."""
    store.people.put_refresh(tx.conn, person.id, None)


def still_there(tx: Tx, person: Person) -> None:
    """Note that the provider knows someone still, and said no more."""
    store.people.change_person(tx.conn, person.id, checked_at=tx.now)


def gets_in(tx: Tx, person: Person) -> bool:
    """Whether someone has anything that lets them in."""
    return store.people.gets_in(tx.conn, person.id)


def gone(tx: Tx, person: Person, why: str, asked: str | None = None) -> None:
    """End what someone has whom their provider does not know any more.

    Their sessions are over; their tokens are taken again only after they have signed in again.
    `asked` is the refresh token that it was asked with: with another one, they signed in since.
    """
    if not store.people.mark_gone(tx.conn, person.id, tx.now, asked):
        return
    ended = store.sessions.end_sessions(tx.conn, person.id)
    _tell(tx, "auth.person_gone", person, why=why, sessions=ended)


def _tell(tx: Tx, kind: str, person: Person, **data: object) -> None:
    refs = (person.ref,) if person.ref else ()
    tx.emit(Event(type=kind, entities=refs, data={"person": person.actor_id, **data}))


def admins(tx: Tx) -> list[Person]:
    """Those who are admins and still get in, the first of them first."""
    return store.people.admins(tx.conn)
