"""The page of one's own account: tokens, sessions, the password."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect

from pilothouse.kernel.actors import Role
from pilothouse.kernel.auth import rules
from pilothouse.kernel.auth.formats import fits, hashed
from pilothouse.kernel.auth.model import (
    LOCAL,
    NARROW_SCOPES,
    ROLE_SCOPES,
    SCOPE_WORDS,
    Asked,
    Person,
)
from pilothouse.kernel.auth.pages import signing_in
from pilothouse.kernel.auth.service import people, staying, tokens
from pilothouse.kernel.errors import Denied, Invalid, PilothouseError
from pilothouse.kernel.program import Program
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.asking import AnyRequest
from pilothouse.kernel.web.frame import Frame


class TokenForm(msgspec.Struct):
    """The form that makes a token."""

    name: str = ""
    scope: str = "read"
    days: str = "90"


class NewPasswordForm(msgspec.Struct):
    """The form that changes one's password."""

    old: str = ""
    new: str = ""


@get("/account", opt=needs(Role.VIEWER), sync_to_thread=True)
def account(
    request: AnyRequest,
    program: NamedDependency[Program],
    frame: NamedDependency[Frame],
    asked: NamedDependency[Asked],
) -> Response[str]:
    """Who one is here, where one is signed in, one's API tokens."""
    return _account_page(request, program, frame, asked)


def _account_page(
    request: AnyRequest, program: Program, frame: Frame, asked: Asked, **said: Any
) -> Response[str]:
    """`said`: a token that was just made, or what was wrong with a form."""
    person = asked.person
    settings = program.settings
    idle = timedelta(seconds=settings.session_idle)
    with program.db.read(asked.actor) as tx:
        mine = tokens.of(tx, person) if person else []
        where = staying.sessions(tx, person, idle) if person else []
    provider = settings.provider(person.provider) if person else None
    known = {**ROLE_SCOPES, **NARROW_SCOPES}
    return frame.page(
        request,
        "auth/account.html",
        title="Account",
        status_code=said.get("status", 200),
        me=person,
        asked=asked,
        provider=provider.label if provider else "",
        local=person is not None and person.provider == LOCAL,
        sessions=where,
        called=rules.agent_words,
        tokens=mine,
        idle=idle,
        scopes=[(s, SCOPE_WORDS[s]) for s in known if _may_give(s, asked)],
        made=said.get("made"),
        secret=said.get("secret", ""),
        error=said.get("error", ""),
        form=said.get("form", TokenForm()),
        password_error=said.get("password_error", ""),
    )


def _may_give(scope: str, asked: Asked) -> bool:
    try:
        rules.check_scopes([scope], asked.actor.role)
    except Invalid:
        return False
    return True


def _person(asked: Asked) -> Person:
    """Whose account it is. Raises Denied for who has none, and for programs."""
    if asked.person is None or asked.session is None:
        raise Denied("this is for people who are signed in in a browser")
    return asked.person


@post("/account/tokens", opt=needs(Role.VIEWER), sync_to_thread=True, status_code=200)
def make_token(
    request: AnyRequest,
    data: Annotated[TokenForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    program: NamedDependency[Program],
    frame: NamedDependency[Frame],
    asked: NamedDependency[Asked],
) -> Response[str]:
    """Make an API token and show it, this once."""
    person = _person(asked)
    days = int(data.days) if data.days.isdecimal() and len(data.days) < 5 else 0  # noqa: PLR2004
    try:
        with program.db.begin(asked.actor) as tx:
            secret, made = tokens.create(tx, person, data.name, [data.scope], days)
    except PilothouseError as error:
        return _account_page(
            request, program, frame, asked, error=str(error), form=data, status=error.status
        )
    return _account_page(request, program, frame, asked, secret=secret, made=made)


@post(
    "/account/tokens/{token_id:str}/revoke",
    opt=needs(Role.VIEWER),
    sync_to_thread=True,
    status_code=303,
)
def revoke_token(
    token_id: FromPath[str], program: NamedDependency[Program], asked: NamedDependency[Asked]
) -> Redirect:
    """Have one of one's tokens taken no more."""
    with program.db.begin(asked.actor) as tx:
        tokens.revoke(tx, token_id[:32], _person(asked))
    return Redirect("/account#tokens", status_code=303)


@post(
    "/account/sessions/{session_id:str}/end",
    opt=needs(Role.VIEWER),
    sync_to_thread=True,
    status_code=303,
)
def end_session(
    session_id: FromPath[str], program: NamedDependency[Program], asked: NamedDependency[Asked]
) -> Redirect:
    """Sign out of one of one's sessions, or of all: the id is then `all`."""
    person = _person(asked)
    with program.db.begin(asked.actor) as tx:
        if session_id == "all":
            staying.end_all(tx, person)
        else:
            staying.end_one(tx, person, session_id[:32])
    return Redirect("/account", status_code=303)


@post("/account/password", opt=needs(Role.VIEWER), status_code=303)
@signing_in.PASSWORDS
def change_password(
    request: AnyRequest,
    data: Annotated[NewPasswordForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    program: NamedDependency[Program],
    frame: NamedDependency[Frame],
    asked: NamedDependency[Asked],
) -> Response[Any]:
    """Change one's password; other sessions end."""
    person = _person(asked)
    try:
        if signing_in.TRIED.wait(person.name):
            raise Denied("there were too many tries; wait a minute")
        with program.db.read() as tx:
            kept = people.password_of(tx, person)
        if not fits(kept, data.old[: rules.MOST_PASSWORD]):
            raise Invalid("the old password is another one")
        rules.check_password(data.new, person.name)
    except PilothouseError as error:
        said = {"password_error": f"{error}.".capitalize(), "status": error.status}
        return _account_page(request, program, frame, asked, **said)
    new = hashed(data.new)
    with program.db.begin(asked.actor) as tx:
        people.change_password(tx, person, new, asked.session.id if asked.session else None)
    return Redirect("/account", status_code=303)


routes = [account, make_token, revoke_token, end_session, change_password]
