"""Sending alerts out: a webhook, and whatever Apprise speaks."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Self

import msgspec

from pilothouse.kernel import clock, outgoing
from pilothouse.kernel.alerts import rules
from pilothouse.kernel.errors import PilothouseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.alerts.model import Destination, Message

OK = range(200, 300)
SECONDS = 5  # that Apprise may take to connect, and to be answered


class Undelivered(PilothouseError):
    """A destination did not take an alert; `hopeless` when no other try would change that."""

    def __init__(
        self, words: str, after: timedelta = timedelta(), *, hopeless: bool = False
    ) -> None:
        super().__init__(words)
        self.after, self.hopeless = after, hopeless


def send(to: Destination, message: Message, secret: str | None) -> str:
    """Hand a message over once; what was answered. Raises Undelivered."""
    if to.id == rules.WEBHOOK:
        return _webhook(to.url, message, secret)
    return apprise(to.url, message)


def _webhook(url: str, message: Message, secret: str | None) -> str:
    body = msgspec.json.encode(message)
    headers = {
        "Content-Type": "application/json",
        "Pilothouse-Key": rules.digest(message.key),
        "Pilothouse-Delivery": message.delivery,
        "Idempotency-Key": f'"{message.delivery}"',
    }
    now = clock.now()
    if secret:
        headers["Pilothouse-Signature"] = rules.signature(secret, body, now)
    try:
        trusted = frozenset((outgoing.host_of(url),))  # an admin wrote it into the settings
        reply = outgoing.fetch("POST", url, headers, body, trusted=trusted)
    except outgoing.Forbidden as error:
        raise Undelivered(rules.without_secrets(str(error), ""), hopeless=True) from error
    except outgoing.Unreachable as error:
        raise Undelivered(rules.without_secrets(str(error), "")) from error
    if reply.status not in OK:
        wait = rules.retry_after(reply.headers.get("retry-after", ""), now)
        raise Undelivered(f"answered {reply.status}", wait)
    return f"answered {reply.status}"


def apprise(url: str, message: Message) -> str:
    """Hand a message to a service that Apprise speaks; what was answered. Raises Undelivered."""
    _judge(url)
    service = _service(url, message)
    if service is None:
        raise Undelivered("Apprise cannot read this address", hopeless=True)
    title = f"{'Over: ' if message.state == 'cleared' else ''}{message.summary}"
    body = "\n".join(part for part in (message.detail, message.entity, message.url) if part)
    kind = "success" if message.state == "cleared" else "failure"
    with _Heard() as heard:
        try:
            taken = service.notify(body=body, title=title, notify_type=kind)
        except Exception as error:  # noqa: BLE001  a hundred services, and each raises its own
            words = f"{type(error).__name__}: {error}"
            raise Undelivered(rules.without_secrets(words, url)) from None
    if not taken:
        said = rules.without_secrets(" ".join(heard.lines), url)
        raise Undelivered(said or "Apprise says that it was not taken")
    return "taken"


def _judge(url: str) -> None:
    """A server of one's own must be one that we send requests to; an admin named it."""
    place = rules.host_and_port(url)
    if place is None:
        return
    host, port = (f"[{place[0]}]" if ":" in place[0] else place[0]), place[1]
    asked = f"https://{host}:{port}/"
    try:
        outgoing.judge(asked, frozenset((outgoing.host_of(asked),)))
    except outgoing.Forbidden as error:
        raise Undelivered(str(error), hopeless=True) from error
    except outgoing.Unreachable as error:
        raise Undelivered(str(error)) from error


def warm_up(urls: Sequence[str]) -> None:
    """Load Apprise, which takes seconds: so that the first alert does not wait for it."""
    import apprise

    for url in urls[:1]:  # the first address has it read all of its services
        with _Heard():
            apprise.Apprise.instantiate(url)


def _service(url: str, message: Message) -> Any:
    """The service of an address; tries again never by itself, and follows no redirects."""
    import apprise

    asset = apprise.AppriseAsset(
        app_id="Pilothouse",
        app_desc="Pilothouse",
        app_url="",
        async_mode=False,
        default_service_retry=0,
        http_redirects=False,
    )
    with _Heard():  # its complaints may repeat the address
        found: Any = apprise.Apprise.instantiate(url, asset=asset)
    if found is None:
        return None
    found.retry = 0
    found.socket_connect_timeout = found.socket_read_timeout = SECONDS
    if hasattr(found, "headers") and url.lower().startswith("mailto"):
        thread = f"<{rules.digest(message.key)}@pilothouse>"
        found.headers |= {
            "References": thread,  # mails about one trouble stand together
            "In-Reply-To": thread,
            "X-Pilothouse-Key": rules.digest(message.key),
            "X-Pilothouse-Delivery": message.delivery,
        }
    return found


class _Heard(logging.Handler):
    """What Apprise logs in this thread meanwhile; it goes nowhere else, as it may hold secrets."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self.of = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self.of:
            self.lines.append(record.getMessage())

    def __enter__(self) -> Self:
        _silenced().addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        _silenced().removeHandler(self)


@cache
def _silenced() -> logging.Logger:
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    return logger
