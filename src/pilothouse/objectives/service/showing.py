"""What the pages about objectives show, ready to be drawn."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from pilothouse.catalog.service import annotated, views
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.module import Exported, Headline
from pilothouse.objectives.model.objectives import Judged, State
from pilothouse.objectives.rules import saying, windows
from pilothouse.objectives.service import measuring, spending
from pilothouse.objectives.service.spending import Spending
from pilothouse.objectives.store import objectives as store
from pilothouse.objectives.store.objectives import Kept

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pilothouse.kernel.tx import Tx

ORDER = {State.PAGE: 0, State.TICKET: 1}
BEHIND = timedelta(minutes=10)  # a source that was not read for so long is behind
FACED = ("component", "system", "api", "resource", "domain", "service", "slo")


class Line(msgspec.Struct, frozen=True):
    """An objective in a list."""

    kept: Kept
    entity: views.Named | None
    owner: views.Named | None

    @property
    def spent(self) -> bool:
        return self.kept.left is not None and self.kept.left <= 0

    @property
    def left(self) -> str:
        return saying.short(self.kept.left) if self.kept.left is not None else ""

    @property
    def window(self) -> str:
        return windows.words(self.kept.objective.window)

    @property
    def burn(self) -> str:
        return saying.times(self.kept.burn) if self.kept.burn is not None else ""


class Together(msgspec.Struct, frozen=True):
    """The objectives of a team, the fastest first."""

    lines: list[Line]
    href: str

    @property
    def burning(self) -> int:
        return sum(line.kept.state in ORDER for line in self.lines)

    @property
    def burn(self) -> str:
        """Of the one that burns fastest."""
        known = [line.kept.burn for line in self.lines if line.kept.burn is not None]
        return saying.times(max(known)) if known else ""

    @property
    def state(self) -> str:
        states = {line.kept.state for line in self.lines}
        if State.PAGE in states:
            return "bad"
        return "warn" if State.TICKET in states else "ok" if self.burn else "idle"


class Listing(msgspec.Struct, frozen=True):
    """The page of objectives."""

    lines: list[Line]
    total: int
    teams: list[tuple[str, str, int]]  # ref, title, how many
    team: str
    q: str


class Shown(msgspec.Struct, frozen=True):
    """The page of one objective."""

    line: Line
    judged: Judged
    siblings: list[Line]
    spending: Spending | None
    behind: bool
    origin: str
    path: str


def _order(one: Kept) -> tuple[int, float, float, str]:
    """Burning first, then by burn; those without data at the end."""
    left = one.left if one.left is not None else 2
    burn = one.burn if one.burn is not None else -1
    return ORDER.get(one.state, 2), -burn, left, one.objective.title


def _lines(tx: Tx, found: Iterable[Kept]) -> list[Line]:
    kept = sorted(found, key=_order)
    refs = {one.objective.entity for one in kept} | {one.objective.owner for one in kept}
    named = views.name_all(tx, sorted(refs - {""}))
    return [
        Line(one, named.get(one.objective.entity), named.get(one.objective.owner)) for one in kept
    ]


def listing(tx: Tx, team: str, q: str) -> Listing:
    """Objectives of a team, or all; sorted by burn."""
    every = store.every(tx.conn)
    teams: dict[str, int] = {}
    for one in every:
        teams[one.objective.owner] = teams.get(one.objective.owner, 0) + 1
    chosen = [
        one
        for one in every
        if (not team or one.objective.owner == team)
        and q.lower() in f"{one.objective.title} {one.objective.service}".lower()
    ]
    named = views.name_all(tx, sorted(set(teams) - {""}))
    titles = [(ref, named[ref].title, many) for ref, many in teams.items() if ref]
    return Listing(
        _lines(tx, chosen), len(every), sorted(titles, key=lambda one: one[1].lower()), team, q
    )


def one(tx: Tx, slo: str, position: int) -> Shown:
    """Raises NotFound for an objective that is none."""
    siblings = store.of_slo(tx.conn, slo)
    kept = next((each for each in siblings if each.objective.position == position), None)
    if kept is None:
        raise NotFound(f"there is no objective {position} of {slo}")
    lines = {line.kept.id: line for line in _lines(tx, siblings)}
    judged = measuring.judge(tx, [kept])[0].judged
    about = annotated.sources_of(tx, [slo]).get(slo)
    until = kept.read_until
    behind = bool(kept.objective.metric) and (until is None or tx.now - until > BEHIND)
    return Shown(
        line=lines[kept.id],
        judged=judged,
        siblings=[lines[each.id] for each in siblings] if len(siblings) > 1 else [],
        spending=spending.of(tx, kept, judged),
        behind=behind,
        origin=about[0] if about else "",
        path=about[1] if about else "",
    )


def about(tx: Tx, ref: str) -> list[Line] | None:
    """The objectives of an entity, or of a document."""
    if ref.partition(":")[0] not in FACED:
        return None
    return _lines(tx, store.about(tx.conn, [ref])) or None


def of_team(tx: Tx, ref: str) -> Together | None:
    """How fast the budgets of a team burn."""
    lines = _lines(tx, store.owned_by(tx.conn, [ref]))
    return Together(lines, f"/objectives?team={quote(ref)}") if lines else None


def burning(tx: Tx) -> list[Line] | None:
    """Those that burn."""
    return _lines(tx, store.burning(tx.conn)) or None


def note(lines: Sequence[Line]) -> str:
    """Beside a panel's title."""
    hot = sum(line.kept.state in ORDER for line in lines)
    return f"{hot} burning" if hot else ""


def on_fire(tx: Tx, refs: Collection[str]) -> list[str]:
    """Of these entities those with an objective that pages."""
    hot = {one.objective.entity for one in store.burning(tx.conn) if one.state is State.PAGE}
    return [ref for ref in refs if ref in hot]


def headline(tx: Tx) -> Headline | None:
    """The worst objective in a sentence, when one burns."""
    found = sorted(store.burning(tx.conn), key=_order)
    if not found:
        return None
    worst = found[0]
    pages = worst.state is State.PAGE
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    how = saying.pace(worst.burn, windows.length(worst.objective.window))
    return Headline(
        weight=85 if pages else 45,
        state="bad" if pages else "warn",
        text=f"{worst.objective.title} burns its error budget{how}{more}",
        detail=saying.left(worst.left, windows.words(worst.objective.window)),
        href=worst.objective.href,
        action="See what it is spent on",
    )


def exported(tx: Tx) -> Iterable[Exported]:
    """The list, and a page for each."""
    every = store.every(tx.conn)
    if every:
        yield Exported("/objectives")
    for one in every:
        hour = f"{measuring.minute_of(tx.now):%Y-%m-%dT%H}"
        refs = tuple(filter(None, (one.objective.slo, one.objective.entity)))
        yield Exported(one.objective.href, refs, version=f"{one.state} {hour}")
