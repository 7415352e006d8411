"""The sign-in of customers: a small OpenID Connect provider, complete enough to sign in with.

OpenID Connect Core 1.0, authorization code flow, with PKCE where the client brings it.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from pilothouse.demo.company.serving import NOT_FOUND, Answer, Request, as_json, redirect, serve
from pilothouse.demo.model import Company
from pilothouse.kernel import clock

CLIENT = "shop"
USER, PASSWORD = "ada", "shipshape"
LIFETIME = 300  # seconds of codes and tokens
MOST = 1000  # codes and tokens that are remembered


@dataclass(frozen=True, slots=True)
class Asked:
    """What an authorization request asked for."""

    redirect_uri: str
    state: str
    nonce: str
    challenge: str


@dataclass(slots=True)
class Provider:
    """Its keys, and what it gave out."""

    company: Company
    key: RSAKey
    other: RSAKey  # signs when the sign-in is broken, and is published nowhere
    codes: dict[str, tuple[float, Asked]] = field(default_factory=dict)
    tokens: dict[str, float] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return self.company.public("sign-in")

    def handle(self, request: Request) -> Answer:
        """One request."""
        ways = {
            "/.well-known/openid-configuration": self._discovery,
            "/keys": lambda _: as_json(KeySet([self.key]).as_dict(private=False)),
            "/authorize": self._authorize,
            "/sign-in": self._sign_in,
            "/token": self._token,
            "/userinfo": self._userinfo,
        }
        return ways.get(request.path, lambda _: NOT_FOUND)(request)

    def _discovery(self, _: Request) -> Answer:
        return as_json(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "jwks_uri": f"{self.issuer}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid", "profile"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
            }
        )

    def _authorize(self, request: Request) -> Answer:
        said = request.query
        if said.get("client_id") != CLIENT or not _is_ours(said.get("redirect_uri", "")):
            return Answer(b"An unknown client.", 400, "text/plain")
        hidden = "".join(
            f'<input type=hidden name={name} value="{escape(said.get(name, ""))}">'
            for name in ("redirect_uri", "state", "nonce", "code_challenge")
        )
        return Answer(_FORM.format(hidden=hidden).encode())

    def _sign_in(self, request: Request) -> Answer:
        said = request.form
        to = said.get("redirect_uri", "")
        if not _is_ours(to):
            return Answer(b"An unknown client.", 400, "text/plain")
        if (said.get("username"), said.get("password")) != (USER, PASSWORD):
            return Answer(b"Wrong name or password.", 401, "text/plain")
        asked = Asked(
            to, said.get("state", ""), said.get("nonce", ""), said.get("code_challenge", "")
        )
        code = secrets.token_urlsafe(16)
        _remember(self.codes, code, (clock.seconds(), asked))
        return redirect(f"{to}?{urlencode({'code': code, 'state': asked.state})}")

    def _token(self, request: Request) -> Answer:
        said = request.form
        at, asked = self.codes.pop(said.get("code", ""), (0.0, Asked("", "", "", "")))
        if at + LIFETIME < clock.seconds() or said.get("redirect_uri") != asked.redirect_uri:
            return as_json({"error": "invalid_grant"}, 400)
        if asked.challenge and asked.challenge != _challenge(said.get("code_verifier", "")):
            return as_json({"error": "invalid_grant"}, 400)
        token = secrets.token_urlsafe(16)
        _remember(self.tokens, token, clock.seconds())
        told = {"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME}
        return as_json({**told, "id_token": self._id_token(asked.nonce)})

    def _id_token(self, nonce: str) -> str:
        key = self.other if self.company.broken("sign-in") else self.key
        now = int(clock.seconds())
        claims = {"iss": self.issuer, "sub": USER, "aud": CLIENT, "iat": now, "exp": now + LIFETIME}
        said = {"nonce": nonce} if nonce else {}
        return jwt.encode({"alg": "RS256", "kid": str(key.kid)}, {**claims, **said}, key)

    def _userinfo(self, request: Request) -> Answer:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0.0) + LIFETIME < clock.seconds():
            return as_json({"error": "invalid_token"}, 401)
        return as_json({"sub": USER, "name": "Ada", "preferred_username": USER})


def run(company: Company) -> None:
    """Serve the provider."""
    key, other = (RSAKey.generate_key(2048, auto_kid=True) for _ in range(2))
    serve(company, "sign-in", Provider(company, key, other).handle)


_FORM = """<!doctype html><html lang=en><meta charset=utf-8><title>Sign in</title>
<h1>Sign in to the chandlery</h1>
<form method=post action=/sign-in>{hidden}
<p><label>Name <input name=username autocomplete=username></label>
<p><label>Password <input name=password type=password></label> (ada, shipshape)
<p><button>Sign in</button></form></html>"""


def _is_ours(uri: str) -> bool:
    """Whether it leads back to this machine, where all of the company is."""
    host = urlsplit(uri).hostname or ""
    return host in ("127.0.0.1", "localhost") or host.endswith(".localhost")


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _remember(known: dict[str, Any], key: str, value: Any) -> None:
    known[key] = value
    while len(known) > MOST:
        known.pop(next(iter(known)), None)
