"""Addresses of contact methods: which are taken, and what of one may be shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from pilothouse.kernel.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pilothouse.oncall.model.methods import Channel

LONGEST = 2000  # characters of an address
LONGEST_HINT = 100
LONGEST_AFTER = 24 * 3600  # seconds after a page that a method is used
MOST = 12  # methods of one person
_MAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@([a-z0-9-]+\.)*[a-z0-9-]+", re.IGNORECASE)
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_SLACK = re.compile(r"[UWCGD][A-Z0-9]{5,30}")
_TOPIC = re.compile(r"/[A-Za-z0-9_-]{1,64}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")
_KEY = re.compile(r"[A-Za-z0-9_-]{16,120}={0,2}")
# Of what Apprise knows, that which names no server, so that it leads to nobody's private network,
# and needs no setting that can name a file; the rest is for admins, in `alert_urls`.
SCHEMES = frozenset(
    {
        "discord", "gchat", "lark", "line", "opsgenie", "pagerduty", "pover", "ryver", "signl4",
        "spike", "squadcast", "tgram", "victorops", "webex", "wxteams",
    }
)  # fmt: skip


class Taken(msgspec.Struct, frozen=True):
    """An address as it is kept, and what may be shown of it."""

    address: str
    hint: str


class Ntfy(msgspec.Struct, frozen=True):
    """A topic of an ntfy server, and a token where it wants one."""

    server: str
    topic: str
    token: str = ""


class Keys(msgspec.Struct, frozen=True):
    """What a browser gave to encrypt for it."""

    p256dh: str
    auth: str


class Pushed(msgspec.Struct, frozen=True):
    """A browser's subscription (Push API, PushSubscriptionJSON), as far as it is needed."""

    endpoint: str
    keys: Keys


def take(channel: Channel, written: str) -> Taken:
    """An address as someone wrote it. Raises Invalid, with what it should look like."""
    text = written.strip()
    if not text or len(text) > LONGEST or not text.isprintable():
        raise Invalid(f"an address has 1 to {LONGEST} characters")
    taken = _TAKE[channel](text)
    return msgspec.structs.replace(taken, hint=taken.hint[:LONGEST_HINT])


def _email(text: str) -> Taken:
    if len(text) > 254 or not _MAIL.fullmatch(text):  # noqa: PLR2004  RFC 5321, section 4.5.3.1
        raise Invalid("that is not a mail address: write maya@example.org")
    return Taken(text, f"{text[:1]}…@{text.rpartition('@')[2]}")


def _web(text: str) -> Taken:
    return Taken(text, f"https://{_host(text)}/…")


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        found = (parts.scheme in ("https", "http") and parts.hostname) or ""
    except ValueError:
        found, parts = "", None
    if not found or parts is None or parts.username is not None or parts.password is not None:
        raise Invalid("that is not an address of the web: write https://example.org/…")
    return found


def _ntfy(text: str) -> Taken:
    return Taken(text, f"{_host(ntfy(text).server)}/…")


def ntfy(address: str) -> Ntfy:
    """A topic as it is written: https://ntfy.sh/topic, and a token behind it. Raises Invalid."""
    url, _, token = address.partition(" ")
    _host(url)
    parts = urlsplit(url)
    named = _TOPIC.fullmatch(parts.path) and not parts.query and not parts.fragment
    if not named or (token and not _TOKEN.fullmatch(token.strip())):
        raise Invalid("that is not a topic of ntfy: write https://ntfy.sh/some-topic")
    return Ntfy(f"{parts.scheme}://{parts.netloc}/", parts.path[1:], token.strip())


def _slack(text: str) -> Taken:
    if not _SLACK.fullmatch(text):
        raise Invalid("that is not a member or channel of Slack: copy its ID, like U0123ABCD")
    return Taken(text, f"{text[:1]}…{text[-2:]}")


def _phone(text: str) -> Taken:
    number = re.sub(r"[\s()./-]", "", text)
    if not _PHONE.fullmatch(number):
        raise Invalid("that is not a telephone number: write +49 151 23456789")
    return Taken(number, f"{number[:3]} … {number[-2:]}")


def _push(text: str) -> Taken:
    found = pushed(text)
    return Taken(msgspec.json.encode(found).decode(), f"browser, {_host(found.endpoint)}")


def pushed(address: str) -> Pushed:
    """A browser's subscription. Raises Invalid."""
    try:
        found = msgspec.json.decode(address, type=Pushed)
    except msgspec.DecodeError:
        raise Invalid("that is not a subscription of a browser") from None
    _host(found.endpoint)
    if not (_KEY.fullmatch(found.keys.p256dh) and _KEY.fullmatch(found.keys.auth)):
        raise Invalid("that is not a subscription of a browser: its keys are not readable")
    return found


def _apprise(text: str) -> Taken:
    scheme = text.partition("://")[0].lower() if "://" in text else ""
    if scheme not in SCHEMES:
        raise Invalid(f"{scheme or 'that'} is not among {', '.join(sorted(SCHEMES))}")
    if "?" in text or "#" in text:
        raise Invalid("an address of Apprise is taken without a ? and what comes after it")
    return Taken(text, f"{scheme}://…")


def _inbox(_text: str) -> Taken:
    return Taken("inbox", "inbox of the demo")


_TAKE: Mapping[Channel, Callable[[str], Taken]] = {
    "email": _email,
    "webhook": _web,
    "ntfy": _ntfy,
    "slack": _slack,
    "sms": _phone,
    "voice": _phone,
    "web_push": _push,
    "apprise": _apprise,
    "inbox": _inbox,
}


def after(written: str) -> int:
    """Seconds of a delay that was written in minutes. Raises Invalid."""
    if not written.isdecimal() or int(written[:9]) * 60 > LONGEST_AFTER:
        raise Invalid("a delay is a whole number of minutes, at most a day")
    return int(written) * 60


def moved(ids: list[str], which: str, by: int) -> list[str]:
    """An order in which one stands so many places later."""
    if which not in ids:
        return ids
    rest = [one for one in ids if one != which]
    place = min(max(ids.index(which) + by, 0), len(rest))
    return [*rest[:place], which, *rest[place:]]
