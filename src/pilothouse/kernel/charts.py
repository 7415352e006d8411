"""Charts drawn by the server as SVG: across in percent, down in pixels, colours by class.

So text keeps its size at any width, no inline style is needed, and themes need no second drawing.
Every chart stands beside a table that says the same; see `charts.html` among the templates.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from markupsafe import Markup, escape

HEIGHT = 120
AXIS = 18  # pixels below a chart for what stands there
_HEAD = 14  # pixels above the highest mark, for the scale's number
_FULL = 0.8  # of its share of the width that a bar takes
_START, _END = 4, 96  # percent; labels beyond are set to the edge


class Part(msgspec.Struct, frozen=True):
    """A part of a bar, from below: how much, and the class of its colour."""

    value: float
    mark: str  # "1", "2", "3", "warn", "bad": see charts.css


class Bar(msgspec.Struct, frozen=True):
    """A bar of several parts; `tick` is what stands below it, `title` what it says."""

    parts: tuple[Part, ...]
    title: str
    tick: str = ""
    href: str = ""

    @property
    def value(self) -> float:
        return sum(part.value for part in self.parts)


def bars(found: Sequence[Bar], label: str, *, height: int = HEIGHT, top: float = 0) -> Markup:
    """Bars side by side on one scale from zero.

    `label` says the finding. Where bars are links the chart is a group of links, else an image.
    `top` is the least value that the scale reaches to.
    """
    most = max([top, *(bar.value for bar in found)], default=0) or 1
    width = 100 / max(len(found), 1)
    linked = any(bar.href for bar in found)
    drawn = "".join(
        _linked(bar, _bar(bar, place * width, width, most, height))
        for place, bar in enumerate(found)
    )
    scale = _scale(most) if height > 3 * _HEAD else ""
    ticks = "".join(
        _tick((place + 0.5) * width, bar.tick, height) for place, bar in enumerate(found)
    )
    below = AXIS if ticks else 0
    return Markup(  # noqa: S704 (numbers of ours, texts escaped)
        f'<svg class="plot" width="100%" height="{height + below}" '
        f'role="{"group" if linked else "img"}" aria-label="{escape(label)}">{scale}'
        f'<line class="axis" x1="0" x2="100%" y1="{height - 0.5}" y2="{height - 0.5}"/>'
        f"{drawn}{ticks}</svg>"
    )


def _bar(bar: Bar, left: float, width: float, most: float, height: int) -> str:
    drawn, below = [], height - 1.0
    for part in bar.parts:
        tall = part.value / most * (height - _HEAD)
        if part.value <= 0:
            continue
        tall = max(tall, 2.0)
        below -= tall
        drawn.append(
            f'<rect class="m m-{part.mark}" x="{percent(left + width * (1 - _FULL) / 2)}" '
            f'y="{below:.1f}" width="{percent(width * _FULL)}" height="{tall:.1f}"/>'
        )
    hit = (
        f'<rect class="hit" x="{percent(left)}" y="0" width="{percent(width)}" height="{height}"/>'
    )
    return f"{hit}{''.join(drawn)}"


def _linked(bar: Bar, drawn: str) -> str:
    title = f"<title>{escape(bar.title)}</title>"
    if bar.href:
        name = escape(bar.title)
        return f'<a href="{escape(bar.href)}" aria-label="{name}">{title}{drawn}</a>'
    return f"<g>{title}{drawn}</g>"


def _scale(most: float) -> str:
    top = f"{most:g}"
    return (
        f'<line class="tick" x1="0" x2="100%" y1="{_HEAD}" y2="{_HEAD}"/>'
        f'<text x="0" y="{_HEAD - 4}">{top}</text>'
    )


def _tick(middle: float, text: str, height: int) -> str:
    if not text:
        return ""
    anchor = "start" if middle < _START else "end" if middle > _END else "middle"
    at = 0 if anchor == "start" else 100 if anchor == "end" else middle
    return f'<text x="{percent(at)}" y="{height + 13}" text-anchor="{anchor}">{escape(text)}</text>'


class Limit(msgspec.Struct, frozen=True):
    """A line across a chart that something should stay below, and what it says."""

    value: float
    said: str  # "good: 2.5 s"


def curve(
    values: Sequence[float | None],
    label: str,
    *,
    height: int = 40,
    top: float = 0,
    limit: Limit | None = None,
) -> Markup:
    """A small line from left to right on a scale from zero; None is a gap, never a zero."""
    top = max(top, 1.1 * limit.value if limit else 0)
    most = max([top, *(value for value in values if value is not None)], default=0) or 1
    step = 100 / max(len(values) - 1, 1)
    runs: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((place * step, height - 2 - value / most * (height - 4)))
    drawn = "".join(_run(run, height) for run in runs if run)
    across = _limit(limit, height - 2 - limit.value / most * (height - 4)) if limit else ""
    return Markup(  # noqa: S704 (numbers of ours, texts escaped)
        f'<svg class="plot" width="100%" height="{height}" role="img" aria-label="{escape(label)}">'
        f'<svg viewBox="0 0 100 {height}" preserveAspectRatio="none" width="100%" '
        f'height="{height}">{drawn}</svg>{across}'
        f'<line class="axis" x1="0" x2="100%" y1="{height - 0.5}" y2="{height - 0.5}"/></svg>'
    )


def _limit(limit: Limit, y: float) -> str:
    below = y < _HEAD  # no room above it for what it says
    return (
        f'<line class="limit" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="limit-said" x="0" y="{y + 12 if below else y - 4:.1f}">'
        f"{escape(limit.said)}</text>"
    )


def _run(points: list[tuple[float, float]], height: int) -> str:
    if len(points) == 1:  # a point alone has no line
        x, y = points[0]
        ends = f'x1="{max(x - 1, 0):.1f}" x2="{min(x + 1, 100):.1f}"'
        return f'<line class="ln" {ends} y1="{y:.1f}" y2="{y:.1f}"/>'
    line = " ".join(f"{x:.2f},{y:.1f}" for x, y in points)
    area = f"{points[0][0]:.2f},{height} {line} {points[-1][0]:.2f},{height}"
    return f'<polygon class="area" points="{area}"/><polyline class="ln" points="{line}"/>'


def percent(value: float) -> str:
    """A place or a width across: "12.5%"."""
    return f"{value:.2f}".rstrip("0").rstrip(".") + "%"
