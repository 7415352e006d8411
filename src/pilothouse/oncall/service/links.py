"""Links by which a person acknowledges a page, without signing in: once, for a day."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import views
from pilothouse.kernel.errors import Conflict, NotFound
from pilothouse.oncall.model.methods import Message
from pilothouse.oncall.model.paging import Acknowledged, Notification, Page, State
from pilothouse.oncall.rules import links as rules
from pilothouse.oncall.service import paging, telling
from pilothouse.oncall.store import links as store
from pilothouse.oncall.store import notifications, pages

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx
    from pilothouse.oncall.model.paging import Call, Way

PATH = "/acknowledge/"
HELD = (State.ACKNOWLEDGED, State.RESOLVED)


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a link would do, and whether it still does."""

    page: Page
    notification: Notification
    title: str  # of the person
    acknowledged_by: str  # what people call who has it
    entity: str
    body: str
    used_at: datetime | None
    until: datetime
    expired: bool

    @property
    def usable(self) -> bool:
        return not (self.used_at or self.expired or self.page.state in HELD)


def of(key: str, home: str, call: Call) -> Message:
    """The message of a call with its links: absolute, and one that acknowledges."""
    found = call.notification
    token = rules.write(key, found.id, found.page, found.person, call.message.at)
    home = home.rstrip("/")
    return msgspec.structs.replace(
        call.message, url=home + call.message.url, acknowledge_url=f"{home}{PATH}{token}"
    )


def look(tx: Tx, key: str, token: str) -> Shown:
    """What a link is about; changes nothing. Raises NotFound for one that is not ours."""
    link, found, page = _checked(tx, key, token)
    people = [one for one in (found.person, page.acknowledged_by) if one.startswith("user:")]
    entities = [page.entity] if ":" in page.entity else []
    names = views.name_all(tx, [*people, *entities])
    return Shown(
        page=page,
        notification=found,
        title=names[found.person].title if found.person in names else "",
        acknowledged_by=names[page.acknowledged_by].title
        if page.acknowledged_by in names
        else page.acknowledged_by,
        entity=names[page.entity].title if page.entity in names else "",
        body=telling.body_of(tx, page),
        used_at=store.used_at(tx.conn, link.notification),
        until=link.until,
        expired=link.until <= tx.now,
    )


def use(tx: Tx, key: str, token: str, by: str = "", way: Way = "link") -> Acknowledged:
    """Acknowledge by a link, as the person it was given to unless another is named.

    Raises NotFound for one that is not ours, Conflict for one that was used or is too old.
    """
    link, found, page = _checked(tx, key, token)
    if link.until <= tx.now:
        raise Conflict(f"this link was good until {link.until:%Y-%m-%d %H:%M} UTC")
    if page.state in HELD:
        return paging.acknowledge(tx, page.id, by or found.person, way)  # says who has it
    if not store.use(tx.conn, link.notification, page.id, found.person, tx.now):
        raise Conflict("this link was used already: a newer message has another one")
    return paging.acknowledge(tx, page.id, by or found.person, way)


def whose(tx: Tx, key: str, token: str) -> Notification:
    """The notification of a link. Raises NotFound."""
    return _checked(tx, key, token)[1]


def _checked(tx: Tx, key: str, token: str) -> tuple[rules.Link, Notification, Page]:
    link = rules.read(token)
    found = notifications.find(tx.conn, link.notification) if link else None
    if link is None or found is None or not rules.holds(key, link, found.page, found.person):
        raise NotFound("This link is not one of ours, or what it was about is long gone.")
    page = pages.find(tx.conn, found.page)
    if page is None:
        raise NotFound("This link is not one of ours, or what it was about is long gone.")
    return link, found, page
