"""Providers call back: a button of Slack, a key on the telephone. What they say is signed."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec
import structlog
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from pilothouse.kernel import clock
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.auth.outside import keys
from pilothouse.kernel.errors import Conflict, Denied, Invalid, NotFound
from pilothouse.kernel.program import Program
from pilothouse.kernel.web.access import public
from pilothouse.kernel.web.asking import AnyRequest
from pilothouse.oncall.formats import slack, twiml
from pilothouse.oncall.model.paging import Acknowledged, State, Way
from pilothouse.oncall.rules import signs
from pilothouse.oncall.service import links, methods

log = structlog.get_logger("pilothouse.oncall")

MOST_BYTES = 100_000
XML = "application/xml; charset=utf-8"


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200))
    except ValueError as error:
        raise Invalid("that is not a form") from error


@post(
    "/hooks/slack",
    opt=public(),
    sync_to_thread=True,
    status_code=200,
    request_max_body_size=MOST_BYTES,
    include_in_schema=False,
)
def pressed(request: AnyRequest, body: RawBody, program: NamedDependency[Program]) -> Response[Any]:
    """Somebody pressed a button in Slack."""
    secret = program.settings.slack_signing_secret or ""
    headers = {name.lower(): value for name, value in request.headers.items()}
    if not signs.slack(secret, headers, body, clock.now()):
        raise Denied("that is not signed by Slack with the slack_signing_secret of the settings")
    try:
        found = slack.pressed(_form(body).get("payload", ""))
    except msgspec.DecodeError as error:
        raise Invalid("that is not a payload of Slack") from error
    if found is not None:
        _acknowledge(program, found.value, "slack", found)
    return Response(None, status_code=200)


def _acknowledge(
    program: Program, token: str, way: Way, pressed: slack.Pressed | None = None
) -> Acknowledged | None:
    """By a link; None where it does nothing any more."""
    key = keys.secret_key(program.settings)
    try:
        with program.db.read() as tx:
            told = links.whose(tx, key, token[:64])
            method = methods.opened(tx, key, told.method, told.person)
        by = told.person
        if pressed and (method is None or method.address != pressed.user):
            by = f"slack:{pressed.user[:40]}"  # in a channel others see the button too
        actor = Actor(by, by, Role.VIEWER)
        with program.db.begin(actor) as tx:
            return links.use(tx, key, token[:64], by, way)
    except (NotFound, Conflict) as error:
        log.info("oncall.link_not_used", way=way, why=str(error))
        return None


@post(
    "/hooks/twilio/{secret:str}",
    opt=public(),
    sync_to_thread=True,
    status_code=200,
    request_max_body_size=MOST_BYTES,
    include_in_schema=False,
)
def keyed(
    request: AnyRequest,
    secret: FromPath[str],
    body: RawBody,
    program: NamedDependency[Program],
) -> Response[str]:
    """Somebody pressed a key on the telephone."""
    form = _form(body)
    given = request.headers.get("x-twilio-signature", "")
    url = f"{program.settings.home.rstrip('/')}/hooks/twilio/{secret}"
    if not signs.twilio(program.settings.twilio_token or "", given, url, form):
        raise Denied("that is not signed by Twilio with the twilio_token of the settings")
    if form.get("Digits") != twiml.KEY:
        return Response(twiml.told("Not acknowledged."), media_type=XML)
    done = _acknowledge(program, secret, "link")
    words = "This call does nothing any more."
    if done is not None:
        taken = done.changed or done.page.state is State.ACKNOWLEDGED
        words = "Acknowledged. You have it." if done.changed else "It was acknowledged already."
        words = words if taken else "It is over already."
    return Response(twiml.told(words), media_type=XML)


routes = [pressed, keyed]
