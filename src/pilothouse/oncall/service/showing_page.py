"""One page as its page shows it: what, since when, who was told, what they answered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import relating, views
from pilothouse.catalog.service.views import Named
from pilothouse.kernel import events
from pilothouse.oncall.model import paging as said
from pilothouse.oncall.model.paging import (
    Arrived,
    Attempt,
    Notification,
    Page,
    Progress,
    Responder,
    State,
)
from pilothouse.oncall.rules import escalation, words
from pilothouse.oncall.service import handling, reading, teams
from pilothouse.oncall.store import alerts as alert_store

if TYPE_CHECKING:
    from pilothouse.kernel.actors import Actor
    from pilothouse.kernel.events import Event
    from pilothouse.kernel.tx import Tx

MOST_ALERTS, MOST_LINES, MOST_CHOICES = 100, 200, 300
SOON = timedelta(minutes=1)  # within it a provider has answered
STATES = {
    State.OPEN: ("bad", "Open"),
    State.ACKNOWLEDGED: ("warn", "Acknowledged"),
    State.SNOOZED: ("info", "Snoozed"),
    State.RESOLVED: ("ok", "Resolved"),
}
STEPS = {
    Progress.WAITING: ("idle", "Planned"),
    Progress.SENDING: ("info", "Being sent"),
    Progress.DELIVERED: ("ok", "Delivered"),
    Progress.FAILED: ("bad", "Not delivered"),
    Progress.WITHDRAWN: ("idle", "Taken back"),
}
JOINS, A_FEW = "add", 3
GLYPHS = {
    said.PAGED: ("page", "bad"),
    said.JOINED: (JOINS, ""),
    said.ACKNOWLEDGED: ("ok", "ok"),
    said.UNACKNOWLEDGED: ("warn", "warn"),
    said.SNOOZED: ("pause", ""),
    said.REASSIGNED: ("person", ""),
    said.ADDED: ("person", ""),
    said.RESOLVED: ("ok", "ok"),
    said.NOTIFIED: ("note", ""),
    said.UNREACHED: ("warn", "bad"),
}
_REF = re.compile(r"\b[a-z]+:[a-z0-9-]+/[A-Za-z0-9._-]*[A-Za-z0-9]")


class Told(msgspec.Struct, frozen=True):
    """One notification, with every call that was made for it."""

    one: Notification
    person: Named
    channel: str
    state: str
    word: str
    attempts: tuple[Attempt, ...]


class Happened(msgspec.Struct, frozen=True):
    """A line of what happened."""

    at: datetime
    icon: str
    state: str
    words: str


class Wanted(msgspec.Struct, frozen=True):
    """A person whom the page wants, and how they stand to it."""

    one: Responder
    person: Named
    state: str
    word: str


class Shown(msgspec.Struct, frozen=True):
    """All that the page of a page shows."""

    page: Page
    state: str
    word: str
    entity: Named | None
    bundle: Named | None  # where it is another than the entity
    policy: Named | None
    has: str  # who has it, resolved it; "" for nobody
    next: str  # what happens next, in words
    holder: Named | None  # the person that is, where the catalog knows them
    told: tuple[Told, ...]
    flying: tuple[Told, ...]  # calls that had begun when it was acknowledged
    unreached: bool  # people were to be told, and for a while nobody was
    faults: tuple[str, ...]
    alerts: tuple[tuple[Arrived, Named | None], ...]
    counts: tuple[tuple[Named | None, int], ...]  # open alerts by entity, the most first
    wanted: tuple[Wanted, ...]
    log: tuple[Happened, ...]
    choices: tuple[Named, ...]
    may: bool


def is_unreached(page: Page, wanted: Sequence[Responder], now: datetime) -> bool:
    """Whether somebody should have been told by now, and nobody was."""
    if page.state is not State.OPEN or page.round == 0 or any(one.reached_at for one in wanted):
        return False
    return not wanted or now - page.opened_at > SOON


def href(number: int) -> str:
    """The page of a page."""
    return f"/oncall/pages/{number}"


def page(tx: Tx, actor: Actor, number: int) -> Shown:
    """One page, by its number. Raises NotFound."""
    found = reading.page(tx, number)
    told = reading.notifications(tx, found.id)
    wanted = reading.responders(tx, found.id)
    alerts = reading.alerts(tx, found.id, MOST_ALERTS)
    log = _events(tx, found)
    counts = alert_store.counts(tx.conn, found.id)
    may = found.state is not State.RESOLVED and handling.may_steer(tx, actor, found)
    choices = _choices(tx, found, wanted) if may else []
    names = views.name_all(tx, _refs(found, told, wanted, alerts, log, choices))
    lines = _told(told, reading.attempts(tx, found.id), names)
    state, word = STATES[found.state]
    return Shown(
        page=found,
        state=state,
        word=word,
        entity=names.get(found.entity),
        bundle=names.get(found.bundle) if found.bundle != found.entity else None,
        policy=names.get(found.plan.policy),
        has=called(_holder(found), names),
        next=_next(found),
        holder=names.get(_holder(found)),
        told=lines,
        flying=tuple(one for one in lines if one.one.progress is Progress.SENDING),
        unreached=is_unreached(found, wanted, tx.now),
        faults=tuple(plain(one, names) for one in found.plan.faults),
        alerts=tuple((one, names.get(one.signal.entity)) for one in alerts),
        counts=tuple((names.get(ref), count) for ref, count in counts[:MOST_CHOICES]),
        wanted=tuple(_wanted(one, names) for one in wanted),
        log=tuple(_folded([_happened(one, names) for one in log])),
        choices=tuple(names[one] for one in choices if names[one].exists),
        may=may,
    )


def _events(tx: Tx, found: Page) -> list[Event]:
    """What was written of a page, the newest first."""
    asked = events.Asked(
        types=tuple(GLYPHS),
        start=found.opened_at - timedelta(seconds=1),
        end=(found.resolved_at or tx.now) + timedelta(minutes=5),
        refs=(found.entity,) if found.entity else None,
        limit=MOST_LINES,
    )
    return [one for one in events.among(tx.conn, asked) if one.data.get("page") == found.id]


def _choices(tx: Tx, found: Page, wanted: Sequence[Responder]) -> list[str]:
    """Whom a page can be given to at once: the rest can be named by their refs."""
    named = [who.ref for rung in found.plan.rungs for who in rung.notify]
    owners = relating.targets(tx, [found.entity], "ownedBy")[found.entity] if found.entity else ()
    groups = list(dict.fromkeys(ref for ref in (*named, *owners) if ref.startswith("group:")))
    members = teams.members_of(tx, groups)
    people = [one for ones in members.values() for one in ones]
    every = (*named, *groups, *people, *(one.person for one in wanted))
    kept = dict.fromkeys(ref for ref in every if ref.partition(":")[0] in handling.TOLD)
    return list(kept)[:MOST_CHOICES]


def _refs(
    found: Page,
    told: Sequence[Notification],
    wanted: Sequence[Responder],
    alerts: Sequence[Arrived],
    log: Sequence[Event],
    choices: Sequence[str],
) -> list[str]:
    """All that is named on the page: asked for together."""
    refs = {found.entity, found.bundle, found.plan.policy, _holder(found), *choices}
    refs |= {one.person for one in told} | {one.person for one in wanted}
    refs |= {one.signal.entity for one in alerts}
    texts = [str(one.data.get("words", "")) for one in log]
    texts += [*found.plan.faults, *(one.why for one in wanted), *(one.why for one in told)]
    refs |= {ref for text in texts for ref in _REF.findall(text)}
    return sorted(ref for ref in refs if _REF.fullmatch(ref))


def _told(
    told: Sequence[Notification], attempts: Sequence[Attempt], names: Mapping[str, Named]
) -> tuple[Told, ...]:
    tried: dict[str, list[Attempt]] = {}
    for one in attempts:
        tried.setdefault(one.notification, []).append(one)
    return tuple(
        Told(
            msgspec.structs.replace(one, why=plain(one.why, names)),
            person_of(one.person, names),
            words.CHANNELS.get(one.channel, one.channel),
            *STEPS[one.progress],
            tuple(tried.get(one.id, ())),
        )
        for one in told
    )


def _wanted(one: Responder, names: Mapping[str, Named]) -> Wanted:
    if one.acknowledged_at:
        state, word = "ok", "Acknowledged"
    elif one.reached_at:
        state, word = "info", "Told"
    else:
        state, word = "warn", "Not reached"
    shown = msgspec.structs.replace(one, why=plain(one.why, names))
    return Wanted(shown, person_of(one.person, names), state, word)


def _happened(one: Event, names: Mapping[str, Named]) -> Happened:
    icon, state = GLYPHS[one.type]
    assert one.at is not None  # noqa: S101  it was written
    return Happened(one.at, icon, state, plain(str(one.data.get("words", "")), names))


def _folded(lines: Sequence[Happened]) -> list[Happened]:
    """Where many alerts joined one after the other, one line says how many."""
    found: list[Happened] = []
    for icon, run in groupby(lines, lambda one: one.icon):
        together = list(run)
        if icon == JOINS and len(together) > A_FEW:
            words = f"Joined, {len(together)} times: the last was {together[0].words[8:]}"
            together = [msgspec.structs.replace(together[0], words=words)]
        found += together
    return found


def _holder(found: Page) -> str:
    return found.resolved_by if found.state is State.RESOLVED else found.acknowledged_by


def _next(found: Page) -> str:
    """What becomes of a page when nobody does anything."""
    if found.state is State.RESOLVED:
        return ""
    if found.next_at is None:
        return "Nothing more: everybody was told as often as its policy says."
    stages = escalation.next_stages(found)
    if not stages:
        return "Nothing more: everybody was told as often as its policy says."
    return stages[0].words(found.plan)


def person_of(ref: str, names: Mapping[str, Named]) -> Named:
    """A person by name; a mail address of the settings as itself."""
    if found := names.get(ref):
        return found
    return Named(ref, ref.removeprefix("mailto:"), "user", exists=False)


def called(who: str, names: Mapping[str, Named]) -> str:
    """What people call someone who did something."""
    if who in names:
        return names[who].title
    return {"system": "", "local": "local admin"}.get(who, who.rpartition(":")[2])


def plain(text: str, names: Mapping[str, Named]) -> str:
    """A sentence with names instead of refs."""
    return _REF.sub(lambda hit: names[hit[0]].title if hit[0] in names else hit[0], text)
