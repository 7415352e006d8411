"""What incidents of a time taught: figures, each with the list that it counts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import views
from pilothouse.catalog.service.views import Named
from pilothouse.incidents.model.incidents import Incident
from pilothouse.incidents.model.postmortems import CAUSES, Action, State, Took
from pilothouse.incidents.rules import postmortems as rules
from pilothouse.incidents.service import seeing
from pilothouse.incidents.service.showing_postmortems import Item
from pilothouse.incidents.store import actions as items
from pilothouse.incidents.store import postmortems as store
from pilothouse.kernel.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.incidents.model.postmortems import Postmortem
    from pilothouse.kernel.tx import Tx

PERIODS = {"30d": ("30 days", 30), "90d": ("90 days", 90), "365d": ("A year", 365)}
USUAL = "90d"
MOST = 2000  # incidents of a period
STEPS = (
    ("detect", "To detect", "from onset until the incident was opened"),
    ("acknowledge", "To acknowledge", "from onset until somebody had it"),
    ("mitigate", "To mitigate", "from onset until a fix was watched"),
    ("resolve", "To resolve", "from onset until it was over"),
)
SORTS = (
    ("on-time", "Done on time", "ok"),
    ("late", "Done late", "warn"),
    ("standing", "Open", "info"),
    ("escalated", "Escalated", "bad"),
    ("dropped", "Deprioritized", "idle"),
)


class Sort(msgspec.Struct, frozen=True):
    """Items that fared alike."""

    name: str
    title: str
    state: str
    items: list[Item]


class Step(msgspec.Struct, frozen=True):
    """How long incidents took until one of the four: the middle one, and each."""

    name: str
    title: str
    meaning: str
    median: timedelta | None
    known: int


class Cause(msgspec.Struct, frozen=True):
    """Incidents that had a kind of cause."""

    title: str
    incidents: list[Incident]


class Learned(msgspec.Struct, frozen=True):
    """The page."""

    period: str
    incidents: list[tuple[Incident, Took]]  # the longest first
    sorts: list[Sort]
    steps: list[Step]
    causes: list[Cause]
    repeats: list[list[Incident]]
    without: list[Incident]  # required, and not published
    names: dict[str, Named]
    published: frozenset[str] = frozenset()  # ids

    @property
    def items(self) -> int:
        return sum(len(one.items) for one in self.sorts)


def learned(tx: Tx, period: str = "") -> Learned:
    """What incidents of a period taught, as far as the actor may know of them. Three queries."""
    chosen = period or USUAL
    if chosen not in PERIODS:
        raise Invalid(f"period={period[:40]!r} is none of {', '.join(PERIODS)}")
    start = tx.now - timedelta(days=PERIODS[chosen][1])
    end = tx.now + timedelta(seconds=1)
    every = store.learned(tx.conn, seeing.names(tx), start, end, MOST)
    ids = [one.id for one in every]  # the items of merged ones stand as well
    found = [one for one in every if not one.merged_into]
    written = store.of_ids(tx.conn, ids) if ids else {}
    actions = items.of(tx.conn, ids) if ids else []
    refs = {one.entity for one in found} | {one.owner for one in actions}
    names = views.name_all(tx, sorted(refs - {""}))
    lengths = {one.id: rules.took(one) for one in found}
    kinds = {key: one.causes for key, one in written.items()}
    return Learned(
        period=chosen,
        incidents=[(one, lengths[one.id]) for one in _longest(found, lengths)],
        sorts=_sorts(tx, actions, {one.id: one.number for one in every}, names),
        steps=[_step(each, list(lengths.values())) for each in STEPS],
        causes=_causes(found, kinds),
        repeats=rules.repeats(kinds, found),
        without=_without(found, written),
        names=names,
        published=frozenset(key for key, one in written.items() if one.state == "published"),
    )


def _longest(found: Sequence[Incident], lengths: Mapping[str, Took]) -> list[Incident]:
    return sorted(found, key=lambda one: lengths[one.id].resolve or timedelta.max, reverse=True)


def _sorts(
    tx: Tx, actions: Sequence[Action], numbers: Mapping[str, int], names: Mapping[str, Named]
) -> list[Sort]:
    of: dict[str, list[Item]] = {name: [] for name, _, _ in SORTS}
    for one in actions:
        item = Item(one, numbers[one.postmortem], names[one.owner], tx.now.date())
        of[_fared(one)].append(item)
    return [Sort(name, title, state, of[name]) for name, title, state in SORTS]


def _fared(one: Action) -> str:
    if one.state is State.DONE:
        on_time = one.done_at is not None and one.done_at.date() <= one.due_on
        return "on-time" if on_time else "late"
    return {
        State.OPEN: "standing",
        State.ESCALATED: "escalated",
        State.DEPRIORITIZED: "dropped",
    }[one.state]


def _step(step: tuple[str, str, str], lengths: Sequence[Took]) -> Step:
    known = [found for one in lengths if (found := getattr(one, step[0])) is not None]
    return Step(*step, median=rules.median(known), known=len(known))


def _causes(found: Sequence[Incident], kinds: Mapping[str, tuple[str, ...]]) -> list[Cause]:
    listed = [
        Cause(title, [one for one in found if kind in kinds.get(one.id, ())])
        for kind, title in CAUSES.items()
    ]
    return sorted((one for one in listed if one.incidents), key=lambda one: -len(one.incidents))


def _without(found: Sequence[Incident], written: Mapping[str, Postmortem]) -> list[Incident]:
    def waits(one: Incident) -> bool:
        known = written.get(one.id)
        if one.open or not rules.required(one.severity, drill=one.drill):
            return False
        return known is None or (known.state != "published" and not known.waived_by)

    return [one for one in found if waits(one)]
