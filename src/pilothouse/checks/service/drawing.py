"""Charts of checks as SVG: across in percent, down in pixels, colours by class."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from markupsafe import Markup, escape

from pilothouse.checks.service.telling import Cell
from pilothouse.kernel.charts import percent

Point = tuple[float, float, bool]  # percent across, milliseconds, whether it failed
_HEIGHTS = {"ok": 0.25, "warn": 0.65, "bad": 1.0, "idle": 0.0}
_SHAPES = {
    "dot": '<circle class="{}" r="5"/>',
    "diamond": '<path class="{}" d="M0 -6 6 0 0 6 -6 0z"/>',
    "square": '<path class="{}" d="M-5 -5h10v10h-10z"/>',
    "flag": '<path class="{}" d="M-4 -5.5H5L2.2-2.4 5 .7H-2.4V6H-4z"/>',
}


def cells(found: Sequence[tuple[str, str, Cell]], title: str, href: str) -> Markup:
    """The cells of a row: name and title of each location, and what it says."""
    check, drawn = escape(title), []
    for name, place, cell in found:
        icon = "idle" if cell.mark == "idle" else "ok" if cell.mark == "soft" else cell.mark
        words = escape(f" {place}: {cell.words}")
        drawn.append(
            f'<td role="cell"><a class="cell cell-{cell.mark}" href="{href}?from={escape(name)}" '
            f'title="{check},{words}"><svg aria-hidden="true" focusable="false">'
            f'<use href="#i-{icon}"/></svg><span class="v">{escape(cell.text)}</span>'
            f'<span class="sr-only">{words}</span></a></td>'
        )
    return Markup("".join(drawn))  # noqa: S704 (texts escaped)


class Scale(NamedTuple):
    """What the curves of one panel share."""

    top: float  # ms
    limit: float = 0  # ms; 0: none
    height: int = 52


def curve(points: Sequence[Point | None], label: str, scale: Scale, mark: str = "") -> Markup:
    """A small line; None is a gap. What failed is drawn at the limit or above it."""
    height, runs = scale.height, [[]]
    for point in points:
        if point is None:
            runs.append([])
            continue
        across, value, failed = point
        shown = max(value, scale.limit, scale.top * 0.9) if failed else value
        runs[-1].append((across, _down(shown, scale)))
    suffix = f" ln-{mark}" if mark else ""
    area = f" area-{mark}" if mark else ""
    drawn = "".join(_run(run, height, suffix, area) for run in runs if run)
    limit = ""
    if scale.limit:
        down = _down(scale.limit, scale)
        limit = f'<line class="limit" x1="0" x2="100%" y1="{down:.1f}" y2="{down:.1f}"/>'
    return Markup(  # noqa: S704 (numbers of ours, texts escaped)
        f'<svg class="plot" height="{height}" width="100%" role="img" aria-label="{escape(label)}">'
        f'<svg viewBox="0 0 100 {height}" preserveAspectRatio="none" width="100%" '
        f'height="{height}">{drawn}</svg>{limit}'
        f'<line class="axis" x1="0" x2="100%" y1="{height - 0.5}" y2="{height - 0.5}"/></svg>'
    )


def _down(value: float, scale: Scale) -> float:
    return scale.height - 1 - min(value, scale.top) / (scale.top or 1) * (scale.height - 3)


def _run(run: list[tuple[float, float]], height: int, line: str, area: str) -> str:
    if len(run) == 1:
        x, y = run[0]
        ends = f'x1="{max(x - 0.6, 0):.1f}" x2="{min(x + 0.6, 100):.1f}"'
        return f'<line class="ln{line}" {ends} y1="{y:.1f}" y2="{y:.1f}"/>'
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in run)
    around = f"{run[0][0]:.1f},{height} {points} {run[-1][0]:.1f},{height}"
    return (
        f'<polygon class="area{area}" points="{around}"/>'
        f'<polyline class="ln{line}" points="{points}"/>'
    )


def days(marks: Sequence[str], label: str, height: int = 16) -> Markup:
    """A bar a day: full height failed, middle degraded, low worked, gap no data."""
    bars = {mark: _bars(mark, len(marks), height) for mark in set(marks)}
    drawn = "".join([bars[mark][place] for place, mark in enumerate(marks)])
    return Markup(  # noqa: S704 (numbers of ours, texts escaped)
        f'<svg class="plot" height="{height}" width="100%" role="img" aria-label="{escape(label)}">'
        f"{drawn}</svg>"
    )


@lru_cache(maxsize=32)
def _bars(mark: str, number: int, height: int) -> tuple[str, ...]:
    """What a day with this mark is at each place: the same in every row of every page."""
    width, tall = 100 / max(number, 1), _HEIGHTS[mark] * height
    return tuple(
        f'<rect class="d-{mark}" x="{percent(place * width)}" y="{height - tall:.1f}" '
        f'width="{percent(width * 0.8)}" height="{tall:.1f}"/>'
        if tall
        else ""
        for place in range(number)
    )


def stack(parts: Sequence[tuple[str, float]], whole: float, label: str, height: int = 14) -> Markup:
    """Phases after each other on a scale that all bars of a panel share."""
    across, drawn = 0.0, []
    for kind, value in parts:
        width = value / (whole or 1) * 100
        drawn.append(
            f'<rect class="ph-{kind}" x="{percent(across)}" y="1" '
            f'width="{percent(max(width - 0.15, 0.2))}" height="{height - 2}"/>'
        )
        across += width
    return Markup(  # noqa: S704 (numbers of ours, texts escaped)
        f'<svg class="plot" height="{height}" width="100%" role="img" aria-label="{escape(label)}">'
        f"{''.join(drawn)}</svg>"
    )


def stacks(
    columns: Sequence[tuple[float, Sequence[float | None]]],
    width: float,
    kinds: Sequence[str],
    top: tuple[float, str],
    label: str,
) -> Markup:
    """Bars over time, each of its parts on top of each other: a path for each kind.

    A column begins at so many percent and is `width` wide; `top` is the scale's end, and in words.
    """
    paths: list[list[str]] = [[] for _ in kinds]
    for left, values in columns:
        begin, below = max(left, 0), _TALL - 1.0  # the first one may have begun before the period
        wide = f"{max(left + width * 0.85 - begin, 0):.2f}"
        for path, value in zip(paths, values, strict=True):
            if value:
                high = value / top[0] * (_TALL - 18)
                below -= high
                path.append(f"M{begin:.2f} {below:.1f}h{wide}v{high:.1f}h-{wide}z")
    drawn = "".join(
        f'<path class="ph-{kind}" d="{"".join(path)}"/>'
        for kind, path in zip(kinds, paths, strict=True)
        if path
    )
    return Markup(  # noqa: S704 (numbers of ours, texts escaped)
        f'<svg class="plot" height="{_TALL}" width="100%" role="img" aria-label="{escape(label)}">'
        f'<line class="tick" x1="0" x2="100%" y1="17" y2="17"/>'
        f'<text x="0" y="12">{escape(top[1])}</text>'
        f'<svg viewBox="0 0 100 {_TALL}" preserveAspectRatio="none" width="100%" '
        f'height="{_TALL}">{drawn}</svg>'
        f'<line class="axis" x1="0" x2="100%" y1="{_TALL - 0.5}" y2="{_TALL - 0.5}"/></svg>'
    )


_TALL = 120  # pixels, of which some are for the scale's number


class Mark(NamedTuple):
    """Something on a lane, a link with a name."""

    at: float  # percent
    shape: str
    kind: str  # class
    title: str
    href: str


class Band(NamedTuple):
    """A stretch of time in a state."""

    start: float  # percent
    end: float
    mark: str  # ok, warn, bad, idle


def lane(
    marks: Sequence[Mark], bands: Sequence[Band], ticks: Sequence[float], label: str
) -> Markup:
    """One lane of a strip: bands behind, ticks, marks before."""
    height = 28
    drawn = [
        f'<line class="tick" x1="{percent(x)}" x2="{percent(x)}" y1="0" y2="{height}"/>'
        for x in ticks
    ]
    drawn += [
        f'<rect class="s-{band.mark}" x="{percent(band.start)}" y="{_BANDS[band.mark][0]}" '
        f'width="{percent(max(band.end - band.start, 0.15))}" height="{_BANDS[band.mark][1]}"/>'
        for band in bands
    ]
    if not bands:
        drawn.append(f'<line class="tick" x1="0" x2="100%" y1="{height / 2}" y2="{height / 2}"/>')
    for mark in marks:
        title = escape(mark.title)
        drawn.append(
            f'<a href="{escape(mark.href)}" aria-label="{title}"><title>{title}</title>'
            f'<svg x="{percent(mark.at)}" y="{height / 2}" overflow="visible">'
            f"{_SHAPES[mark.shape].format(mark.kind)}</svg></a>"
        )
    role = "group" if marks else "img"
    return Markup(  # noqa: S704 (numbers of ours, texts escaped)
        f'<svg height="{height}" width="100%" role="{role}" aria-label="{escape(label)}">'
        f"{''.join(drawn)}</svg>"
    )


_BANDS = {"ok": (16, 4), "warn": (10, 10), "bad": (4, 16), "idle": (18, 1)}  # from above, height


def axis(ticks: Sequence[tuple[float, str]]) -> Markup:
    """What stands below lanes and waterfalls."""
    drawn = []
    for at, text in ticks:
        anchor = "start" if at < 2 else "end" if at > 98 else "middle"  # noqa: PLR2004  the edges
        late = ' class="late"' if 84 < at <= 98 else ""  # noqa: PLR2004  on phones the last is there
        drawn.append(
            f'<text{late} x="{percent(at)}" y="12" text-anchor="{anchor}">{escape(text)}</text>'
        )
    return Markup(  # noqa: S704 (numbers of ours, texts escaped)
        f'<svg class="plot" height="18" width="100%" aria-hidden="true">{"".join(drawn)}</svg>'
    )


def bar(start: float, length: float, kind: str, note: str) -> Markup:
    """One request of a waterfall: percent from the left, percent long, its time beside it."""
    width = max(length, 0.5)
    after = start + width < 78  # noqa: PLR2004  percent: room for its time
    at = start + width + 0.8 if after else start - 0.8
    return Markup(  # noqa: S704 (numbers of ours, texts escaped)
        f'<svg class="plot" height="18" width="100%" aria-hidden="true">'
        f'<rect class="{kind}" x="{percent(start)}" y="4" width="{percent(width)}" height="10" '
        f'rx="1"/><text x="{percent(at)}" y="13" text-anchor="{"start" if after else "end"}">'
        f"{escape(note)}</text></svg>"
    )
