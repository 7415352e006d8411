"""Whose policy pages for an entity, and whom its steps mean now. Never nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pilothouse.catalog.service import annotated, browsing, relating
from pilothouse.kernel import durations
from pilothouse.kernel.auth.service import people as accounts
from pilothouse.kernel.errors import Invalid, PilothouseError
from pilothouse.kernel.refs import EntityRef
from pilothouse.oncall.model.documents import PolicySpec, RoundRobin, Step
from pilothouse.oncall.model.paging import Plan, Rung, Who
from pilothouse.oncall.service import rostering
from pilothouse.oncall.service.teams import members_of
from pilothouse.oncall.store import pages as store
from pilothouse.oncall.store import ways

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pilothouse.kernel.tx import Tx

POLICY = "escalationpolicy"
PAGES_FOR = "pagesFor"  # the relation of a policy's `for`
MAIL = "mailto:"  # a last resort that is a mail address rather than a person
LEVELS = 10  # of groups above an owner
MOST_POLICIES = 2000
MOST = 100  # people that one step can mean


class Found(msgspec.Struct, frozen=True):
    """Whom a step means now, why each, and what was wrong."""

    people: dict[str, str]  # ref of a User, or mail address -> why
    faults: tuple[str, ...] = ()


def plan_for(tx: Tx, entity: str, named: str = "") -> Plan:
    """The policy that pages for an entity, as it is now; with its faults, if it has any.

    The named one; else one that is for the entity; else the owner's, its parent's and so on; else
    only the last resort of the settings.
    """
    faults: list[str] = []
    refs = ([full(named, entity)] if named else []) + _policies(tx, entity)
    for ref in refs:
        found = _read(tx, ref)
        if isinstance(found, Plan):
            return msgspec.structs.replace(found, faults=tuple(faults))
        faults.append(found)
    return _default(tx, entity, faults)


def policy_of(tx: Tx, entity: str) -> str:
    """The policy that pages for an entity; "" where only the last resort does."""
    return next(iter(_policies(tx, entity)), "")


def policies_of(tx: Tx, refs: Sequence[str]) -> dict[str, str]:
    """Of each entity the policy that pages for it; "" where only the last resort does."""
    found = dict.fromkeys(refs, "")
    own = relating.sources(tx, refs, PAGES_FOR, POLICY)
    found |= {ref: names[0] for ref, names in own.items() if names}
    left = [ref for ref in refs if not found[ref]]
    above = {ref: _owners_of(ref, names) for ref, names in _owners(tx, left).items()}
    for _ in range(LEVELS):
        groups = sorted({group for names in above.values() for group in names})
        if not groups:
            break
        policies = _owned(tx, groups)
        for ref, names in list(above.items()):
            if mine := [policies[group] for group in names if policies.get(group)]:
                found[ref] = mine[0]
                del above[ref]
        parents = relating.targets(tx, groups, "childOf")
        above = {
            ref: [parent for group in names for parent in parents.get(group, ())]
            for ref, names in above.items()
        }
    return found


def all_policies(tx: Tx) -> list[str]:
    """Refs of all policies."""
    return [one.ref for one in annotated.of_kinds(tx, (POLICY,), MOST_POLICIES)]


def full(named: str, entity: str) -> str:
    """The ref of a policy as an alert about an entity names it."""
    namespace = entity.partition(":")[2].partition("/")[0] or "default"
    try:
        return str(EntityRef.parse(named, POLICY, namespace))
    except Invalid:
        return named


def _policies(tx: Tx, entity: str) -> list[str]:
    found = tx.once((POLICY, entity), lambda: policies_of(tx, [entity])[entity] if entity else "")
    return [found] if found else []


def _owners(tx: Tx, refs: Sequence[str]) -> dict[str, list[str]]:
    return relating.targets(tx, refs, "ownedBy") if refs else {}


def _owners_of(ref: str, owners: list[str]) -> list[str]:
    return [ref, *owners] if ref.startswith(("group:", "user:")) else owners


def _owned(tx: Tx, groups: Sequence[str]) -> dict[str, str]:
    """Of each group the policy that is for all it owns: the first that names no entities."""
    owned = relating.sources(tx, groups, "ownedBy", POLICY)
    names = sorted({policy for policies in owned.values() for policy in policies})
    narrow = {policy for policy, aims in relating.targets(tx, names, PAGES_FOR).items() if aims}
    return {
        group: next((one for one in policies if one not in narrow), "")
        for group, policies in owned.items()
    }


def _read(tx: Tx, ref: str) -> Plan | str:
    """A policy as a plan, or what is wrong with it."""
    row = browsing.rows_of(tx, [ref]).get(ref)
    if row is None:
        return f"The policy {ref} is not in the catalog."
    body: dict[str, Any] = msgspec.json.decode(row.body)
    try:
        return plan_of(ref, body)
    except (msgspec.ValidationError, PilothouseError) as error:
        return f"The policy {ref} cannot be read: {error}"


def plan_of(ref: str, body: dict[str, Any]) -> Plan:
    """A policy's document as a plan."""
    spec = msgspec.convert(body.get("spec"), PolicySpec)
    namespace = ref.partition(":")[2].partition("/")[0]
    metadata = body.get("metadata", {})
    return Plan(
        policy=ref,
        title=str(metadata.get("title") or metadata.get("name", "")),
        rungs=tuple(_rung(step, namespace) for step in spec.steps),
        repeat=spec.repeat,
        acknowledged_for=durations.parse(spec.acknowledged_for),
        quiet=tuple(msgspec.json.encode(one).decode() for one in spec.quiet_hours),
        last_resort=tuple(Who(_full(one, namespace)) for one in spec.last_resort),
    )


def _rung(step: Step, namespace: str) -> Rung:
    who = tuple(
        Who(_full(one.round_robin, namespace), round_robin=True)
        if isinstance(one, RoundRobin)
        else Who(_full(one, namespace))
        for one in step.notify
    )
    return Rung(who, durations.parse(step.then_after))


def _full(ref: str, namespace: str) -> str:
    return str(EntityRef.parse(ref, "group", namespace))


def _default(tx: Tx, entity: str, faults: list[str]) -> Plan:
    faults = [*faults, f"No escalation policy pages for {entity or 'alerts of no known entity'}."]
    return Plan(policy="", title="Last resort", last_resort=last_resort(tx), faults=tuple(faults))


def last_resort(tx: Tx) -> tuple[Who, ...]:
    """Who is told when nobody else is to be had: by the settings, else the admins."""
    if named := tx.ties.last_resort:
        return tuple(Who(f"{MAIL}{one}" if "@" in one and ":" not in one else one) for one in named)
    found = tx.once((POLICY, "admins"), lambda: accounts.admins(tx))
    asked = [one.ref or (f"{MAIL}{one.email}" if one.email else "") for one in found]
    return tuple(Who(one) for one in dict.fromkeys(asked) if one)


def resolve(tx: Tx, who: Sequence[Who], at: datetime) -> tuple[str, ...]:
    """Refs of the Users whom these mean at an instant. A round robin goes on by one."""
    return tuple(look_up(tx, who, at).people)


def look_up(tx: Tx, who: Sequence[Who], at: datetime) -> Found:
    """Whom these mean at an instant, and for whom of them nobody was found."""
    people: dict[str, str] = {}
    faults: list[str] = []
    groups = [one.ref for one in who if one.ref.startswith("group:")]
    members = members_of(tx, groups) if groups else {}
    for one in who:
        kind = one.ref.partition(":")[0]
        if kind == "schedule":
            found = rostering.watch_at(tx, one.ref, at)
            fault = f"Nobody has the watch of {one.ref}."
        elif kind == "group":
            found, fault = tuple(members[one.ref]), f"{one.ref} has no members."
            found = _turn(tx, one.ref, found) if one.round_robin else found
        else:
            found, fault = (one.ref,), ""
        why = one.ref if kind in ("schedule", "group") else ""
        people |= {person: why for person in found if person not in people}
        if not found:
            faults.append(fault)
    return Found(dict(list(people.items())[:MOST]), tuple(faults))


def _turn(tx: Tx, group: str, members: tuple[str, ...]) -> tuple[str, ...]:
    """The one whose turn it is; who has no method is passed by, if another has one."""
    if not members:
        return ()
    first = store.turn(tx.conn, f"round robin {group}") % len(members)
    ordered = (*members[first:], *members[:first])
    reached = ways.of(tx.conn, ordered)
    return (next((one for one in ordered if reached[one]), ordered[0]),)
