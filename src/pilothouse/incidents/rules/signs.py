"""What speaks for or against a change: signs, each with its words and the name of its weight.

A sign's key is "feature.level". What is not known gives no sign: it weighs nothing either way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.kernel.words import clock, counted, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pilothouse.incidents.model.changes import Known, Reach, Trouble
    from pilothouse.kernel.changes import Change

BEFORE = (  # the longest time before the onset, and the level's name
    (timedelta(minutes=3), "3m"),
    (timedelta(minutes=10), "10m"),
    (timedelta(minutes=30), "30m"),
    (timedelta(hours=1), "1h"),
    (timedelta(hours=3), "3h"),
    (timedelta(hours=8), "8h"),
    (timedelta(hours=24), "24h"),
)
SAME_TIME = timedelta(minutes=2)  # an onset is known as well as measurements are apart
AFTER = timedelta(minutes=10)
HELPED = timedelta(minutes=30)  # between what was undone and recovery
FIRST = timedelta(minutes=1)  # onsets nearer than this are not told apart
SIZES = ((3, "small"), (20, "medium"))  # commits
FAR = 3  # steps
DIRECTIONS = ("self", "below", "above", "beside")


class Sign(msgspec.Struct, frozen=True):
    """One thing that is known of a change in this trouble."""

    key: str
    words: str

    @property
    def feature(self) -> str:
        return self.key.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Scene:
    """A trouble with all that its changes are compared with, found once."""

    trouble: Trouble
    total: int
    reach: Mapping[str, Reach]
    onsets: Mapping[str, datetime]
    first: datetime | None  # the earliest onset that is known of an entity
    healthy: frozenset[str]
    failing: frozenset[str]
    same: Mapping[str, tuple[Change, ...]]
    known: Mapping[tuple[str, str], tuple[int, int]]
    often: Mapping[tuple[str, str], int]

    @classmethod
    def of(
        cls,
        trouble: Trouble,
        changes: Sequence[Change],
        reaches: Iterable[Reach],
        known: Iterable[Known],
    ) -> Scene:
        same: dict[str, list[Change]] = {}
        often: dict[tuple[str, str], int] = {}
        for one in changes:
            if one.same:
                same.setdefault(one.same, []).append(one)
            for ref in one.entities:
                often[one.kind, ref] = often.get((one.kind, ref), 0) + 1
        onsets = dict(trouble.onsets)
        return cls(
            trouble=trouble,
            total=len(changes),
            reach={one.ref: one for one in reaches},
            onsets=onsets,
            first=min(onsets.values(), default=None),
            healthy=frozenset(trouble.healthy),
            failing=frozenset(trouble.failing),
            same={name: tuple(found) for name, found in same.items()},
            known={(one.kind, one.entity): (one.confirmed, one.cleared) for one in known},
            often=often,
        )

    def nearest(self, change: Change) -> Reach | None:
        """Where a change is, seen from what fails: of its entities the nearest."""
        found = [self.reach[ref] for ref in change.entities if ref in self.reach]
        if not found:
            return None
        return min(found, key=lambda one: (DIRECTIONS.index(one.direction), one.distance, one.ref))

    def doubt(self, change: Change) -> str:
        """What is to be held against a change that nothing speaks against."""
        if self.total > 1:
            others = counted(self.total - 1, "other change")
            return f"Nothing measured proves it: {others} came in the same time"
        if change.undone_at is None:
            return "Nobody has undone it yet, so whether that helps is not known"
        return "Nothing measured proves it: it is near in time and place, and no more"


def signs_of(change: Change, scene: Scene) -> list[Sign]:
    """All signs of one change."""
    found = [
        _nearness(change, scene.trouble),
        _graph(change, scene),
        _shared(change, scene),
        _standing(change, scene),
        _kind(change),
        _size(change),
        _same(change, scene),
        _undone(change, scene.trouble),
        _undoing(change),
        _regions(change, scene.trouble),
        _failed(change),
        _history(change, scene),
        _often(change, scene),
    ]
    return [sign for sign in (*found, *_cascade(change, scene)) if sign is not None]


def _nearness(change: Change, trouble: Trouble) -> Sign:
    gap = trouble.onset - change.at
    at = clock(trouble.onset)
    if gap < -SAME_TIME:
        level = "after" if gap >= -AFTER else "later"
        return Sign(f"nearness.{level}", f"{span(-gap)} after the first failure ({at} UTC)")
    if gap < timedelta():
        return Sign("nearness.same", f"In the same minutes as the first failure ({at} UTC)")
    level = next((name for most, name in BEFORE if gap <= most), "older")
    return Sign(f"nearness.{level}", f"{span(gap)} before the first failure ({at} UTC)")


def _graph(change: Change, scene: Scene) -> Sign:
    reach = scene.nearest(change)
    if reach is None:
        return Sign("graph.apart", "Not on the way of what is failing, as far as the catalog knows")
    name = _name(reach.ref)
    match reach.direction:
        case "self":
            return Sign("graph.self", f"Changed {name}, which is failing")
        case "below":
            level, far = min(reach.distance, 3), "Far: " if reach.distance >= FAR else ""
            steps = "" if reach.distance == 1 else f", {counted(reach.distance, 'step')} away"
            words = f"{far}{'w' if far else 'W'}hat is failing depends on {name}{steps}"
            return Sign(f"graph.below{level}", words)
        case "above":
            return Sign("graph.above", f"{name} depends on what is failing, not the other way")
        case "beside":
            return Sign("graph.beside", f"{name} only shares a dependency with what is failing")


def _shared(change: Change, scene: Scene) -> Sign | None:
    """How many of the failing ones it is below of."""
    reach, failing = scene.nearest(change), len(scene.failing)
    if reach is None or failing < 2 or reach.direction in ("above", "beside"):  # noqa: PLR2004
        return None
    name = _name(reach.ref)
    if reach.paths >= failing:
        return Sign("shared.all", f"{name} is below all {failing} that are failing")
    if reach.paths * 2 > failing:
        return Sign("shared.most", f"{name} is below {reach.paths} of {failing} that are failing")
    return Sign("shared.few", f"{name} is below {reach.paths} of {failing} that are failing")


def _standing(change: Change, scene: Scene) -> Sign | None:
    """What measurements say of the changed entity itself."""
    fine = [ref for ref in change.entities if ref in scene.healthy]
    if fine and not scene.failing.intersection(change.entities):
        return Sign("standing.healthy", f"{_name(fine[0])} itself is looked at, and works")
    return None


def _cascade(change: Change, scene: Scene) -> list[Sign]:
    """Of several that fail, the one that failed first is nearest to the cause."""
    if scene.first is None or len(scene.onsets) < 2:  # noqa: PLR2004  one alone is no cascade
        return []
    own = [(scene.onsets[ref], ref) for ref in change.entities if ref in scene.onsets]
    if not own:
        return []
    at, ref = min(own)
    if at - scene.first <= FIRST:
        return [Sign("cascade.first", f"{_name(ref)} failed first of {len(scene.onsets)}")]
    late = span(at - scene.first)
    found = [Sign("cascade.late", f"{_name(ref)} failed {late} after the first that failed")]
    if change.at > scene.first + SAME_TIME:
        found.append(Sign("cascade.passed", "Something was failing before it"))
    return found


def _kind(change: Change) -> Sign:
    words = {
        "deployment": "New code: what most incidents come from",
        "flag": "A flag takes effect at once, everywhere it is read",
        "config": "Configuration takes effect without tests of its own",
        "catalog": "Only the catalog was changed, nothing that runs",
        "schedule": "Only who is on call was changed",
        "data": "A data run, seldom what breaks a service",
        "maintenance": "Planned work was going on",
        "vendor": "A vendor told of trouble itself",
        "other": "",
    }
    return Sign(f"kind.{change.kind}", words[change.kind])


def _size(change: Change) -> Sign | None:
    if change.size is None:
        return None
    level = next((name for most, name in SIZES if change.size <= most), "large")
    commits = counted(change.size, "commit")
    words = {"small": f"Small: {commits}", "medium": commits, "large": f"Large: {commits}"}
    return Sign(f"size.{level}", words[level])


def _same(change: Change, scene: Scene) -> Sign | None:
    """What the same change did elsewhere, before it did harm here."""
    others = [
        one
        for one in scene.same.get(change.same, ())
        if one.id != change.id and one.entities != change.entities and not one.failed
    ]
    sick = [one for one in others if scene.failing.intersection(one.entities)]
    fine = [one for one in others if scene.healthy.intersection(one.entities)]
    if sick:
        return Sign("same.sick", f"The same change is in {_name(sick[0].entities[0])}, failing too")
    if fine:
        where = _name(fine[0].entities[0])
        return Sign("same.fine", f"The same change did no harm in {where}, which works")
    return None


def _undone(change: Change, trouble: Trouble) -> Sign | None:
    if change.undone_at is None:
        return None
    at = clock(change.undone_at)
    if trouble.recovered_at is None:
        if trouble.at is None or trouble.at - change.undone_at < HELPED:
            return None
        return Sign("undone.vain", f"Undone at {at} UTC, and it still fails")
    gap = trouble.recovered_at - change.undone_at
    if timedelta() <= gap + SAME_TIME <= HELPED:
        return Sign(
            "undone.helped", f"It recovered {span(max(gap, timedelta()))} after the undoing"
        )
    if gap > HELPED:
        return Sign("undone.vain", f"Undone at {at} UTC, and it failed for {span(gap)} more")
    return Sign("undone.later", f"It had recovered before this was undone at {at} UTC")


def _undoing(change: Change) -> Sign | None:
    return Sign("undoing.yes", "It brought back what ran before") if change.undoes else None


def _regions(change: Change, trouble: Trouble) -> Sign | None:
    here, sick = set(change.regions), set(trouble.regions)
    if not sick:
        return Sign("regions.wide", _only(change, "it fails everywhere")) if here else None
    names = ", ".join(sorted(sick))
    if not here:
        return None
    if here.isdisjoint(sick):
        return Sign("regions.apart", _only(change, f"it fails in {names}"))
    if here <= sick:
        return Sign("regions.match", _only(change, f"it fails in {names}"))
    return Sign("regions.more", _only(change, f"it fails in {names} only"))


def _only(change: Change, where: str) -> str:
    return f"Took effect in {', '.join(sorted(change.regions))}; {where}"


def _failed(change: Change) -> Sign | None:
    return (
        Sign("failed.yes", "It failed, so it took no effect or only in part")
        if change.failed
        else None
    )


def _history(change: Change, scene: Scene) -> Sign | None:
    found = [
        scene.known[change.kind, ref]
        for ref in change.entities
        if (change.kind, ref) in scene.known
    ]
    confirmed, cleared = sum(one for one, _ in found), sum(other for _, other in found)
    what = f"changes of this kind to {_name(change.entities[0])}" if change.entities else ""
    if confirmed:
        return Sign(
            "history.cause", f"{what.capitalize()} were the cause {counted(confirmed, 'time')}"
        )
    if cleared:
        return Sign(
            "history.cleared", f"{what.capitalize()} were cleared {counted(cleared, 'time')}"
        )
    return None


def _often(change: Change, scene: Scene) -> Sign | None:
    """Of an entity that changes all the time each change says less."""
    most = max((scene.often[change.kind, ref] for ref in change.entities), default=0)
    if most < 3:  # noqa: PLR2004  twice in the time that is looked at is nothing out of the way
        return None
    level = "many" if most >= 6 else "some"  # noqa: PLR2004
    return Sign(f"often.{level}", f"One of {most} such changes to it in this time")


def _name(ref: str) -> str:
    """What people call an entity: "checkout"."""
    return ref.rpartition("/")[2]
