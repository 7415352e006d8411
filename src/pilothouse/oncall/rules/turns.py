"""Who has the watch when: turns in wall time, each edge made UTC last (docs/oncall.md).

A handoff set for a wall time that a clock change skips is at the instant the clocks jump; one set
for a time that comes twice is at its first coming. Everything else is where the clock says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from pilothouse.kernel import durations
from pilothouse.kernel.errors import Invalid
from pilothouse.oncall.model.documents import Layer, Only, ScheduleSpec
from pilothouse.oncall.model.watch import Override, Shift, Span

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
NEAR = timedelta(days=8)
LONGEST = timedelta(days=800)  # of one question
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Hours(msgspec.Struct, frozen=True):
    """Hours of some days, in wall time; `end` may be after midnight."""

    days: frozenset[int]  # Monday is 0
    start: timedelta  # since midnight
    end: timedelta


class Rota(msgspec.Struct, frozen=True):
    """A layer that can be asked: whose turn is the first, the second, and so on, around."""

    name: str
    start: datetime  # wall time, naive
    until: datetime | None
    turn: timedelta
    turns: tuple[tuple[str, ...], ...]  # refs of Users; one that is empty has nobody
    only: tuple[Hours, ...]


class Watch(msgspec.Struct, frozen=True):
    """A schedule that can be asked: its layers, the strongest last, and what was changed."""

    zone: str
    layers: tuple[Rota, ...]
    overrides: tuple[Override, ...] = ()  # the strongest last


def rota(layer: Layer, turns: Sequence[Sequence[str]]) -> Rota:
    """A layer with the people of its turns. Raises Invalid for times that there are not."""
    turn = durations.parse(layer.turn)
    if turn < HOUR or turn % HOUR:
        raise Invalid(f"turn: {layer.turn!r} is not a number of whole hours, days or weeks")
    return Rota(
        layer.name,
        wall(layer.start, "start"),
        wall(layer.until, "until") if layer.until else None,
        turn,
        tuple(tuple(one) for one in turns),
        tuple(_hours(one) for one in layer.only),
    )


def wall(written: str, field: str) -> datetime:
    """A wall time as documents write it. Raises Invalid for one that no calendar has."""
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        raise Invalid(f"{field}: there is no {written!r}") from None


def _hours(only: Only) -> Hours:
    start, end = _since_midnight(only.from_), _since_midnight(only.to)
    return Hours(
        frozenset(DAYS.index(one) for one in only.days), start, end if end > start else end + DAY
    )


def _since_midnight(written: str) -> timedelta:
    hours, _, minutes = written.partition(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def instant(at: datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant of a wall time: a skipped one is when the clocks jump, a double the first."""
    aware = at.replace(tzinfo=zone)
    found = aware.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == at:
        return found
    # In the hole fold=0 has the offset before the jump and fold=1 the one after: the jump is at
    # the instant from which on the later offset holds.
    after = aware.replace(fold=1).utcoffset() or timedelta()
    early, late = (at - after).replace(tzinfo=UTC), found
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) / 2
        if (middle.astimezone(zone).utcoffset() or timedelta()) == after:
            late = middle
        else:
            early = middle
    return late.replace(microsecond=0)


def shifts(watch: Watch, span: Span) -> list[Shift]:
    """Who has the watch throughout a time, without gap or overlap; a gap is a shift of nobody.

    The first and the last one are cut to the time. Raises Invalid for more than 800 days.
    """
    if span.end - span.start > LONGEST:
        raise Invalid(f"at most {LONGEST.days} days of a schedule can be asked for at once")
    if span.end <= span.start:
        return []
    zone = ZoneInfo(watch.zone)
    layers = [_layered(layer, zone, span) for layer in reversed(watch.layers)]
    strongest = [*_overridden(watch, span), *layers]
    return _joined(_covered(strongest, span))


def _overridden(watch: Watch, span: Span) -> Iterator[list[Shift]]:
    """Each override by itself, the newest first."""
    for one in reversed(watch.overrides):
        start, end = max(one.start, span.start), min(one.end, span.end)
        if start < end:
            yield [
                Shift(start=start, end=end, people=(one.person,), layer="override", override=one.id)
            ]


def _layered(rota: Rota, zone: ZoneInfo, span: Span) -> list[Shift]:
    """The turns of a layer that fall into a time, cut to its hours and to the time."""
    found: list[Shift] = []
    if not rota.turns:
        return found
    for start, end, people in _turns(rota, zone, span):
        if not people:
            continue
        for part in _within(rota.only, start, end):
            edges = Span(
                max(instant(part[0], zone), span.start), min(instant(part[1], zone), span.end)
            )
            if edges.start < edges.end:
                found.append(
                    Shift(start=edges.start, end=edges.end, people=people, layer=rota.name)
                )
    return found


def _turns(
    rota: Rota, zone: ZoneInfo, span: Span
) -> Iterator[tuple[datetime, datetime, tuple[str, ...]]]:
    """Turns around a time, in wall time: found by division, not by counting from the start."""
    first = (span.start - DAY).astimezone(zone).replace(tzinfo=None)
    last = (span.end + DAY).astimezone(zone).replace(tzinfo=None)
    if rota.until is not None:
        last = min(last, rota.until)
    index = max((first - rota.start) // rota.turn, 0)
    while (start := rota.start + index * rota.turn) < last:
        end = start + rota.turn
        if rota.until is not None:
            end = min(end, rota.until)
        yield start, end, rota.turns[index % len(rota.turns)]
        index += 1


def _within(
    only: Sequence[Hours], start: datetime, end: datetime
) -> list[tuple[datetime, datetime]]:
    """The parts of a turn that lie in the layer's hours, in wall time, in order."""
    if not only:
        return [(start, end)]
    found: list[tuple[datetime, datetime]] = []
    day = start.date() - DAY
    while day <= end.date():
        midnight = datetime.combine(day, time())
        for hours in only:
            if day.weekday() in hours.days:
                part = max(midnight + hours.start, start), min(midnight + hours.end, end)
                if part[0] < part[1]:
                    found.append(part)
        day += DAY
    return _merged(found)


def _merged(parts: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    merged: list[tuple[datetime, datetime]] = []
    for start, end in sorted(parts):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _covered(strongest: Sequence[Sequence[Shift]], span: Span) -> list[Shift]:
    """What each leaves free is the next one's; what all leave free is nobody's."""
    found: list[Shift] = []
    free = [span]
    for shifts in strongest:
        left: list[Span] = []
        taken = iter(shifts)
        one = next(taken, None)
        for gap in free:
            start = gap.start
            while one is not None and one.end <= gap.start:
                one = next(taken, None)
            while one is not None and one.start < gap.end:
                begin, end = max(one.start, start), min(one.end, gap.end)
                if start < begin:
                    left.append(Span(start, begin))
                if begin < end:
                    found.append(msgspec.structs.replace(one, start=begin, end=end))
                start = max(start, end)
                if one.end > gap.end:
                    break
                one = next(taken, None)
            if start < gap.end:
                left.append(Span(start, gap.end))
        free = left
        if not free:
            break
    found += [Shift(start=gap.start, end=gap.end, people=()) for gap in free]
    return sorted(found, key=lambda one: one.start)


def _joined(found: Sequence[Shift]) -> list[Shift]:
    """Neighbours that are the same people for the same reason are one shift."""
    joined: list[Shift] = []
    for one in found:
        before = joined[-1] if joined else None
        if before is not None and _goes_on(before, one):
            joined[-1] = msgspec.structs.replace(before, end=one.end)
        else:
            joined.append(one)
    return joined


def _goes_on(before: Shift, one: Shift) -> bool:
    return (before.end, before.people, before.layer, before.override) == (
        one.start,
        one.people,
        one.layer,
        one.override,
    )


def at(watch: Watch, when: datetime) -> tuple[str, ...]:
    """Who has the watch at an instant."""
    found = shifts(watch, Span(when, when + timedelta(microseconds=1)))
    return found[0].people if found else ()


def current(watch: Watch, when: datetime, reach: timedelta) -> tuple[Shift, Shift | None]:
    """The shift of an instant with its edges as far as they lie within `reach`, and the next one.

    A watch that goes from someone to the same people, in another layer, does not go over. None
    where it goes over later than is looked.
    """
    for near in (NEAR, reach):  # most often a week says it all
        found = shifts(watch, Span(when - near, when + near))
        place = next(number for number, one in enumerate(found) if one.start <= when < one.end)
        people = found[place].people
        first = last = place
        while first > 0 and found[first - 1].people == people:
            first -= 1
        while last + 1 < len(found) and found[last + 1].people == people:
            last += 1
        if first > 0 and last + 1 < len(found):
            break
    now = msgspec.structs.replace(found[place], start=found[first].start, end=found[last].end)
    return now, found[last + 1] if last + 1 < len(found) else None


def gaps(found: Sequence[Shift]) -> list[Span]:
    """The times in which nobody has the watch."""
    return [Span(one.start, one.end) for one in found if not one.people]


def days_of(span: Span, zone: ZoneInfo) -> list[date]:
    """The days, where the zone is, that a time touches."""
    first = span.start.astimezone(zone).date()
    last = (span.end - timedelta(microseconds=1)).astimezone(zone).date()
    return [first + number * DAY for number in range((last - first).days + 1)]


def faulty(spec: ScheduleSpec) -> list[tuple[str, str]]:
    """What is wrong with the times of a schedule: the field within spec, and why."""
    found: list[tuple[str, str]] = []
    if not known_zone(spec.time_zone):
        found.append(("time_zone", f"{spec.time_zone!r} is no time zone that anybody knows"))
    for place, layer in enumerate(spec.layers):
        if layer.until is not None and layer.until <= layer.start:
            found.append((f"layers.{place}.until", "it ends before it begins"))
        try:
            rota(layer, ())
        except Invalid as error:
            field, _, why = str(error).partition(": ")
            found.append((f"layers.{place}.{field}", why))
    return found


def known_zone(name: str) -> bool:
    """Whether a time zone of this name exists."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
