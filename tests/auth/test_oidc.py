"""A provider that lies, or that someone pretends to be: nobody gets in by what it says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest
from joserfc import jwk, jwt

from pilothouse.kernel import clock
from pilothouse.kernel.auth.model import Attempt, Provider
from pilothouse.kernel.auth.outside import remembered
from pilothouse.kernel.auth.outside.oidc import Refused, Relying, Returned
from pilothouse.kernel.errors import Denied, PilothouseError
from pilothouse.kernel.outgoing import Forbidden, Unreachable

KEY = jwk.RSAKey.generate_key(2048, {"kid": "one"}, private=True)
OTHER = jwk.RSAKey.generate_key(2048, {"kid": "one"}, private=True)
ATTEMPT = Attempt("forged", "the nonce", "the verifier", "", "/", clock.now())
CODE = Returned(code="the code")


@dataclass(slots=True)
class Forger:
    """A provider whose every answer can be changed."""

    url: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: KEY)
    algorithm: str = "RS256"
    id_token: str | None = None
    raw: bytes | None = None
    asked: list[str] = field(default_factory=list)

    def relying(self, **changes: Any) -> Relying:
        given = {"name": "forged", "issuer": self.url, "client_id": "us", "client_secret": "s"}
        return Relying(Provider(**{**given, **changes}))

    def answer(self, path: str) -> Any:
        self.asked.append(path)
        match path:
            case "/.well-known/openid-configuration":
                said = {
                    "issuer": self.url,
                    "authorization_endpoint": f"{self.url}/authorize",
                    "token_endpoint": f"{self.url}/token",
                    "jwks_uri": f"{self.url}/keys",
                    "userinfo_endpoint": f"{self.url}/me",
                }
                return {**said, **self.metadata}
            case "/keys":
                return {"keys": [KEY.as_dict(private=False)]}
            case "/token":
                return {"access_token": "a", "token_type": "Bearer", "id_token": self.signed()}
            case _:
                return {"sub": "maya", "email": "maya@example.org", **self.userinfo}

    def signed(self) -> str:
        if self.id_token is not None:
            return self.id_token
        now = int(time.time())
        claims = {
            "iss": self.url, "sub": "maya", "aud": "us", "nonce": "the nonce",
            "iat": now, "exp": now + 60, **self.claims,
        }  # fmt: skip
        kept = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.algorithm, "kid": "one"}
        return jwt.encode(header, kept, self.key, algorithms=[self.algorithm])


@contextmanager
def served(forger: Forger) -> Iterator[Forger]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = forger.raw or json.dumps(forger.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    forger.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield forger
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def forger() -> Iterator[Forger]:
    with served(Forger()) as running:
        yield running


def test_what_holds_is_believed(forger):
    claims = forger.relying().arrive("http://us/callback", CODE, ATTEMPT)
    assert claims.identity.subject == "maya"
    assert claims.refresh_token is None


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "someone-else"},
        {"aud": None},
        {"aud": ["us", "them"], "azp": "them"},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 300},
        {"sub": 7},
        {"nbf": int(time.time()) + 3600},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
)
def test_claims_that_do_not_hold_let_nobody_in(forger, claims):
    forger.claims = claims
    with pytest.raises(PilothouseError):
        forger.relying().arrive("http://us/callback", CODE, ATTEMPT)


def test_a_signature_of_another_key_lets_nobody_in(forger):
    forger.key = OTHER
    with pytest.raises(Denied, match="does not hold"):
        forger.relying().arrive("http://us/callback", CODE, ATTEMPT)


def test_a_public_key_is_not_a_password(forger):
    """HS256 with the text of the public key, which everybody has."""
    public = json.dumps(KEY.as_dict(private=False)).encode()
    forger.algorithm, forger.key = "HS256", jwk.OctKey.import_key(public, {"kid": "one"})
    with pytest.raises(Denied):
        forger.relying().arrive("http://us/callback", CODE, ATTEMPT)


@pytest.mark.parametrize("token", ["", "a.b.c", "e30.e30.", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtIn0."])
def test_an_id_token_without_a_signature_lets_nobody_in(forger, token):
    forger.id_token = token
    with pytest.raises(Denied):
        forger.relying().arrive("http://us/callback", CODE, ATTEMPT)


def test_userinfo_of_someone_else_is_refused(forger):
    forger.userinfo = {"sub": "the-boss", "groups": ["platform"]}
    with pytest.raises(Denied, match="someone else"):
        forger.relying().arrive("http://us/callback", CODE, ATTEMPT)


def test_a_provider_that_calls_itself_otherwise_is_not_the_one(forger):
    forger.metadata = {"issuer": "https://evil.example"}
    with pytest.raises(Denied, match="calls itself"):
        forger.relying().metadata()


@pytest.mark.parametrize(
    "where",
    [
        "http://127.0.0.1:1/", "http://169.254.169.254/latest", "https://127.0.0.1/",
        "file:///etc", "https://[::1]/", "https://10.0.0.1/token", "gopher://x/",
        "http://localhost:22/",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri", "userinfo_endpoint"])
def test_discovery_does_not_send_us_to_what_only_we_can_reach(forger, name, where):
    forger.metadata = {name: where}
    with pytest.raises((Forbidden, Unreachable)) as refused:
        forger.relying().arrive("http://us/callback", CODE, ATTEMPT)
    assert not isinstance(refused.value, Unreachable) or "did not answer" not in str(refused.value)


def test_discovery_does_not_send_browsers_to_what_is_no_address(forger):
    for where in ("javascript:alert(1)", "http://evil.example/", "https://10.0.0.1/"):
        forger.metadata = {"authorization_endpoint": where}
        with pytest.raises(PilothouseError):
            forger.relying().leave("http://us/callback", "state", ATTEMPT)


def test_an_issuer_that_is_not_https_is_refused_unless_it_is_this_machine():
    with pytest.raises(PilothouseError):
        Relying(Provider(name="x", issuer="ftp://x.example", client_id="us"))
    plain = Relying(Provider(name="x", issuer="http://10.0.0.1:9", client_id="us"))
    with pytest.raises(Forbidden, match="only https"):
        plain.metadata()


@pytest.mark.parametrize("raw", [b"<html>", b"[]", b"null", b"{}", b"\xff\xfe", b'{"issuer": 1}'])
def test_an_answer_that_cannot_be_read_is_told(forger, raw):
    forger.raw = raw
    with pytest.raises(PilothouseError, match="forged"):
        forger.relying().metadata()


def test_who_is_refreshed_is_the_one_who_was(forger):
    forger.claims = {"nonce": None}
    found = forger.relying().again("a token", "maya")
    assert found.identity.email == ""
    with pytest.raises(Refused, match="someone else"):
        forger.relying().again("a token", "tom")


def test_what_a_provider_says_of_itself_is_asked_once(forger):
    side = forger.relying()
    for _ in range(3):
        side.arrive("http://us/callback", CODE, ATTEMPT)
    assert forger.asked.count("/.well-known/openid-configuration") == 1
    assert forger.asked.count("/keys") == 1


def test_a_provider_that_fails_is_asked_again_after_a_while_only(forger, monkeypatch):
    side = forger.relying()
    forger.metadata = {"issuer": "https://evil.example"}
    for _ in range(3):
        with pytest.raises(Denied, match="calls itself"):
            side.metadata()
    assert forger.asked.count("/.well-known/openid-configuration") == 1
    forger.metadata = {}
    monkeypatch.setattr(remembered, "FAILED", 0.0)
    assert side.metadata().issuer == forger.url


def test_one_asks_and_the_others_do_not_wait_for_it_long(monkeypatch):
    monkeypatch.setattr(remembered, "WAIT", 0.05)
    answering, asked = threading.Event(), threading.Event()

    class Slow(Forger):
        def answer(self, path: str) -> Any:
            asked.set()
            assert answering.wait(20)
            return super().answer(path)

    with served(Slow()) as slow:
        side, found = slow.relying(), []
        first = threading.Thread(target=lambda: found.append(side.metadata()))
        first.start()
        assert asked.wait(20)
        for _ in range(3):
            with pytest.raises(Unreachable, match="slow to answer"):
                side.metadata()
        assert first.is_alive()
        answering.set()
        first.join()
        assert side.metadata() is found[0]
        assert slow.asked == ["/.well-known/openid-configuration"]


@pytest.mark.parametrize("keys", [[], {"keys": 1}, {"keys": [{"kty": "none"}]}, {}])
def test_keys_that_cannot_be_read_let_nobody_in(keys):
    class Keyless(Forger):
        def answer(self, path: str) -> Any:
            return keys if path == "/keys" else super().answer(path)

    with served(Keyless()) as forger, pytest.raises(PilothouseError):
        forger.relying().arrive("http://us/callback", CODE, ATTEMPT)


def test_a_secret_is_in_no_error(forger):
    side = forger.relying(client_secret="very-secret-indeed")
    forger.claims = {"aud": "other"}
    with pytest.raises(Denied) as refused:
        side.arrive("http://us/callback", CODE, ATTEMPT)
    assert "very-secret" not in f"{refused.value!r} {refused.value.__cause__!r}"
    assert msgspec.structs.asdict(side.provider)["client_secret"]
