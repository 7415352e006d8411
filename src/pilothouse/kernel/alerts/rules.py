"""Where alerts go and in what words: decisions, without doing any of it."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pilothouse.kernel.alerts.model import Destination, Message
from pilothouse.kernel.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.alerts.model import Alert, Standing

WEBHOOK = "webhook"
# Apprise knows more: those that run a program, write a file, or speak plain HTTP to any address
# (the webhook does that better) are left out, and so is what needs a library beside it.
SCHEMES = frozenset(
    {
        "apprise", "apprises", "bark", "barks", "discord", "gchat", "gotify",
        "gotifys", "jira", "lark", "line", "mailto", "mailtos", "matrix",
        "matrixs", "mmost", "mmosts", "ntfy", "ntfys", "opsgenie", "pagerduty",
        "pover", "rocket", "rockets", "ryver", "signal", "signals", "signl4",
        "slack", "spike", "splunk", "squadcast", "tgram", "twilio", "victorops",
        "webex", "workflow", "workflows", "wxteams", "zulip",
    }
)  # fmt: skip
LONGEST_WAIT = timedelta(hours=1)  # that a Retry-After may ask for
SHORTEST_SECRET = 4  # characters; shorter pieces of an address are words of any text
LONGEST_ANSWER = 300


def destinations(webhook: str | None, urls: Sequence[str]) -> tuple[Destination, ...]:
    """Where alerts go by the settings. Raises Invalid for an Apprise URL of a kind not taken."""
    found = [Destination(WEBHOOK, WEBHOOK, webhook)] if webhook else []
    many = Counter(_scheme(url) for url in urls)
    seen: Counter[str] = Counter()
    for url in dict.fromkeys(urls):
        scheme = _scheme(url)
        if scheme not in SCHEMES:
            known = ", ".join(sorted(SCHEMES))
            raise Invalid(f"alert_urls: {scheme or 'no scheme'}:// is not among {known}")
        seen[scheme] += 1
        name = f"{scheme} {seen[scheme]}" if many[scheme] > 1 else scheme
        found.append(Destination(_id(url), name, url))
    return tuple(found)


def _scheme(url: str) -> str:
    return url.partition("://")[0].lower() if "://" in url else ""


def _id(url: str) -> str:
    """Tells addresses apart, and too short to tell what is in one."""
    return hashlib.sha256(url.encode()).hexdigest()[:8]


def is_news(said: Standing | None, alert: Alert) -> bool:
    """Whether an alert that is raised says anything that was not said already."""
    return said is None or said.cleared_at is not None or said.alert != alert


def message(standing: Standing, home: str) -> Message:
    """What goes out; links begin with `home`."""
    alert = standing.alert
    return Message(
        delivery=f"{digest(alert.key)}-{standing.version}",
        key=alert.key,
        state=standing.state,
        source=alert.source,
        entity=alert.entity,
        summary=alert.summary,
        detail=alert.detail,
        urgency=alert.urgency,
        policy=alert.policy,
        url=home.rstrip("/") + alert.href if alert.href else "",
        since=standing.opened_at,
        at=standing.changed_at,
    )


def digest(key: str) -> str:
    """A key as it may stand in a header: letters and digits only."""
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def signature(secret: str, body: bytes, at: datetime) -> str:
    """The value of Pilothouse-Signature: HMAC-SHA256 over the time, a full stop and the body."""
    stamp = int(at.timestamp())
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={mac}"


def retry_after(value: str, now: datetime) -> timedelta:
    """How long a Retry-After asks to wait (RFC 9110, section 10.2.3); none for what is not one."""
    text = value.strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return min(timedelta(seconds=int(text)), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return timedelta()
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(until - now, timedelta()), LONGEST_WAIT)


def without_secrets(text: str, url: str) -> str:
    """Words about a delivery without any piece of the address that it went to."""
    pieces = {piece for piece in re.split(r"[/:@?&=,+]+", url.partition("://")[2]) if piece}
    pieces |= {unquote(piece) for piece in pieces}
    for piece in sorted(pieces, key=len, reverse=True):
        if len(piece) >= SHORTEST_SECRET:
            text = text.replace(piece, "…")
    return " ".join(text.split())[:LONGEST_ANSWER]


def host_and_port(url: str) -> tuple[str, int] | None:
    """The server that an Apprise URL names, where it names one rather than a token."""
    parts = urlsplit(url)
    if parts.scheme.lower() not in _OWN_SERVERS or not parts.hostname:
        return None
    return parts.hostname, parts.port or 443


_OWN_SERVERS = frozenset(
    {
        "apprise", "apprises", "gotify", "gotifys", "matrix", "matrixs", "mmost",
        "mmosts", "rocket", "rockets", "signal", "signals",
    }
)  # fmt: skip
