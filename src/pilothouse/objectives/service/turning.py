"""Changes of state: one conditional UPDATE each, and what is told then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.kernel.alerts import service as alerts
from pilothouse.kernel.alerts.model import Alert
from pilothouse.kernel.events import Event
from pilothouse.objectives.model.objectives import State
from pilothouse.objectives.rules import saying, windows
from pilothouse.objectives.store import objectives as store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilothouse.kernel.tx import Tx
    from pilothouse.objectives.model.objectives import Judged, Objective
    from pilothouse.objectives.store.objectives import Kept

BURNING, CALM = "objectives.burning", "objectives.calm"
HOT = (State.PAGE, State.TICKET)


def turn(tx: Tx, kept: Kept, judged: Judged) -> bool:
    """Make an objective's state what was judged; False where it is, or somebody else did."""
    if judged.state is kept.state:
        return False
    if not store.turn(tx.conn, kept.id, kept.state, judged.state, tx.now):
        return False
    if judged.state in HOT:
        _tell(tx, kept.objective, judged, BURNING)
        alerts.raise_alert(tx, _alert(kept.objective, judged))
    elif kept.state in HOT:
        _tell(tx, kept.objective, judged, CALM)
        alerts.clear_alert(tx, _alert(kept.objective, judged))
    return True


def end_alerts(tx: Tx, gone: Iterable[Kept]) -> None:
    """Objectives that are none any more alert nobody."""
    for one in gone:
        if one.state in HOT:
            summary = f"{one.objective.title}: the objective was removed"
            alerts.clear_alert(tx, _words(one.objective, summary, "", one.state))


def _tell(tx: Tx, one: Objective, judged: Judged, kind: str) -> None:
    left = judged.budget.left if judged.budget else None
    tx.emit(
        Event(
            type=kind,
            entities=tuple(filter(None, (one.entity, one.slo))),
            data={
                "objective": one.key,
                "title": one.title,
                "href": one.href,
                "severity": judged.state.value if judged.state in HOT else "",
                "burn": judged.burn,
                "left": left,
                "why": saying.why(judged),
            },
        )
    )


def _alert(one: Objective, judged: Judged) -> Alert:
    left = judged.budget.left if judged.budget else None
    how = "burns its error budget" if judged.state in HOT else "burns no faster than it may"
    if judged.state in HOT:
        how = f"{how}{saying.pace(judged.burn, windows.length(one.window))}"
    summary = f"{one.title} {how}. {saying.left(left, windows.words(one.window))}"
    return _words(one, summary, saying.why(judged), judged.state)


def _words(one: Objective, summary: str, detail: str, state: State) -> Alert:
    return Alert(
        key=f"objectives:{one.key}",
        source="objectives",
        entity=one.entity or one.slo,
        summary=summary,
        detail=detail,
        urgency="high" if state is State.PAGE else "low",
        href=one.href,
    )
