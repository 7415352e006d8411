"""Charts of deployments by week."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from markupsafe import Markup

from pilothouse.deploys.rules import standing
from pilothouse.deploys.service.measuring import Frequency
from pilothouse.kernel import charts
from pilothouse.kernel.charts import Bar, Part
from pilothouse.kernel.words import counted

SMALL = 28  # pixels


def chart(found: Frequency, team: str = "", service: str = "") -> Markup:
    """Deployments to production by week, what went wrong on top; each bar leads to its list."""
    bars = [
        Bar(
            parts=(Part(fine, "1"), Part(wrong, "bad")),
            title=_title(week, fine + wrong, wrong),
            tick=standing.week_name(week).partition("-")[2] if place % 2 == 0 else "",
            href=f"/deploys/list?{_query(week, team, service)}",
        )
        for place, (week, fine, wrong) in enumerate(
            zip(found.mondays, found.fine, found.wrong, strict=True)
        )
    ]
    whole = found.whole
    weeks = counted(len(found.mondays), "week")
    label = (
        f"{counted(whole.ended, 'deployment')} to production in {weeks}, {whole.wrong} went wrong"
    )
    return charts.bars(bars, label)


def _title(week: str, ended: int, wrong: int) -> str:
    name = standing.week_name(week)
    said = counted(ended, "deployment")
    return f"{name}: {said}, {wrong} went wrong" if wrong else f"{name}: {said}"


def _query(week: str, team: str, service: str) -> str:
    values = {"first": week, "last": week, "team": team, "service": service, "what": "ended"}
    return urlencode({name: value for name, value in values.items() if value})


def small(values: Sequence[int], name: str) -> Markup:
    """The weeks of one line, without an axis of its own."""
    bars = [Bar((Part(value, "1"),), str(value)) for value in values]
    last = counted(values[-1], "deployment") if values else "none"
    return charts.bars(bars, f"{name} by week; {last} in this one", height=SMALL)
