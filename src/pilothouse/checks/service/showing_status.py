"""The public status page of a system: what anybody may know, and nothing else.

No address, reason, owner, or name of a location leaves by it; a region's name does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from markupsafe import Markup

from pilothouse.catalog.service import annotated, browsing, views
from pilothouse.checks.model.kept import Check
from pilothouse.checks.model.verdicts import State
from pilothouse.checks.rules import places, uptime
from pilothouse.checks.rules.uptime import Stretch
from pilothouse.checks.service import drawing, telling
from pilothouse.checks.service.curves import DAY, EPOCH
from pilothouse.checks.service.telling import Told
from pilothouse.checks.store import history, reading
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Tx
from pilothouse.kernel.words import counted

ANNOTATION, PUBLIC = "pilothouse/status-page", "public"
SHOWN = 90  # days
LATELY = timedelta(days=14)
LEAST = timedelta(minutes=1)  # shorter trouble colours no day
SAID = {
    State.FAILED: ("bad", "Not working"),
    State.DEGRADED: ("warn", "Slower than usual"),
    State.HEALTHY: ("ok", "Working"),
    State.UNKNOWN: ("idle", "Not known"),
}
_MARKS = {State.FAILED: "bad", State.DEGRADED: "warn", State.HEALTHY: "ok", State.UNKNOWN: "idle"}


class Component(msgspec.Struct, frozen=True):
    """A part of the system, as the public sees it."""

    title: str
    mark: str
    word: str
    where: str  # " in Europe"
    since: datetime | None  # of what is open
    bars: Markup
    share: float | None
    past: list[tuple[Stretch, str]]  # trouble of the last days, and what it was


class Open(msgspec.Struct, frozen=True):
    """Something that is wrong now."""

    mark: str
    words: str  # "Checkout is not working in Europe"
    since: datetime


class Past(msgspec.Struct, frozen=True):
    """Something that was wrong."""

    title: str
    words: str
    start: datetime
    end: datetime


class Page(msgspec.Struct, frozen=True):
    """All of a status page."""

    refs: tuple[str, ...]  # the system, and its parts
    title: str
    mark: str
    word: str
    open: list[Open]
    components: list[Component]
    past: list[Past]
    first: datetime


def href(ref: str) -> str:
    namespace, _, name = ref.partition(":")[2].partition("/")
    return f"/status/{namespace}/{name}"


def systems(tx: Tx) -> list[str]:
    """Refs of the systems that ask for a public page."""
    return [one.ref for one in annotated.annotated(tx, ANNOTATION, [PUBLIC], ["system"])]


def is_public(tx: Tx, ref: str) -> bool:
    said = annotated.annotations_of(tx, [ref]).get(ref, {})
    return said.get(ANNOTATION, "").strip().lower() == PUBLIC


def page(tx: Tx, ref: EntityRef) -> Page:
    """Raises NotFound alike for a system that does not exist and one that is not public."""
    system = str(ref)
    if ref.kind != "system" or not is_public(tx, system):
        raise NotFound("There is no page at this address.")
    parts = [
        target for kind, target in browsing.relations_of(tx, [system])[system] if kind == "hasPart"
    ]
    names = views.name_all(tx, [system, *parts])
    checks = _chosen(reading.of_entities(tx.conn, [system, *parts]))
    told = [one for found in checks.values() for one in found]
    histories = _histories(tx, telling.told(tx, told))
    components = sorted(
        (
            _component(tx, names[entity].title, [histories[one.id] for one in found])
            for entity, found in checks.items()
        ),
        key=lambda one: (_WORST.index(one.mark), one.title.lower()),
    )
    mark = components[0].mark if components else "idle"
    return Page(
        refs=(system, *parts),
        title=names[system].title,
        mark=mark,
        word=_all_words(mark, components),
        open=[_open(one) for one in components if one.since is not None],
        components=components,
        past=sorted(_past(components), key=lambda one: one.start, reverse=True),
        first=tx.now - (SHOWN - 1) * DAY,
    )


_WORST = ("bad", "warn", "ok", "idle")


def _chosen(found: Sequence[Check]) -> dict[str, list[Check]]:
    """Of each part its critical checks; where it has none, all."""
    by_entity: dict[str, list[Check]] = {}
    for one in found:
        by_entity.setdefault(one.entity, []).append(one)
    return {
        entity: [one for one in checks if one.critical] or checks
        for entity, checks in by_entity.items()
    }


class History(msgspec.Struct, frozen=True):
    """A check now, and its states over the time that is shown."""

    told: Told
    stretches: list[Stretch]


def _histories(tx: Tx, told: Sequence[Told]) -> dict[int, History]:
    ids = [one.check.id for one in told]
    start = tx.now - SHOWN * DAY
    before = reading.state_before(tx.conn, ids, start)
    found = history.changes(tx.conn, ids, start, tx.now)
    return {
        one.check.id: History(
            one,
            uptime.stretches(
                before.get(one.check.id),
                found[one.check.id],
                start,
                tx.now,
            ),
        )
        for one in told
    }


def _component(tx: Tx, title: str, found: Sequence[History]) -> Component:
    worst = min(found, key=lambda one: telling.RANKS[_state(one.told)])
    state = _state(worst.told)
    mark, word = SAID[state]
    together = uptime.combined([one.stretches for one in found])
    first = EPOCH + ((tx.now - EPOCH) // DAY - SHOWN + 1) * DAY
    marks = [_MARKS[state] for state in uptime.by_day(together, first, SHOWN, LEAST)]
    bad = marks.count("bad")
    label = f"{title}: {counted(bad, 'day')} with failures in {SHOWN} days"
    standpoint = worst.told.standpoint
    wrong = state in {State.FAILED, State.DEGRADED}
    return Component(
        title=title,
        mark=mark,
        word=word,
        where=places.within(standpoint.verdict.regions) if standpoint and wrong else "",
        since=worst.told.since if wrong else None,
        bars=drawing.days(marks, label, 28),
        share=uptime.share(together),
        past=[
            (one, SAID[one.state][1])
            for one in uptime.within(together, tx.now - LATELY, tx.now)
            if one.state in {State.FAILED, State.DEGRADED}
            and one.end < tx.now
            and one.length >= LEAST
        ],
    )


def _state(told: Told) -> State:
    """What rests is not said to be wrong."""
    return State.UNKNOWN if told.pause else told.state


def _all_words(mark: str, components: Sequence[Component]) -> str:
    wrong = sum(one.mark in {"bad", "warn"} for one in components)
    if mark == "ok":
        return "Everything works"
    if mark == "idle":
        return "Nothing is known yet"
    if wrong == len(components):
        return "All parts have problems" if wrong > 1 else "It has problems"
    return f"{wrong} of {len(components)} parts {'has' if wrong == 1 else 'have'} problems"


def _open(one: Component) -> Open:
    verb = "is not working" if one.mark == "bad" else "is slower than usual"
    since = one.since
    if since is None:
        raise ValueError(one.title)
    return Open(one.mark, f"{one.title} {verb}{one.where}", since)


def _past(components: Sequence[Component]) -> list[Past]:
    return [
        Past(one.title, words, stretch.start, stretch.end)
        for one in components
        for stretch, words in one.past
    ]
