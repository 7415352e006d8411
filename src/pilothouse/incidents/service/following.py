"""What time brings: drafts, who is asked to write, reminders, escalation, who left.

Each step is one UPDATE of what was read together with all that follows from it, so a process that
dies between any two of them has either done a step or not begun it; the next look does the rest.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from pilothouse.catalog.service import views
from pilothouse.incidents.model.incidents import SEVERITIES
from pilothouse.incidents.model.postmortems import (
    ACTION_CHANGED,
    ACTION_ESCALATED,
    ACTION_REMINDED,
    ASKED,
    State,
)
from pilothouse.incidents.rules import actions as rules
from pilothouse.incidents.rules import postmortems as asking
from pilothouse.incidents.service import leading, postmortems, reading, telling
from pilothouse.incidents.store import actions as store
from pilothouse.incidents.store import lines
from pilothouse.incidents.store import postmortems as texts
from pilothouse.kernel.faults import crash_point

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pilothouse.incidents.model.incidents import Incident
    from pilothouse.incidents.model.postmortems import Action, Postmortem
    from pilothouse.kernel.tx import Database, Tx

One = TypeVar("One")
AT_ONCE = 200
MOST = 2000
BACK = timedelta(days=90)  # incidents resolved before had their time


def look(db: Database) -> int:
    """Do all that is due; how many things that were. What fails does not hold up the rest."""
    steps = (escalate_due, draft_missing, hand_over, ask, remind)
    return _each(steps, lambda step: step(db))


def _each(found: Iterable[One], do: Callable[[One], int]) -> int:
    """Do something with each; raises what failed first, when all were tried."""
    made, failures = 0, []
    for one in found:
        try:
            made += do(one)
        except Exception as error:  # noqa: BLE001  the others must not wait for this one
            failures.append(error)
    if failures:
        raise failures[0]
    return made


def _apart(db: Database, found: Iterable[One], do: Callable[[Tx, One], bool]) -> int:
    """Each in a transaction of its own."""

    def one_by_one(one: One) -> int:
        with db.begin() as tx:
            return int(do(tx, one))

    return _each(found, one_by_one)


def draft_missing(db: Database) -> int:
    """Begin the post-mortems that the severity of an incident requires."""
    needed = [level for level, one in SEVERITIES.items() if one.postmortem]
    with db.read() as tx:
        found = texts.missing(tx.conn, needed, tx.now - BACK, AT_ONCE)
    return _apart(db, found, _draft)


def _draft(tx: Tx, found: Incident) -> bool:
    incident = reading.whole(tx, found.id)
    if incident is None or incident.open or incident.merged_into:
        return False
    return postmortems.draft(tx, incident)


def escalate_due(db: Database) -> int:
    """Escalate what is not done although its two sprints are over."""
    with db.read() as tx:
        due = store.due(tx.conn, tx.now, AT_ONCE)
    return _apart(db, due, escalate)


def escalate(tx: Tx, action_id: str) -> bool:
    """Escalate one item, once; False where it is done, dropped, escalated or not due."""
    action = store.find(tx.conn, action_id)
    if action is None or not rules.is_due(action, tx.now):
        return False
    if not store.change(tx.conn, action, state=State.ESCALATED, escalated_at=tx.now):
        return False
    crash_point("incidents.escalating")
    incident = reading.whole(tx, action.postmortem)
    if incident is None:
        return True
    words = f"Action item {action.slot} escalated: two sprints are over. {action.title}"
    _tell(tx, incident, ACTION_ESCALATED, words, action)
    leads = leading.heads(tx, action.owner, action.team)
    owners = leading.owners(tx, incident.entity)
    people = leading.may_know(tx, incident, rules.told(action.owner, leads, owners))
    body = (
        f"{action.title}\nTwo sprints after its post-mortem this is not done. "
        "It stands on Now until somebody does it, or drops it by name."
    )
    title = f"Escalated: an action item of incident {incident.number}"
    leading.tell(tx, people, title, body, _path(incident), f"escalated-{action.id}")
    postmortems.changed(tx, incident)
    return True


def _tell(tx: Tx, incident: Incident, kind: str, words: str, action: Action) -> None:
    data = {"action": action.id, "slot": action.slot, "owner": action.owner}
    telling.tell_anyhow(tx, incident, kind, words, **data)


def _path(incident: Incident) -> str:
    return f"/postmortems/{incident.number}"


def hand_over(db: Database) -> int:
    """What people have who left goes to the lead of their team."""
    with db.read() as tx:
        gone = _gone(tx, store.standing(tx.conn, MOST))
    return _apart(db, gone, _inherit)


def _gone(tx: Tx, found: Iterable[Action]) -> list[Action]:
    """Those whose owner is not in the catalog."""
    actions = list(found)
    names = views.name_all(tx, sorted({one.owner for one in actions}))
    return [one for one in actions if not names[one.owner].exists]


def _inherit(tx: Tx, action: Action) -> bool:
    heir = next((one for one in leading.heads(tx, action.owner, action.team)), "")
    if not heir.startswith("user:") or not views.name_all(tx, [heir])[heir].exists:
        return False  # nobody leads; it stands where it stood, and is escalated as it would be
    if not store.change(tx.conn, action, owner=heir):
        return False
    incident = reading.whole(tx, action.postmortem)
    if incident is None:
        return True
    words = f"Action item {action.slot}: {action.owner} left; {heir} has it now. {action.title}"
    _tell(tx, incident, ACTION_CHANGED, words, action)
    body = f"{action.title}\nWho had it is not in the catalog any more. Due {action.due_on}."
    title = f"An action item of incident {incident.number} is yours now"
    known = leading.may_know(tx, incident, [heir])
    leading.tell(tx, known, title, body, _path(incident), f"heir-{action.id}-{action.version}")
    postmortems.changed(tx, incident)
    return True


def ask(db: Database) -> int:
    """Ask for post-mortems that are due, every day until they are written."""
    with db.read() as tx:
        today = tx.now.date()
        due = [
            (one, which)
            for one in texts.drafts(tx.conn, MOST)
            if (which := asking.asked(one, today)) and which != one.asked
        ]
    return _apart(db, due, lambda tx, found: _ask(tx, *found))


def _ask(tx: Tx, one: Postmortem, which: str) -> bool:
    incident = reading.whole(tx, one.incident)
    if incident is None or incident.open or incident.merged_into:
        return False
    if not texts.ask(tx.conn, one.incident, which):
        return False
    held = lines.holders(tx.conn, [incident.id])[incident.id]
    roles = [each.person for each in held if each.role in ("commander", "scribe")]
    people = [each for each in roles if each.startswith("user:")]
    people = people or leading.owners(tx, incident.entity)
    if which.startswith("over"):
        people += leading.owners(tx, incident.entity)
    words = f"Its post-mortem is due on {one.due_on}."
    telling.emit(tx, incident, ASKED, words, which=which)
    title = f"The post-mortem of incident {incident.number} is to be written"
    body = f"{incident.title}\nDue on {one.due_on}. What is known stands in a draft."
    known = leading.may_know(tx, incident, people)
    leading.tell(tx, known, title, body, _path(incident), f"asked-{one.incident}-{which}")
    return True


def remind(db: Database) -> int:
    """Remind of items before and after their deadline, and after they were escalated."""
    with db.read() as tx:
        today = tx.now.date()
        found = store.standing(tx.conn, MOST)
        ends = texts.of_ids(tx.conn, sorted({one.postmortem for one in found}))
        due = [
            (one, which)
            for one in found
            if (which := rules.reminder(one, today, ends[one.postmortem].ends_on))
            and which != one.reminded
        ]
    return _apart(db, due, lambda tx, found: _remind(tx, *found))


def _remind(tx: Tx, action: Action, which: str) -> bool:
    if not store.change(tx.conn, action, reminded=which):
        return False
    incident = reading.whole(tx, action.postmortem)
    if incident is None:
        return True
    people = [action.owner]
    if action.state is State.ESCALATED:
        people += leading.heads(tx, action.owner, action.team)
    words = f"Action item {action.slot} is due on {action.due_on}: {action.title}"
    data = {"action": action.id, "slot": action.slot, "owner": action.owner, "which": which}
    telling.emit(tx, incident, ACTION_REMINDED, words, **data)
    when = "was escalated" if action.state is State.ESCALATED else f"is due on {action.due_on}"
    body = f"{action.title}\nIt {when}. Done when: {action.proof}"
    title = f"An action item of incident {incident.number} {when}"
    known = leading.may_know(tx, incident, people)
    leading.tell(tx, known, title, body, _path(incident), f"remind-{action.id}-{which}")
    return True
