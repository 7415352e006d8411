"""The page where a person says how they are reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import annotated, views
from pilothouse.kernel.actors import Role
from pilothouse.oncall.model.methods import CHANNELS, Channel, Method
from pilothouse.oncall.service import methods

if TYPE_CHECKING:
    from collections.abc import Collection

    from pilothouse.kernel.actors import Actor
    from pilothouse.kernel.settings import Settings
    from pilothouse.kernel.tx import Tx

MOST_PEOPLE = 2000
LABELS: dict[Channel, str] = {
    "email": "Mail",
    "ntfy": "ntfy",
    "slack": "Slack",
    "sms": "Text message",
    "voice": "Phone call",
    "web_push": "This browser",
    "webhook": "Webhook",
    "apprise": "Apprise",
    "inbox": "Inbox of the demo",
}
LOOKS: dict[Channel, str] = {
    "email": "maya@example.org",
    "ntfy": "https://ntfy.sh/a-topic-nobody-guesses, and a token behind a space",
    "slack": "U0123ABCD, the member ID in your profile",
    "sms": "+49 151 23456789",
    "voice": "+49 151 23456789",
    "webhook": "https://example.org/hook",
    "apprise": "tgram://token/chat",
    "inbox": "inbox",
}


class Choice(msgspec.Struct, frozen=True):
    """A channel that can be added by writing an address."""

    channel: Channel
    label: str
    looks: str


class Contact(msgspec.Struct, frozen=True):
    """A person's methods, as they and admins see them."""

    person: str  # "": not known whose
    title: str
    own: bool
    methods: list[Method]
    choices: list[Choice]
    people: list[tuple[str, str]]  # for admins: ref and title
    untested: bool


def able(settings: Settings) -> tuple[Channel, ...]:
    """The channels that these settings have providers for."""
    missing: set[Channel] = set()
    if not (settings.smtp_url and settings.smtp_from):
        missing.add("email")
    if not settings.slack_token:
        missing.add("slack")
    if not (settings.twilio_account and settings.twilio_token and settings.twilio_from):
        missing |= {"sms", "voice"}
    if not settings.inbox:
        missing.add("inbox")
    return tuple(one for one in CHANNELS if one not in missing)


def page(tx: Tx, actor: Actor, asked: str, channels: Collection[Channel]) -> Contact:
    """A person's methods: one's own, or for admins those of whom they ask. Raises Denied."""
    person = asked or actor.ref or ""
    if person:
        methods.require(actor, person)
    known = methods.of(tx, [person])[person] if person else []
    named = views.name_all(tx, [person])[person] if person else None
    return Contact(
        person=person,
        title=named.title if named else "",
        own=person == (actor.ref or ""),
        methods=known,
        choices=[
            Choice(one, LABELS[one], LOOKS[one])
            for one in LABELS
            if one in channels and one in LOOKS
        ],
        people=_people(tx) if actor.role >= Role.ADMIN else [],
        untested=any(one.tested_at is None for one in known),
    )


def _people(tx: Tx) -> list[tuple[str, str]]:
    refs = [one.ref for one in annotated.of_kinds(tx, ["user"], MOST_PEOPLE)]
    names = views.name_all(tx, refs) if refs else {}
    return sorted(((ref, names[ref].title) for ref in refs), key=lambda one: (one[1], one[0]))
