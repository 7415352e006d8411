"""The pages of signing in and out."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import msgspec
from litestar import Response, Router, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect

from pilothouse.kernel import clock
from pilothouse.kernel.auth import rules
from pilothouse.kernel.auth.formats import digest, fits, new_secret, sealed
from pilothouse.kernel.auth.model import (
    LOCAL,
    Asked,
    Attempt,
    Claims,
    Person,
)
from pilothouse.kernel.auth.outside import keys, oidc
from pilothouse.kernel.auth.service import people, staying
from pilothouse.kernel.errors import Denied, PilothouseError
from pilothouse.kernel.program import Program
from pilothouse.kernel.settings import Settings
from pilothouse.kernel.web.access import public
from pilothouse.kernel.web.arriving import (
    SESSION_COOKIE,
    address_of,
    cookie_name,
    cookie_of,
)
from pilothouse.kernel.web.asking import AnyRequest
from pilothouse.kernel.web.frame import Frame
from pilothouse.kernel.web.lanes import Lane
from pilothouse.kernel.web.limits import Buckets, Folding

WRONG = "That name and that password do not belong together."
TRIED = Buckets(1 / 30, 10)  # passwords for one name: then one in half a minute, from anywhere
# What takes long waits for itself only: hashing for the processor and 64 MiB, providers for others.
PASSWORDS = Lane("passwords", threads=2, waiting=16)
PROVIDERS = Lane("providers", threads=4, waiting=16)
# Failures that are written down: of one address ten and then one a minute, ten a minute of all.
FAILED = Folding(each=(1 / 60, 10), together=(1 / 6, 200))
AWAY_COOKIE = "signing-in"


class PasswordForm(msgspec.Struct):
    """The form of /login."""

    name: str = ""
    password: str = ""
    next: str = "/"


@get("/", opt=public(), sync_to_thread=True)
def login(
    request: AnyRequest,
    program: NamedDependency[Program],
    frame: NamedDependency[Frame],
    asked: NamedDependency[Asked],
) -> Response[str] | Redirect:
    """The ways to sign in."""
    target = rules.same_site(request.query_params.get("next"))
    if asked.person is not None or not program.settings.signs_in:
        return Redirect(target, status_code=303)
    return _login_page(request, program, frame, target)


def _login_page(
    request: AnyRequest, program: Program, frame: Frame, target: str, **said: Any
) -> Response[str]:
    """`said`: error, name and the HTTP status, when signing in did not work."""
    settings, nobody = program.settings, False
    if settings.local_users and not settings.sign_in:
        with program.db.read() as tx:
            nobody = not people.local_users(tx)
    return frame.page(
        request,
        "auth/login.html",
        title="Sign in",
        status_code=said.get("status", 200),
        providers=settings.sign_in,
        local=settings.local_users,
        nobody=nobody,
        target=target,
        error=said.get("error", ""),
        name=said.get("name", ""),
    )


@post("/", opt=public(), status_code=303)
@PASSWORDS
def check_password(
    request: AnyRequest,
    data: Annotated[PasswordForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    program: NamedDependency[Program],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Sign in with a name and a password."""
    settings, target = program.settings, rules.same_site(data.next)
    if not settings.local_users:
        raise Denied("people sign in by a provider here, not with a password: see /login")
    name = data.name.strip().lower()[:64]
    if (wait := TRIED.wait(name)) and name:
        error = f"There were too many tries for this name. Wait {round(wait) + 1} seconds."
        return _login_page(request, program, frame, target, error=error, name=name, status=429)
    with program.db.read() as tx:
        person = people.local_user(tx, name)
        kept = people.password_of(tx, person) if person else None
    right = fits(kept, data.password[: rules.MOST_PASSWORD])  # outside any transaction: it is slow
    if not right or person is None:
        _failed(request, program, "password", "wrong password", person)
        return _login_page(request, program, frame, target, error=WRONG, name=name, status=401)
    return _signed_in(request, program, person, target, "password")


def _failed(
    request: AnyRequest, program: Program, how: str, why: str, person: Person | None = None
) -> None:
    """Write down that someone did not get in; who tries and tries does not fill the journal."""
    address = address_of(request.scope)
    if (before := FAILED.told(address)) is None:
        return
    with program.db.begin() as tx:
        staying.failed(tx, staying.Failure(how, why, address, person, before))


def _signed_in(
    request: AnyRequest, program: Program, person: Person, target: str, how: str
) -> Redirect:
    """Begin a session and go where they wanted to."""
    settings = program.settings
    lifetime = timedelta(seconds=settings.session_lifetime)
    with program.db.begin() as tx:
        present = people.find(tx, person.id)
        if present is None:  # removed since their password was looked at
            raise Denied(WRONG)
        if present.provider == LOCAL:
            present = people.linked(tx, present)
        secret = staying.begin(tx, present, _browser(request, settings), lifetime, how)
    return Redirect(
        target,
        status_code=303,
        cookies=[
            _cookie(settings, SESSION_COOKIE, secret, settings.session_lifetime),
            _cookie(settings, AWAY_COOKIE, "", 0),
        ],
    )


def _browser(request: AnyRequest, settings: Settings) -> staying.Browser:
    headers = dict(request.scope["headers"])
    name = cookie_name(SESSION_COOKIE, secure=settings.secure)
    return staying.Browser(
        address_of(request.scope), request.headers.get("user-agent", ""), cookie_of(headers, name)
    )


def _cookie(settings: Settings, name: str, value: str, seconds: int) -> Cookie:
    """A cookie that no script reads and no other site's form sends along."""
    return Cookie(
        cookie_name(name, secure=settings.secure),
        value=value,
        max_age=seconds,
        path="/",
        secure=settings.secure,
        httponly=True,
        samesite="lax",
    )


@get("/login/{provider:str}", opt=public())
@PROVIDERS
def leave(
    request: AnyRequest,
    provider: FromPath[str],
    program: NamedDependency[Program],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Go to a provider to sign in there."""
    settings = program.settings
    side = oidc.providers_of(settings)[provider]
    target = rules.same_site(request.query_params.get("next"))
    state, browser = new_secret(), new_secret()
    attempt = Attempt(
        provider, new_secret(), new_secret(), digest(browser), target, added_at=clock.now()
    )
    try:
        url = side.leave(_callback(settings, provider), state, attempt)
    except PilothouseError as error:
        return _login_page(request, program, frame, target, error=str(error), status=502)
    with program.db.begin() as tx:
        staying.send_away(tx, state, attempt)
    seconds = round(rules.ATTEMPT.total_seconds())
    cookie = _cookie(settings, AWAY_COOKIE, browser, seconds)
    return Redirect(url, status_code=303, cookies=[cookie])


def _callback(settings: Settings, provider: str) -> str:
    return f"{settings.home.rstrip('/')}/login/{provider}/callback"


@get("/login/{provider:str}/callback", opt=public())
@PROVIDERS
def come_back(
    request: AnyRequest,
    provider: FromPath[str],
    program: NamedDependency[Program],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Come back from a provider: it says who this is."""
    settings, target = program.settings, "/"
    try:
        with program.db.begin() as tx:
            attempt = staying.come_back(tx, *_shown(request, settings), provider)
        target = attempt.next
        side = oidc.providers_of(settings)[provider]
        claims = side.arrive(_callback(settings, provider), _returned(request), attempt)
        person = _welcome(program, side, claims)
    except PilothouseError as error:
        _failed(request, program, provider[:40], str(error)[:300])
        status = error.status if error.status != 500 else 502  # noqa: PLR2004
        return _login_page(request, program, frame, target, error=str(error), status=status)
    return _signed_in(request, program, person, target, provider)


def _shown(request: AnyRequest, settings: Settings) -> tuple[str, str]:
    """The state that came back, and the cookie of the browser that brings it."""
    name = cookie_name(AWAY_COOKIE, secure=settings.secure)
    cookie = cookie_of(dict(request.scope["headers"]), name)
    return request.query_params.get("state", "")[:200], cookie


def _returned(request: AnyRequest) -> oidc.Returned:
    asked = request.query_params
    return oidc.Returned(asked.get("code", ""), asked.get("error", ""), asked.get("iss", ""))


def _welcome(program: Program, side: oidc.Relying, claims: Claims) -> Person:
    """Keep who came back, and what their provider can be asked again with."""
    settings = program.settings
    if claims.identity is None:
        raise Denied(f"{side.provider.label} did not say who you are")
    token = claims.refresh_token
    kept = sealed(keys.secret_key(settings), token) if token else None
    with program.db.begin() as tx:
        person = people.welcome(tx, side.provider, claims.identity, settings.default_role)
        if kept:
            every = timedelta(seconds=settings.sign_in_recheck)
            people.put_refresh(tx, person, kept, every)
        else:
            people.forget_refresh(tx, person)
    return person


@post("/logout", opt=public(), sync_to_thread=True, status_code=303)
def logout(program: NamedDependency[Program], asked: NamedDependency[Asked]) -> Redirect:
    """Sign out."""
    settings = program.settings
    if asked.session:
        with program.db.begin(asked.actor) as tx:
            staying.end(tx, asked)
    return Redirect("/login", status_code=303, cookies=[_cookie(settings, SESSION_COOKIE, "", 0)])


routes = [
    Router("/login", route_handlers=[login, check_password]),
    leave,
    come_back,
    logout,
]
