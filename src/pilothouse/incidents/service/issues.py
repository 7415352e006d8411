"""Action items as issues elsewhere: where they belong, what they say, what closing there means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import msgspec

from pilothouse.catalog.service import annotated, views
from pilothouse.incidents.model.postmortems import ACTION_CHANGED, Action, State
from pilothouse.incidents.service import leading, reading, telling
from pilothouse.incidents.store import actions as store
from pilothouse.incidents.store import postmortems as texts
from pilothouse.incidents.store import rows

if TYPE_CHECKING:
    from datetime import datetime

    from pilothouse.kernel.tx import Tx

SLUGS: dict[str, Literal["github", "gitlab"]] = {
    "github.com/project-slug": "github",
    "gitlab.com/project-slug": "gitlab",
}
SLUG = re.compile(r"[\w.-]+(?:/[\w.-]+){1,10}")
MOST = 500


class Wanted(msgspec.Struct, frozen=True):
    """An issue that is to be made."""

    action: str  # id
    host: Literal["github", "gitlab"]
    repository: str
    title: str
    body: str
    mark: str


def wanted(tx: Tx, postmortem: str, home: str) -> list[Wanted]:
    """The issues that a published post-mortem wants; none for restricted incidents."""
    one = texts.of_ids(tx.conn, [postmortem]).get(postmortem)
    incident = next(iter(rows.of_ids(tx.conn, [postmortem], ())), None)
    if one is None or incident is None or one.state != "published":
        return []
    said = annotated.annotations_of(tx, [incident.entity]).get(incident.entity, {})
    key = next((one for one in SLUGS if said.get(one)), "")
    if not key or not SLUG.fullmatch(said[key]):
        return []
    found = store.without_issues(tx.conn, postmortem)
    names = views.name_all(tx, [each.owner for each in found])
    href = f"{home.rstrip('/')}/postmortems/{incident.number}"
    return [
        Wanted(
            action=each.id,
            host=SLUGS[key],
            repository=said[key],
            title=each.title,
            body=(
                f"An action item of the post-mortem of incident {incident.number}: {href}\n\n"
                f"For {names[each.owner].title}, due {each.due_on}. Done when: {each.proof}\n\n"
                "Closing this issue does not close the action item: say there how one sees that "
                "it is done."
            ),
            mark=f"<!-- pilothouse action {each.id} -->",
        )
        for each in found
    ]


def made(tx: Tx, action_id: str, key: str, href: str) -> bool:
    """Keep where the issue of an item is."""
    action = store.find(tx.conn, action_id)
    if action is None or action.issue_key:
        return False
    return store.change(tx.conn, action, issue=href, issue_key=key)


def open_ones(tx: Tx) -> list[Action]:
    """Items whose issues are to be looked at."""
    return store.with_issues(tx.conn, MOST)


def closed_there(tx: Tx, action_id: str, at: datetime) -> bool:
    """The issue was closed: evidence is asked for here; the item stands as it stood."""
    action = store.find(tx.conn, action_id)
    if (
        action is None
        or action.issue_closed_at
        or action.state not in (State.OPEN, State.ESCALATED)
    ):
        return False
    if not store.change(tx.conn, action, issue_closed_at=at):
        return False
    incident = reading.whole(tx, action.postmortem)
    if incident is None:
        return True
    words = f"Action item {action.slot}: its issue was closed; evidence is missing. {action.title}"
    data = {"action": action.id, "slot": action.slot, "owner": action.owner}
    telling.emit(tx, incident, ACTION_CHANGED, words, **data)
    known = leading.may_know(tx, incident, [action.owner])
    asked = "Say here how one sees that it is done."
    body = f"{action.title}\nIts issue is closed: {action.issue}\n{asked}"
    title = f"Is this action item of incident {incident.number} done?"
    path = f"/postmortems/{incident.number}"
    leading.tell(tx, known, title, body, path, f"closed-{action.id}")
    return True


def ending(tx: Tx, action_id: str) -> tuple[str, str] | None:
    """The issue of an item that is done or dropped, and what is to be said there."""
    action = store.find(tx.conn, action_id)
    if action is None or not action.issue_key:
        return None
    if action.state is State.DONE:
        return action.issue_key, f"Done: {action.evidence}"
    if action.state is State.DEPRIORITIZED:
        return action.issue_key, f"Deprioritized: {action.why}"
    return None
