"""What is wrong with an escalation policy before it is 3 a.m."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from pilothouse.kernel import durations
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef
from pilothouse.oncall.model.documents import PolicySpec, RoundRobin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.catalog.model import Path

KINDS = ("user", "group", "schedule")
SHORTEST = timedelta(seconds=10)
MEANINGS = {
    "policy-unknown": "A policy names a person, group or schedule that is not in the catalog.",
    "policy-kind": "A policy names what cannot be told: neither person, group nor schedule.",
    "policy-empty": "A policy names a group without members.",
    "policy-last-resort": "A policy's last resort reaches nobody, or may reach nobody.",
    "policy-duration": "A policy waits for too short a time.",
    "policy-time-zone": "Quiet hours in a time zone that nobody knows.",
}


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong; `path` is within the spec."""

    code: str
    path: tuple[str | int, ...]
    message: str
    fatal: bool = False


class Known(msgspec.Struct, frozen=True):
    """What the catalog knows of those whom policies name."""

    there: frozenset[str]
    members: Mapping[str, int]  # of each group how many people it means


def refs_of(spec: PolicySpec, namespace: str) -> Iterator[tuple[Path, str | None, str]]:
    """Everyone whom a policy names: where, the ref (None for one that is none), as written."""
    for number, step in enumerate(spec.steps):
        for place, one in enumerate(step.notify):
            path: Path = ("steps", number, "notify", place)
            if isinstance(one, RoundRobin):
                yield (*path, "round_robin"), _full(one.round_robin, namespace), one.round_robin
            else:
                yield path, _full(one, namespace), one
    for place, ref in enumerate(spec.last_resort):
        yield ("last_resort", place), _full(ref, namespace), ref


def _full(written: str, namespace: str) -> str | None:
    try:
        return str(EntityRef.parse(written, "group", namespace))
    except Invalid:
        return None


def faults(spec: PolicySpec, namespace: str, known: Known) -> Iterator[Fault]:
    """All that is wrong with a policy."""
    for path, ref, written in refs_of(spec, namespace):
        yield from _named(path, ref, written, known)
    yield from _last_resort(spec, namespace, known)
    yield from _waits(spec)
    for number, hours in enumerate(spec.quiet_hours):
        try:
            ZoneInfo(hours.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            message = f"there is no time zone {hours.time_zone!r}; these hours are taken as UTC"
            yield Fault("policy-time-zone", ("quiet_hours", number, "time_zone"), message)


def _named(path: Path, ref: str | None, written: str, known: Known) -> Iterator[Fault]:
    if ref is None:
        return  # the catalog says what is wrong with it
    kind = ref.partition(":")[0]
    if kind not in KINDS:
        message = f"{written} cannot be told; name a person, a group or a schedule"
        yield Fault("policy-kind", path, message, fatal=True)
    elif ref in known.there and kind == "group" and not known.members.get(ref):
        yield Fault("policy-empty", path, f"{written} has no members: nobody would be told")


def _last_resort(spec: PolicySpec, namespace: str, known: Known) -> Iterator[Fault]:
    refs = [_full(one, namespace) for one in spec.last_resort]
    sure = [one for one in refs if one and _reaches(one, known)]
    if sure:
        return
    schedules = [one for one in refs if one and one.startswith("schedule:")]
    if schedules:
        message = "a schedule can have an hour with nobody; name a person or a group, too"
        yield Fault("policy-last-resort", ("last_resort",), message)
        return
    message = "reaches nobody; name a person, or a group that has members"
    yield Fault("policy-last-resort", ("last_resort",), message, fatal=True)


def _reaches(ref: str, known: Known) -> bool:
    if ref.startswith("user:"):
        return ref in known.there
    return ref.startswith("group:") and bool(known.members.get(ref))


def _waits(spec: PolicySpec) -> Iterator[Fault]:
    written: list[tuple[Path, str]] = [
        (("steps", number, "then_after"), step.then_after) for number, step in enumerate(spec.steps)
    ]
    for path, said in [*written, (("acknowledged_for",), spec.acknowledged_for)]:
        try:
            short = durations.parse(said) < SHORTEST
        except Invalid as error:
            yield Fault("policy-duration", path, str(error), fatal=True)
            continue
        if short:
            message = f"{said} is too short for anybody to answer; wait 10s or longer"
            yield Fault("policy-duration", path, message)
