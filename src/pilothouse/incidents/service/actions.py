"""What can be done with an action item. Nothing here moves when it is escalated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilothouse.cycles import service as calendar
from pilothouse.incidents.model.postmortems import (
    ACTION_ADDED,
    ACTION_CHANGED,
    ACTION_DONE,
    ACTION_DROPPED,
    Action,
    State,
    Wanted,
)
from pilothouse.incidents.rules import actions as rules
from pilothouse.incidents.service import leading, postmortems, telling
from pilothouse.incidents.service.asked import person_of
from pilothouse.incidents.store import actions as store
from pilothouse.incidents.store import postmortems as texts
from pilothouse.incidents.store import rows
from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.errors import Conflict, Invalid, NotFound

if TYPE_CHECKING:
    from pilothouse.incidents.model.incidents import Incident
    from pilothouse.incidents.service.postmortems import Whole
    from pilothouse.kernel.tx import Tx

CLOSE = "incidents.close_issue"  # a kind of job
AGAIN = "This action item was changed at this moment; look at it as it is now, then do it again."


def item(one: Whole, slot: int) -> Action:
    """An item of a post-mortem by its place, 1 to 3. Raises NotFound."""
    for action in one.actions:
        if action.slot == slot:
            return action
    raise NotFound(f"the post-mortem of incident {one.incident.number} has no action item {slot}")


def add(tx: Tx, which: str | int, wanted: Wanted) -> Action:
    """Put an item into the first free place. Raises Conflict where there is none, Invalid."""
    seen = postmortems.whole(tx, which)
    texts.locked(tx.conn, seen.incident.id)
    one = postmortems.whole(tx, which)
    if one.postmortem.waived_by:
        raise Conflict("This post-mortem was waived: take it up again first.")
    rules.check_addition(one.postmortem.escalates_at, tx.now)
    slot = rules.free_slot({action.slot for action in one.actions})
    action = Action(
        id=uuid7(),
        postmortem=one.incident.id,
        slot=slot,
        title=rules.line(wanted.title, rules.LONGEST_TITLE, "a title"),
        proof=rules.line(wanted.proof, rules.LONGEST_PROOF, "a way to see that it is done"),
        owner=person_of(tx, wanted.owner),
        team=_team(tx, wanted.owner),
        due_on=wanted.due_on,
        added_at=tx.now,
        escalates_at=one.postmortem.escalates_at,
    )
    _check_deadline(tx, one, action)
    action = msgspec.structs.replace(action, reminded=_reminded(tx, one, action))
    if not store.add(tx.conn, action):
        raise Conflict(rules.FULL)
    _assigned(tx, one, action)
    words = f"Action item {slot}: {action.title} (due {action.due_on})."
    _told(tx, one.incident, ACTION_ADDED, words, action)
    if one.postmortem.published_at and not one.incident.restricted:
        tx.enqueue(postmortems.ISSUE, {"postmortem": one.incident.id}, key=one.incident.id)
    return action


def _team(tx: Tx, person: str) -> str:
    return next(iter(tx.ties.members(tx, [person]).get(person, ())), "")


def _check_deadline(tx: Tx, one: Whole, action: Action) -> None:
    own = postmortems.calendar_for(tx, one.incident)
    ends = one.postmortem.ends_on or postmortems.ends(tx, one.incident)[1]
    rules.check_deadline(action.due_on, calendar.today(own, tx.now), ends)


def _reminded(tx: Tx, one: Whole, action: Action) -> str:
    """Whoever is given an item knows of it: reminders begin with the next one."""
    return rules.reminder(action, tx.now.date(), one.postmortem.ends_on)


def _assigned(tx: Tx, one: Whole, action: Action) -> None:
    """It is somebody's: of a restricted incident they may know from now on; they are told."""
    if one.incident.restricted:
        rows.name(tx.conn, one.incident.id, [action.owner])
    if action.owner in (tx.actor.ref, tx.actor.id):
        return
    body = f"{action.title}\nDue {action.due_on}. Done when: {action.proof}"
    title = f"An action item of incident {one.incident.number} is yours"
    leading.tell(
        tx, [action.owner], title, body, path_of(one.incident), f"item-{action.id}-{action.version}"
    )


def path_of(incident: Incident) -> str:
    return f"/postmortems/{incident.number}"


def change(tx: Tx, which: str | int, slot: int, wanted: Wanted) -> Action:
    """Say it better, give it to somebody else, move its deadline within the two sprints."""
    one = postmortems.whole(tx, which)
    before = item(one, slot)
    if before.state not in (State.OPEN, State.ESCALATED):
        raise Conflict(f"This action item is {before.state.value}; it is not changed any more.")
    after = msgspec.structs.replace(
        before,
        title=rules.line(wanted.title, rules.LONGEST_TITLE, "a title"),
        proof=rules.line(wanted.proof, rules.LONGEST_PROOF, "a way to see that it is done"),
        owner=person_of(tx, wanted.owner) if wanted.owner != before.owner else before.owner,
        team=_team(tx, wanted.owner) or before.team,
        due_on=wanted.due_on,
        version=before.version + 1,
    )
    if after.due_on != before.due_on:
        if before.state is State.ESCALATED:
            raise Conflict("An escalated action item has no new deadline: do it, or drop it.")
        _check_deadline(tx, one, after)
        after = msgspec.structs.replace(after, reminded=_reminded(tx, one, after))
    names = ("title", "proof", "owner", "team", "due_on", "reminded")
    values = {
        name: getattr(after, name)
        for name in names
        if getattr(after, name) != getattr(before, name)
    }
    if not values:
        return before
    if not store.change(tx.conn, before, **values):
        raise Conflict(AGAIN)
    if after.owner != before.owner:
        _assigned(tx, one, after)
    words = f"Action item {slot} changed: {after.title} (due {after.due_on})."
    _told(tx, one.incident, ACTION_CHANGED, words, after)
    return after


def done(tx: Tx, which: str | int, slot: int, evidence: str) -> Action:
    """It is done, and here one sees it. Raises Invalid without evidence, Conflict."""
    words = rules.line(evidence, rules.LONGEST_WHY, "evidence: a link, or what one sees")
    by = leading.named(tx, "say that an action item is done")
    values = {"evidence": words, "done_at": tx.now, "closed_by": by}
    return _close(tx, which, slot, State.DONE, ACTION_DONE, values)


def drop(tx: Tx, which: str | int, slot: int, why: str) -> Action:
    """Somebody says by name that it is not to be done; its place stays taken."""
    words = rules.line(why, rules.LONGEST_WHY, "a reason")
    by = leading.named(tx, "deprioritize an action item")
    values = {"why": words, "done_at": tx.now, "closed_by": by}
    return _close(tx, which, slot, State.DEPRIORITIZED, ACTION_DROPPED, values)


def _close(
    tx: Tx, which: str | int, slot: int, state: State, kind: str, values: dict[str, object]
) -> Action:
    one = postmortems.whole(tx, which)
    before = item(one, slot)
    rules.check_way(before.state, state)
    if one.postmortem.state != "published" and state is State.DONE and before.added_at > tx.now:
        raise Invalid("it cannot be done before it was thought of")
    if not store.change(tx.conn, before, state=state, **values):
        raise Conflict(AGAIN)
    after = msgspec.structs.replace(before, state=state, version=before.version + 1)
    said = values.get("why") or values.get("evidence")
    words = f"Action item {slot} {state.value}: {before.title}. {said}"
    _told(tx, one.incident, kind, words, after)
    if before.issue_key:
        tx.enqueue(CLOSE, {"action": before.id}, key=before.id)
    return after


def _told(tx: Tx, incident: Incident, kind: str, words: str, action: Action) -> None:
    data = {"action": action.id, "slot": action.slot, "owner": action.owner}
    telling.tell_anyhow(tx, incident, kind, words, **data, state=action.state.value)
    postmortems.changed(tx, incident)
