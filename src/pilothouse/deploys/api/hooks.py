"""Where deployments come in: webhooks of GitHub and GitLab, and CloudEvents."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

import structlog
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import RawBody

from pilothouse.deploys.api.together import together
from pilothouse.deploys.formats import cloudevents, signatures
from pilothouse.deploys.model import Delivery
from pilothouse.deploys.service import receiving
from pilothouse.deploys.service.receiving import Receipt
from pilothouse.kernel import clock
from pilothouse.kernel.actors import Role
from pilothouse.kernel.errors import Denied, Invalid
from pilothouse.kernel.program import Program
from pilothouse.kernel.web.access import LOOPBACK, needs, public

log = structlog.get_logger("pilothouse.deploys")

AnyRequest = Request[Any, Any, Any]
MOST_BYTES = 26_214_400  # GitHub sends at most 25 MB
STORED, IGNORED = 202, 200


@post(
    "/hooks/github", opt=public(), sync_to_thread=True, status_code=202,
    request_max_body_size=MOST_BYTES,
)  # fmt: skip
def github_hook(
    request: AnyRequest, body: RawBody, program: NamedDependency[Program]
) -> Response[Receipt]:
    """A webhook of GitHub: stored, then acknowledged.

    Signed with the setting github_webhook_secret; without one, accepted on this machine only.
    """
    secret = program.settings.github_webhook_secret
    said = request.headers.get("x-hub-signature-256", "")
    if secret:
        if not signatures.is_signed(secret, body, said):
            raise Denied(
                "X-Hub-Signature-256 is not the signature of this body: give the webhook at GitHub "
                "the secret that the setting github_webhook_secret has"
            )
    else:
        _only_here(program, "github_webhook_secret")
    kind = request.headers.get("x-github-event", "")
    sent = _payload(request, body)
    delivery = request.headers.get("x-github-delivery") or _digest(body)
    found = receiving.from_github(clock.now(), kind, delivery, sent, signed=bool(secret))
    return _answer(program, [found])


@post(
    "/hooks/gitlab", opt=public(), sync_to_thread=True, status_code=202,
    request_max_body_size=MOST_BYTES,
)  # fmt: skip
def gitlab_hook(
    request: AnyRequest, body: RawBody, program: NamedDependency[Program]
) -> Response[Receipt]:
    """A webhook of GitLab: stored, then acknowledged.

    With the token that the setting gitlab_webhook_token has; without one, accepted on this machine
    only.
    """
    token = program.settings.gitlab_webhook_token
    if token:
        if not signatures.is_token(token, request.headers.get("x-gitlab-token", "")):
            raise Denied(
                "X-Gitlab-Token is not the one agreed on: give the webhook at GitLab the secret "
                "token that the setting gitlab_webhook_token has"
            )
    else:
        _only_here(program, "gitlab_webhook_token")
    # One event goes to every hook of a project with one UUID, and a recursive one keeps it.
    key = request.headers.get("idempotency-key")
    uuid = request.headers.get("x-gitlab-event-uuid", "")
    delivery = key or f"{uuid}:{_digest(body)}"
    found = receiving.from_gitlab(clock.now(), delivery, body, signed=bool(token))
    return _answer(program, [found])


@post(
    "/api/events", opt=needs(Role.RESPONDER, scope="events"), sync_to_thread=True,
    status_code=202, request_max_body_size=MOST_BYTES,
)  # fmt: skip
def events(
    request: AnyRequest,
    body: RawBody,
    program: NamedDependency[Program],
) -> Response[Receipt]:
    """CloudEvents 1.0: structured, batched or binary; all of a request are stored, or none.

    Types: pilothouse.deployment, and CDEvents' service.deployed, upgraded, rolledback, removed.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    now, kind = clock.now(), headers.get("content-type", "")
    found = [receiving.from_event(now, event) for event in cloudevents.read(kind, headers, body)]
    return _answer(program, found)


def _answer(program: Program, found: Sequence[Delivery]) -> Response[Receipt]:
    """Acknowledge what is stored."""
    receipt = receiving.receipt(found, together(program.db).store(found))
    status = STORED if receipt.state == "stored" else IGNORED
    return Response(receipt, status_code=status)


def _only_here(program: Program, setting: str) -> None:
    """Raises Denied where strangers could reach a hook that checks nothing."""
    if program.settings.host not in LOOPBACK or program.settings.public_url:
        raise Denied(
            f"webhooks are not accepted here: set {setting} to a secret that only you and the "
            "sender know"
        )
    _say_unsigned(setting)


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
