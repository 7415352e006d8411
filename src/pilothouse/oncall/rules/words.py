"""What pages say, in plain words and a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from datetime import datetime

    from pilothouse.oncall.model.paging import Page

FIRST = 3  # alerts that are told whole
ENTITIES = 5  # that are counted by name
LONGEST = 200
CHANNELS = {
    "email": "mail",
    "sms": "SMS",
    "voice": "call",
    "web_push": "push",
    "slack": "Slack",
    "inbox": "inbox",
}


class Contents(msgspec.Struct, frozen=True):
    """What is in a page: its open alerts by entity, the most first, and the first of them."""

    total: int
    counts: tuple[tuple[str, int], ...]  # entity, alerts
    others: int  # entities beside those
    first: tuple[str, ...]  # summaries


def short(text: str, most: int = LONGEST) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def name(ref: str) -> str:
    """What people call an entity where there is room for a word."""
    return ref.rpartition("/")[2] or "unknown"


def title(page: Page, contents: Contents, *, again: bool) -> str:
    """One line: how urgent, what, how much more of it."""
    more = f" and {contents.total - 1} more" if contents.total > 1 else ""
    marks = ("DRILL: " if page.drill else "") + ("Again: " if again else "")
    return f"{marks}{short(page.summary)}{more} (page {page.number}, {page.urgency})"


def body(page: Page, contents: Contents, why: str, at: datetime) -> str:
    """What is in the bundle, since when, and why this person is told."""
    lines: list[str] = []
    if page.drill:
        lines.append("This is a drill.")
    if contents.total > 1:
        lines.append(f"{contents.total} alerts: {counted(contents)}")
        lines += [f"- {short(one)}" for one in contents.first[:FIRST]]
        if contents.total > FIRST:
            lines.append(f"- and {contents.total - FIRST} more")
    else:
        lines += [short(one, 1000) for one in contents.first[:1]]
    lines.append(f"Since {page.opened_at:%Y-%m-%d %H:%M} UTC, {lasted(page.opened_at, at)}.")
    if why:
        lines.append(f"You are told as {why}.")
    lines += [f"Note: {fault}" for fault in page.plan.faults[:FIRST]]
    return "\n".join(lines)


def counted(contents: Contents) -> str:
    """How many by entity: checkout 12, cart 3 and 4 other entities."""
    parts = [f"{name(entity)} {count}" for entity, count in contents.counts]
    said = ", ".join(parts)
    if not contents.others:
        return said
    return f"{said} and {contents.others} other {_plural('entity', 'entities', contents.others)}"


def lasted(since: datetime, at: datetime) -> str:
    """How long ago: just now, 12 minutes ago, 3 hours ago."""
    minutes = int((at - since).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 120:  # noqa: PLR2004
        return f"{minutes} {_plural('minute', 'minutes', minutes)} ago"
    return f"{minutes // 60} hours ago"


def _plural(one: str, many: str, count: int) -> str:
    return one if count == 1 else many
