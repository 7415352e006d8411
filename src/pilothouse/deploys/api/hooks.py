"""Where deployments come in: webhooks of GitHub and GitLab, and CloudEvents."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

import structlog
from litestar import Response, post
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import RawBody

from pilothouse.deploys.api.together import MESSAGES, Message
from pilothouse.deploys.formats import cloudevents, signatures
from pilothouse.deploys.model import Delivery
from pilothouse.deploys.service import receiving
from pilothouse.deploys.service.receiving import Receipt
from pilothouse.kernel import clock
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import Busy, Conflict, Denied, Invalid
from pilothouse.kernel.module import Receives, receiver_of
from pilothouse.kernel.program import Program
from pilothouse.kernel.settings import Settings
from pilothouse.kernel.web.access import needs, public
from pilothouse.kernel.web.asking import AnyRequest
from pilothouse.kernel.web.room import Room
from pilothouse.kernel.web.serving import served_of

log = structlog.get_logger("pilothouse.deploys")

AnyConnection = ASGIConnection[Any, Any, Any, Any]
MOST_BYTES = 26_214_400  # GitHub sends at most 25 MB
STORED, IGNORED = 202, 200
ROOM = Room()  # of all of them together
NOT_SIGNED = (
    "X-Hub-Signature-256 is not the signature of this body: give the webhook at GitHub the secret "
    "that the setting github_webhook_secret has"
)


def _guard_github(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """Raises Denied, before the body is read, for what cannot be signed."""
    secret = _settings(connection).github_webhook_secret
    if not secret:
        _only_here(_settings(connection), "github_webhook_secret")
    elif not connection.headers.get("x-hub-signature-256"):
        raise Denied(NOT_SIGNED)


def _guard_gitlab(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """Raises Denied, before the body is read, for a token that is another one."""
    token = _settings(connection).gitlab_webhook_token
    if not token:
        _only_here(_settings(connection), "gitlab_webhook_token")
    elif not signatures.is_token(token, connection.headers.get("x-gitlab-token", "")):
        raise Denied(
            "X-Gitlab-Token is not the one agreed on: give the webhook at GitLab the secret "
            "token that the setting gitlab_webhook_token has"
        )


@post(
    "/hooks/github", opt=public(), sync_to_thread=True, status_code=202,
    request_max_body_size=MOST_BYTES, guards=[_guard_github], middleware=[ROOM],
)  # fmt: skip
def github_hook(
    request: AnyRequest, body: RawBody, program: NamedDependency[Program]
) -> Response[Receipt]:
    """A webhook of GitHub: stored, then acknowledged.

    Signed with the setting github_webhook_secret; without one, accepted on this machine only.
    """
    secret = program.settings.github_webhook_secret
    said = request.headers.get("x-hub-signature-256", "")
    if secret and not signatures.is_signed(secret, body, said):
        raise Denied(NOT_SIGNED)
    kind = request.headers.get("x-github-event", "")
    sent = _payload(request, body)
    delivery = request.headers.get("x-github-delivery") or _digest(body)
    found = receiving.from_github(clock.now(), kind, delivery, sent, signed=bool(secret))
    return _answer(program, [found])


@post(
    "/hooks/gitlab", opt=public(), sync_to_thread=True, status_code=202,
    request_max_body_size=MOST_BYTES, guards=[_guard_gitlab], middleware=[ROOM],
)  # fmt: skip
def gitlab_hook(
    request: AnyRequest, body: RawBody, program: NamedDependency[Program]
) -> Response[Receipt]:
    """A webhook of GitLab: stored, then acknowledged.

    With the token that the setting gitlab_webhook_token has; without one, accepted on this machine
    only.
    """
    # One event goes to every hook of a project with one UUID, and a recursive one keeps it.
    key = request.headers.get("idempotency-key")
    uuid = request.headers.get("x-gitlab-event-uuid", "")
    delivery = key or f"{uuid}:{_digest(body)}"
    signed = bool(program.settings.gitlab_webhook_token)
    found = receiving.from_gitlab(clock.now(), delivery, body, signed=signed)
    return _answer(program, [found])


@post(
    "/api/events", opt=needs(Role.RESPONDER, scope="events"), sync_to_thread=True,
    status_code=202, request_max_body_size=MOST_BYTES, middleware=[ROOM],
)  # fmt: skip
def events(
    request: AnyRequest,
    body: RawBody,
    program: NamedDependency[Program],
    actor: NamedDependency[Actor],
) -> Response[Receipt]:
    """CloudEvents 1.0: structured, batched or binary; all of a request are stored, or none.

    Types: pilothouse.deployment, CDEvents' service.deployed, upgraded, rolledback, removed, and
    what other modules take: pilothouse.alert.raised, pilothouse.change.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    now, kind = clock.now(), headers.get("content-type", "")
    found: list[Delivery] = []
    others: list[tuple[Receives, Any] | None] = []
    for event in cloudevents.read(kind, headers, body):
        taker = receiver_of(program.modules, event)
        others.append((taker, taker.read(event, now, actor)) if taker else None)
        into = receiving.for_another if taker else receiving.from_event
        found.append(into(now, event))
    size = len(body) if any(others) else 0
    return _stored(program, Message(found, actor, others, size))


def _answer(program: Program, found: Sequence[Delivery]) -> Response[Receipt]:
    return _stored(program, Message(found))


def _stored(program: Program, message: Message) -> Response[Receipt]:
    """Acknowledge what is stored."""
    try:
        fresh = MESSAGES.store(program.db, message)
    except Conflict as error:  # another replica wrote the same at this moment: it is to come again
        raise Busy(str(error)) from error
    receipt = receiving.receipt(message.found, fresh)
    status = STORED if receipt.state == "stored" else IGNORED
    return Response(receipt, status_code=status)


def _only_here(settings: Settings, setting: str) -> None:
    """Raises Denied where strangers could reach a hook that checks nothing."""
    if not receiving.takes_unsigned(settings.host, settings.public_url):
        raise Denied(
            f"webhooks are not accepted here: set {setting} to a secret that only you and the "
            "sender know"
        )
    _say_unsigned(setting)


def _settings(connection: AnyConnection) -> Settings:
    return served_of(connection.scope).program.settings


@cache
def _say_unsigned(setting: str) -> None:
    """Once in the life of a program; the page of what came in says it always."""
    log.warning("deploys.unsigned", setting=setting)


def _payload(request: AnyRequest, body: bytes) -> bytes:
    """The JSON of a webhook, which GitHub can also send as a form's field."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return body
    from urllib.parse import parse_qs

    try:
        found = parse_qs(body.decode(), max_num_fields=10).get("payload", [])
    except ValueError as error:
        raise Invalid("the form cannot be read") from error
    if not found:
        raise Invalid("the form has no field payload")
    return found[0].encode()


def _digest(body: bytes) -> str:
    """What a delivery without an id is known by: its content."""
    return hashlib.sha256(body).hexdigest()


routes = [github_hook, gitlab_hook, events]
