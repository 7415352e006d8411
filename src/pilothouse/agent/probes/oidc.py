"""OpenID Connect: the whole sign-in, as a person without JavaScript would walk it.

Discovery 1.0; Core 1.0, section 3.1 (authorization code); RFC 7636 (PKCE).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qs, quote_plus, urlencode, urljoin, urlsplit

import msgspec

from pilothouse.agent import forms
from pilothouse.agent.connecting import Broken, Phases
from pilothouse.agent.cookies import Jar
from pilothouse.agent.exchange import Answer, Request, parsed
from pilothouse.agent.probes.http import OURS, ask
from pilothouse.agent.probing import seen_by
from pilothouse.agent.seen import Seen, Visit
from pilothouse.checks.model.documents import Http, Oidc
from pilothouse.checks.model.results import StepTime
from pilothouse.kernel import clock

MOST_PAGES = 20  # between the authorisation request and the code
LONGEST = 300  # letters of why a step broke off
LEEWAY = 120  # seconds that clocks may differ
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
_REDIRECTS = (301, 302, 303, 307, 308)
_OK = 200


@dataclass(slots=True)
class _Walk:
    """One sign-in under way: a browser's cookies, and what was measured."""

    visit: Visit
    spec: Oidc
    seen: Seen
    phases: Phases
    jar: Jar = field(default_factory=Jar)
    steps: list[StepTime] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """One step, timed; where it breaks off the reason names it."""
        began, why = time.perf_counter(), ""
        try:
            yield
        except Broken as broken:
            why = self.visit.redact.beginning(broken.reason, LONGEST)
            raise Broken(broken.fault, f"{name}: {why}", unable=broken.unable) from broken
        except (ValueError, LookupError, TypeError) as error:
            why = "the answer cannot be read"
            raise Broken("oidc", f"{name}: {why}") from error
        finally:
            ms = (time.perf_counter() - began) * 1000
            self.steps.append(StepTime(name, round(ms, 3), ok=not why, why=why))

    async def ask(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request with the cookies of its host. Redirects are answers like others."""
        target = parsed(url)
        sent = OURS | {"accept": "text/html,application/json"} | dict(headers or {})
        if headers is None and (cookies := self.jar.sent(target.host)):
            sent["cookie"] = cookies
        if body:
            sent["content-type"] = "application/x-www-form-urlencoded"
        spec = Http(url=url, version="1.1")
        request = Request(method, target, sent, body)
        answer = await ask(self.visit, spec, request, self.phases, self.seen)
        self.seen.status = answer.status
        self.jar.take(target.host, answer.headers.get("set-cookie", ""))
        return answer

    async def json(self, url: str) -> dict[str, Any]:
        """A document that the provider serves to everybody. Raises Broken."""
        return _document(await self.ask("GET", url), url)


async def probe(visit: Visit) -> Seen:
    """Sign in once; nothing is kept."""
    steps: list[StepTime] = []

    async def look(visit: Visit, seen: Seen, phases: Phases) -> None:
        await _signed_in(_Walk(visit, visit.spec.oidc or _NOTHING, seen, phases, steps=steps))

    seen = await seen_by(visit, look)
    seen.steps, seen.reason, seen.sample = tuple(steps), visit.redact(seen.reason), ""
    return seen


_NOTHING = Oidc(issuer="", client_id="", username="", password="")


async def _signed_in(walk: _Walk) -> None:
    spec = walk.spec
    with walk.step("Discovery"):
        issuer = spec.issuer.rstrip("/")
        about = await walk.json(f"{issuer}/.well-known/openid-configuration")
        if str(about["issuer"]).rstrip("/") != issuer:
            raise Broken("oidc", f"it says that it is {str(about['issuer'])[:200]}")
    with walk.step("Keys"):
        keys = await walk.json(about["jwks_uri"])
        if not keys.get("keys"):
            raise Broken("keys", "there are no keys")
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    with walk.step("Authorisation"):
        page, url = await _authorisation(walk, about, (state, nonce, verifier))
    with walk.step("Sign-in form"):
        back = await _through_forms(walk, page, url)
        code = _code(back, state)
        walk.visit.redact.learn(code, verifier)
    with walk.step("Token"):
        tokens = await _tokens(walk, about, code, verifier)
    with walk.step("ID token"):
        walk.seen.values["claims"] = claims = _verified(tokens["id_token"], keys, walk.spec)
        if claims.get("iss", "").rstrip("/") != issuer or claims.get("nonce") != nonce:
            raise Broken("oidc", "the ID token is another's: its iss or nonce differs")
    if about.get("userinfo_endpoint"):
        with walk.step("Userinfo"):
            walk.seen.values["userinfo"] = await _userinfo(walk, about, tokens, claims)


async def _authorisation(
    walk: _Walk, about: Mapping[str, Any], own: tuple[str, str, str]
) -> tuple[Answer, str]:
    """The first page that wants an answer, and where it is."""
    state, nonce, verifier = own
    digest = hashlib.sha256(verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": walk.spec.client_id,
        "redirect_uri": walk.spec.redirect_uri,
        "scope": walk.spec.scope,
        "state": state,
        "nonce": nonce,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    where = str(about["authorization_endpoint"])
    url = f"{where}{'&' if '?' in where else '?'}{urlencode(asked)}"
    return await _followed(walk, "GET", url, b"")


async def _followed(walk: _Walk, method: str, url: str, body: bytes) -> tuple[Answer, str]:
    """The answer that redirects no further, or that leads back to the client."""
    for _ in range(MOST_PAGES):
        answer = await walk.ask(method, url, body)
        place = answer.headers.get("location", "")
        if answer.status not in _REDIRECTS or not place:
            return answer, url
        if answer.status not in (307, 308):
            method, body = "GET", b""
        url = urljoin(url, place)
        if _is_back(walk.spec, url):
            return answer, url
    raise Broken("loop", f"redirected more than {MOST_PAGES} times")


def _is_back(spec: Oidc, url: str) -> bool:
    return url.partition("?")[0].partition("#")[0] == spec.redirect_uri.partition("?")[0]


async def _through_forms(walk: _Walk, page: Answer, url: str) -> str:
    """Fill in what is asked and agree to it, until the way leads back; that address."""
    asked = 0
    for _ in range(MOST_PAGES):
        if _is_back(walk.spec, url):
            return url
        if page.status != _OK:
            raise Broken(str(page.status), f"{_shown(url)} answered {page.status}")
        form = _wanted(page)
        if form is None:
            raise Broken("form", f"{_shown(url)} has no form to sign in with")
        asked += form.password is not None
        if asked > 1 and form.password is not None:
            raise Broken("auth", "the form came again: name and password are not accepted")
        method, target, body = form.sent(url, _filled(form, walk.spec))
        if _is_back(walk.spec, target):  # response_mode=form_post
            return f"{target.partition('?')[0]}?{body.decode() or target.partition('?')[2]}"
        page, url = await _followed(walk, method, target, body)
    raise Broken("loop", f"more than {MOST_PAGES} pages, and none leads back")


def _wanted(page: Answer) -> forms.Form | None:
    """The form that goes on: with a password, else with a name, else one with nothing to type.

    A form that is neither is a search.
    """
    all_of = forms.found(page.body.decode("utf-8", "replace"))
    with_password = [form for form in all_of if form.password is not None]
    with_name = [form for form in all_of if form.username is not None]
    to_agree = [form for form in all_of if not form.typed]
    return next(iter(with_password or with_name or to_agree), None)


def _filled(form: forms.Form, spec: Oidc) -> dict[str, str]:
    """What is typed. `form: {username: login}` names the field; other entries are more of them."""
    filled = {name: value for name, value in spec.form.items()
              if name not in ("username", "password")
              and any(one.name == name for one in form.fields)}  # fmt: skip
    names = {one.name for one in form.fields}
    username, password = form.username, form.password
    own = spec.form.get("username", username.name if username else "")
    if own in names and (password is not None or username is not None):
        filled[own] = spec.username
    other = spec.form.get("password", password.name if password else "")
    if other in names:
        filled[other] = spec.password
    return filled


def _code(back: str, state: str) -> str:
    said = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    if "error" in said:
        more = said.get("error_description", "")
        raise Broken("auth", f"the provider refused: {said['error']} {more}".strip())
    if said.get("state") != state:
        raise Broken("oidc", "the way back has another state than the way there")
    if "code" not in said:
        raise Broken("oidc", "the way back has no code")
    return said["code"]


async def _tokens(
    walk: _Walk, about: Mapping[str, Any], code: str, verifier: str
) -> dict[str, Any]:
    spec = walk.spec
    sent = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": spec.redirect_uri,
        "code_verifier": verifier,
    }
    headers = {"accept": "application/json"}
    ways = about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if spec.client_secret and "client_secret_basic" in ways:
        pair = f"{quote_plus(spec.client_id)}:{quote_plus(spec.client_secret)}"
        headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        sent["client_id"] = spec.client_id
        if spec.client_secret:
            sent["client_secret"] = spec.client_secret
    url = str(about["token_endpoint"])
    tokens = _document(await walk.ask("POST", url, urlencode(sent).encode(), headers), url)
    kinds = ("access_token", "id_token", "refresh_token")
    walk.visit.redact.learn(*(str(tokens.get(kind) or "") for kind in kinds))
    if not isinstance(tokens.get("id_token"), str):
        raise Broken("oidc", "there is no ID token")
    return tokens


def _verified(text: str, keys: Mapping[str, Any], spec: Oidc) -> dict[str, Any]:
    """The claims of an ID token (Core 1.0, 3.1.3.7). Raises Broken for one that is not right."""
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet, KeySetSerialization

    now = int(clock.now().timestamp())
    try:
        known = KeySet.import_key_set(cast("KeySetSerialization", keys))
        claims = jwt.decode(text, known, algorithms=list(ALGORITHMS)).claims
        jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY,
            iss={"essential": True},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            aud={"essential": True, "value": spec.client_id},
        ).validate(claims)
    except (JoseError, ValueError) as error:
        raise Broken("sign", f"the ID token is not right: {error}") from error
    return claims


async def _userinfo(
    walk: _Walk, about: Mapping[str, Any], tokens: Mapping[str, Any], claims: Mapping[str, Any]
) -> dict[str, Any]:
    url = str(about["userinfo_endpoint"])
    bearer = {"authorization": f"Bearer {tokens['access_token']}", "accept": "application/json"}
    found = _document(await walk.ask("GET", url, headers=bearer), url)
    if found.get("sub") != claims["sub"]:
        raise Broken("oidc", "it tells of another person than the ID token")
    return found


def _document(answer: Answer, url: str) -> dict[str, Any]:
    """A JSON object. Raises Broken, with what the provider says of an error."""
    try:
        found = msgspec.json.decode(answer.body)
    except msgspec.DecodeError:
        found = None
    if answer.status != _OK:
        said = (
            found.get("error_description") or found.get("error") if isinstance(found, dict) else ""
        )
        more = f": {said}" if said else ""
        raise Broken(str(answer.status), f"{_shown(url)} answered {answer.status}{more}")
    if not isinstance(found, dict):
        raise Broken("oidc", f"{_shown(url)} answered with something else than a JSON object")
    return cast("dict[str, Any]", found)


def _shown(url: str) -> str:
    """An address without its query: there is a code or a state in it."""
    return url.partition("?")[0].partition("#")[0][:200]
