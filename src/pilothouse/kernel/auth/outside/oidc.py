"""OpenID Connect: the code flow with PKCE, and asking again whether someone is still there.

OpenID Connect Core 1.0 sections 3.1 and 12, Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (issuer in
the answer). Authlib and joserfc are imported when the first person signs in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from pilothouse.kernel import outgoing
from pilothouse.kernel.auth import rules
from pilothouse.kernel.auth.model import Attempt, Claims, Provider
from pilothouse.kernel.auth.outside.remembered import Remembered
from pilothouse.kernel.errors import Denied, NotFound, PilothouseError

if TYPE_CHECKING:
    from pilothouse.kernel.outgoing import Reply
    from pilothouse.kernel.settings import Settings

FRESH = 3600.0  # seconds that what a provider says of itself is remembered
LEEWAY = 60  # seconds that its clock may differ
# Asymmetric only: a provider's public key must not become the key of an HMAC.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")  # noqa: E501  # fmt: skip
OK = 200


class Refused(PilothouseError):
    """The provider does not vouch for someone any more."""

    status = 403
    title = "Not allowed"


class Metadata(msgspec.Struct, frozen=True):
    """What a provider says of itself, as far as it is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    scopes_supported: tuple[str, ...] = ()
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Returned(msgspec.Struct, frozen=True):
    """What someone brings back from a provider."""

    code: str = ""
    error: str = ""
    issuer: str = ""


class Sender:
    """What Authlib sends by: our own way out, with its one checker of addresses."""

    def __init__(self, trusted: frozenset[str]) -> None:
        self.trusted = trusted

    def post(self, url: str, data: Mapping[str, str], headers: Mapping[str, str], auth: Any) -> Any:
        from authlib.common.urls import url_encode

        body = url_encode(list(data.items()))
        url, sent, body = auth.prepare("POST", url, dict(headers), body)
        return _Response(outgoing.fetch("POST", url, sent, body.encode(), trusted=self.trusted))


class _Response:
    """A reply as Authlib reads it."""

    def __init__(self, reply: Reply) -> None:
        self.status_code = reply.status
        self._body = reply.body

    def json(self) -> Any:
        return json.loads(self._body)

    def raise_for_status(self) -> None:
        raise outgoing.Unreachable(f"the provider answered with the status {self.status_code}")


class Relying:
    """Our side of one provider; what it says of itself is remembered for a while."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.trusted = frozenset({outgoing.host_of(provider.issuer)})
        slow = f"{provider.label} is slow to answer just now. Try again in a moment."
        self._said = Remembered(self._ask_metadata, slow)
        self._keys: Remembered[Any] = Remembered(self._ask_keys, slow)

    def leave(self, redirect_uri: str, state: str, attempt: Attempt) -> str:
        """The address to send a browser to."""
        said = self.metadata()
        outgoing.judge(said.authorization_endpoint, self.trusted)
        url, _ = self._client(redirect_uri).create_authorization_url(
            said.authorization_endpoint,
            state=state,
            nonce=attempt.nonce,
            code_verifier=attempt.verifier,
            **self.provider.parameters,
        )
        return url

    def arrive(self, redirect_uri: str, returned: Returned, attempt: Attempt) -> Claims:
        """Who came back.

        Raises Denied when the provider did not let them in, or what it says does not hold.
        """
        said = self.metadata()
        self._check_answer(said, returned)
        token = self._ask(
            lambda client: client.fetch_token(
                said.token_endpoint,
                grant_type="authorization_code",
                code=returned.code,
                code_verifier=attempt.verifier,
            ),
            redirect_uri,
        )
        claims = self._id_token(token, attempt.nonce)
        claims = self._with_userinfo(said, token, claims)
        return Claims(rules.identity_of(self.provider, claims), _text(token, "refresh_token"))

    def again(self, refresh_token: str, subject: str) -> Claims:
        """What the provider says of someone now.

        Raises Refused when it does not vouch for them any more.
        """
        said = self.metadata()
        token = self._ask(
            lambda client: client.refresh_token(said.token_endpoint, refresh_token), ""
        )
        claims = self._id_token(token, None) if token.get("id_token") else {"sub": subject}
        claims = self._with_userinfo(said, token, claims)
        if claims.get("sub") != subject:
            raise Refused(f"{self.provider.label} answered about someone else")
        renewed = _text(token, "refresh_token") or refresh_token
        known = rules.identity_of(self.provider, claims) if len(claims) > 1 else None
        return Claims(known, renewed)

    def metadata(self) -> Metadata:
        """What the provider says of itself. Raises Unreachable, or Denied for what does not fit."""
        return self._said.get(FRESH)

    def _ask_metadata(self) -> Metadata:
        url = f"{self.provider.issuer.rstrip('/')}/.well-known/openid-configuration"
        said = _decoded(self._get(url), Metadata, self.provider)
        if said.issuer != self.provider.issuer:
            raise Denied(
                f"{self.provider.label} calls itself {said.issuer}; the setting issuer says "
                f"{self.provider.issuer}. They have to be the same, to the last character."
            )
        return said

    def _check_answer(self, said: Metadata, returned: Returned) -> None:
        """What comes back by way of the browser (RFC 6749 section 4.1.2, RFC 9207)."""
        if returned.issuer and returned.issuer != said.issuer:
            raise Denied("the answer is of another provider than was asked")
        if said.authorization_response_iss_parameter_supported and not returned.issuer:
            raise Denied(f"the answer does not say that it is of {self.provider.label}")
        if returned.error:
            raise Denied(f"{self.provider.label} did not let you in: {returned.error[:100]}")
        if not returned.code:
            raise Denied(f"{self.provider.label} sent you back without a code")

    def _ask(self, ask: Any, redirect_uri: str) -> dict[str, Any]:
        """A token request. Raises Refused when the grant is not valid (any more)."""
        from authlib.oauth2.base import OAuth2Error

        try:
            return ask(self._client(redirect_uri))
        except OAuth2Error as error:
            words = f"{self.provider.label} refused: {error.error or 'no reason given'}"
            if error.error == "invalid_grant":
                raise Refused(words) from error
            raise Denied(words) from error
        except (ValueError, TypeError, LookupError) as error:
            raise outgoing.Unreachable(
                f"{self.provider.label} gave an answer that is no token"
            ) from error

    def _client(self, redirect_uri: str) -> Any:
        from authlib.oauth2.client import OAuth2Client

        provider, said = self.provider, self.metadata()
        method = None  # Authlib's: basic with a secret, none without
        offered = said.token_endpoint_auth_methods_supported
        if provider.client_secret and "client_secret_basic" not in offered:
            method = "client_secret_post"
        return OAuth2Client(
            Sender(self.trusted),
            client_id=provider.client_id,
            client_secret=provider.client_secret,
            token_endpoint_auth_method=method,
            scope=" ".join(self._scopes(said)),
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )

    def _scopes(self, said: Metadata) -> list[str]:
        """What is asked for; `offline_access` where there is such, so that we can ask again."""
        wanted = ["openid", *self.provider.scopes]
        if "offline_access" in said.scopes_supported:
            wanted.append("offline_access")
        return list(dict.fromkeys(wanted))

    def _id_token(self, token: Mapping[str, Any], nonce: str | None) -> dict[str, Any]:
        """The claims of an ID token that holds (OpenID Connect Core 1.0, section 3.1.3.7)."""
        from authlib.oidc.core import CodeIDToken
        from joserfc.errors import JoseError

        text = _text(token, "id_token")
        if text is None:
            raise Denied(f"{self.provider.label} did not say who you are: there is no ID token")
        try:
            found = self._decoded(text)
            claims = CodeIDToken(
                found.claims,
                found.header,
                options={
                    "iss": {"essential": True, "value": self.provider.issuer},
                    "aud": {"essential": True, "value": self.provider.client_id},
                },
                params={
                    "nonce": nonce,
                    "client_id": self.provider.client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(leeway=LEEWAY)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise Denied(
                f"what {self.provider.label} says of you does not hold: {type(error).__name__}"
            ) from error
        return dict(claims)

    def _decoded(self, text: str) -> Any:
        """An ID token whose signature is of one of the provider's keys; new keys are looked up."""
        from joserfc import jwt
        from joserfc.errors import JoseError

        try:
            return jwt.decode(text, self._keys.get(FRESH), algorithms=list(ALGORITHMS))
        except (JoseError, ValueError):
            keys = self._keys.get(LEEWAY)  # perhaps it signs with another one since
            return jwt.decode(text, keys, algorithms=list(ALGORITHMS))

    def _ask_keys(self) -> Any:
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        reply = self._get(self.metadata().jwks_uri)
        try:
            return KeySet.import_key_set(json.loads(reply.body))
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise outgoing.Unreachable(
                f"{self.provider.label} gave keys that cannot be read: {type(error).__name__}"
            ) from error

    def _with_userinfo(
        self, said: Metadata, token: Mapping[str, Any], claims: dict[str, Any]
    ) -> dict[str, Any]:
        """The claims with those that a provider tells at its userinfo endpoint only."""
        access = _text(token, "access_token")
        if not said.userinfo_endpoint or not access:
            return claims
        if all(rules.claim(claims, path) is not None for path in self._wanted()):
            return claims
        reply = outgoing.fetch(
            "GET",
            said.userinfo_endpoint,
            {"Authorization": f"Bearer {access}", "Accept": "application/json"},
            trusted=self.trusted,
        )
        if reply.status in (401, 403):
            raise Refused(f"{self.provider.label} does not tell of this person any more")
        more = _decoded(reply, dict[str, Any], self.provider)
        if more.get("sub") != claims.get("sub"):
            raise Denied(f"{self.provider.label} answered about someone else")
        return {**claims, **more}

    def _wanted(self) -> tuple[str, ...]:
        return ("email", "name", self.provider.user_claim, self.provider.groups_claim)

    def _get(self, url: str) -> Reply:
        reply = outgoing.fetch("GET", url, {"Accept": "application/json"}, trusted=self.trusted)
        if reply.status != OK:
            raise outgoing.Unreachable(
                f"{self.provider.label} answered {url} with the status {reply.status}"
            )
        return reply


def _decoded(reply: Reply, kind: Any, provider: Provider) -> Any:
    try:
        return msgspec.json.decode(reply.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise outgoing.Unreachable(
            f"{provider.label} gave an answer that cannot be read: {error}"
        ) from error


def _text(values: Mapping[str, Any], name: str) -> str | None:
    value = values.get(name)
    return value if isinstance(value, str) and value else None


class Providers:
    """Our sides of all providers of some settings."""

    def __init__(self, providers: tuple[Provider, ...]) -> None:
        self._sides = {one.name: Relying(one) for one in providers}

    def __getitem__(self, name: str) -> Relying:
        """Raises NotFound for a provider that is not configured."""
        if name not in self._sides:
            raise NotFound(f"there is no provider of sign-in called {name[:40]!r}")
        return self._sides[name]


_known: dict[bytes, Providers] = {}


def providers_of(settings: Settings) -> Providers:
    """Our sides of the providers of these settings, the same ones in the life of a process."""
    key = msgspec.json.encode(settings.sign_in)
    return _known.setdefault(key, Providers(settings.sign_in))
