"""The watch drawn as a strip: across in percent, down in pixels, colours by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from pilothouse.kernel import words
from pilothouse.oncall.model.watch import Shift, Span
from pilothouse.oncall.rules import turns

HEIGHT = 26
LEAST_NAMED, LEAST_MARKED = 0.06, 0.02  # shares from which on a name or a sign has room


def strip(
    shifts: Sequence[Shift], span: Span, names: Mapping[str, str], zone: ZoneInfo, mine: str = ""
) -> Markup:
    """Who has the watch throughout a time; `mine` is the reader's ref.

    Neighbours have two greys in turn, for people have no colours; nobody is marked and said.
    """
    parts = [_day(at, span) for at in _midnights(span, zone)]
    inside = _inside(shifts, span)
    kinds = ["mine" if mine in one.people else f"w-{place % 2}" for place, one in enumerate(inside)]
    parts += [_part(one, span, names, kind) for one, kind in zip(inside, kinds, strict=True)]
    label = escape(said(shifts, span, names, zone))
    return Markup(  # noqa: S704  every piece is escaped
        f'<svg class="watch" width="100%" height="{HEIGHT}" role="img" aria-label="{label}">'
        + "".join(parts)
        + "</svg>"
    )


def said(
    shifts: Sequence[Shift], span: Span, names: Mapping[str, str], zone: ZoneInfo, most: int = 8
) -> str:
    """A strip in words, for those who do not see it."""
    inside = _inside(shifts, span)
    told = [
        f"{called(one.people, names)} until {words.weekday(one.end, zone)} "
        f"{words.clock(one.end, zone)}"
        for one in inside[:most]
    ]
    more = f", and {len(inside) - most} more" if len(inside) > most else ""
    return (", ".join(told) or "nobody") + more


def called(people: Sequence[str], names: Mapping[str, str], most: int = 3) -> str:
    """Several people in a few words."""
    if not people:
        return "nobody"
    more = f" and {len(people) - most} more" if len(people) > most else ""
    return ", ".join(names.get(one, one.rpartition("/")[2]) for one in people[:most]) + more


def _inside(shifts: Sequence[Shift], span: Span) -> list[Shift]:
    return [one for one in shifts if one.end > span.start and one.start < span.end]


def _midnights(span: Span, zone: ZoneInfo) -> list[datetime]:
    return [
        at
        for day in turns.days_of(span, zone)
        if span.start < (at := turns.instant(datetime.combine(day, time()), zone)) < span.end
    ]


def _day(at: datetime, span: Span) -> str:
    place = _percent(_share(at - span.start, span))
    return f'<line class="day" x1="{place}" x2="{place}" y1="0" y2="{HEIGHT}"/>'


def _part(one: Shift, span: Span, names: Mapping[str, str], kind: str) -> str:
    start, end = max(one.start, span.start), min(one.end, span.end)
    left, wide = _share(start - span.start, span), _share(end - start, span)
    drawn = kind if one.people else "none"
    changed = " by-hand" if one.override else ""
    name = called([*one.people][:1], names).partition(" ")[0] if one.people else "nobody"
    if len(one.people) > 1:
        name += f" +{len(one.people) - 1}"
    if wide < LEAST_NAMED:
        name = "" if one.people or wide < LEAST_MARKED else "\N{MULTIPLICATION SIGN}"
    text = f'<text x="4" y="17">{escape(name)}</text>' if name else ""
    return (
        f'<svg x="{_percent(left)}" width="{_percent(wide)}" height="{HEIGHT}">'
        f'<rect class="{drawn}{changed}" width="100%" height="{HEIGHT}"/>{text}</svg>'
    )


def _share(length: timedelta, span: Span) -> float:
    return length / (span.end - span.start)


def _percent(share: float) -> str:
    return f"{100 * share:.3f}%"
