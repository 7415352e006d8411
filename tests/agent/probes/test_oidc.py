"""The whole sign-in, at a real provider: oidc-provider from npm, with forms of its own."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from msgspec.structs import replace
from tests.agent.probes.looking import look
from tests.servers import LOOPBACK, dies_with_us, free_port
from tests.system import npm

from pilothouse.agent import forms
from pilothouse.checks.model.documents import Oidc

PACKAGES = Path(__file__).parents[2] / "system" / "oidc"
STEPS = ["Discovery", "Keys", "Authorisation", "Sign-in form", "Token", "ID token", "Userinfo"]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    place = npm.installed(PACKAGES)
    program = place / "signing-in.mjs"
    program.write_bytes((Path(__file__).parent / "provider.mjs").read_bytes())
    port = free_port()
    command = dies_with_us(npm.node(), str(program), str(port))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if b"listening" in line:
                break
        rest = threading.Thread(target=process.stdout.read)
        rest.start()
        yield f"http://{LOOPBACK}:{port}"
        process.kill()
        rest.join()


@pytest.fixture
def spec(issuer: str) -> Iterator[Oidc]:
    yield Oidc(
        issuer=issuer,
        client_id="watch",
        client_secret="a secret & of: tests, only",
        username="maya",
        password="right & proper",
        scope="openid email",
    )
    break_(issuer, "")


def break_(issuer: str, what: str) -> None:
    with urlopen(f"{issuer}/control?broken={what}") as answer:
        assert answer.read() == b"ok"


def test_a_sign_in_is_walked_to_its_end_and_each_step_is_timed(spec: Oidc) -> None:
    seen = look(spec)
    assert (seen.fault, seen.reason) == ("", "")
    assert [step.name for step in seen.steps] == STEPS
    assert all(step.ok and step.ms > 0 for step in seen.steps[:5])
    assert seen.values["claims"]["sub"] == "maya"
    assert seen.values["userinfo"]["email"] == "maya@example.org"
    assert {"connect", "first_byte"} <= set(seen.phases)


def test_a_wrong_password_is_found_out_at_the_form(spec: Oidc) -> None:
    seen = look(replace(spec, password="wrong one"), hidden=("wrong one",))
    assert seen.fault == "auth"
    assert "Sign-in form: the form came again" in seen.reason
    assert [step.ok for step in seen.steps] == [True, True, True, False]


@pytest.mark.parametrize(
    ("what", "fault", "step", "words"),
    [
        ("form", "form", "Sign-in form", "has no form"),
        ("keys", "503", "Keys", "answered 503"),
        ("token", "503", "Token", "answered 503"),
        ("userinfo", "503", "Userinfo", "answered 503"),
    ],
)
def test_what_broke_is_named_by_its_step(
    spec: Oidc, what: str, fault: str, step: str, words: str
) -> None:
    break_(spec.issuer, what)
    seen = look(spec)
    assert (seen.fault, seen.steps[-1].name) == (fault, step)
    assert seen.reason.startswith(f"{step}: ")
    assert words in seen.reason


def test_a_client_that_the_provider_does_not_know_is_refused(spec: Oidc) -> None:
    seen = look(replace(spec, client_id="nobody"))
    assert not seen.steps[-1].ok
    assert seen.steps[-1].name == "Sign-in form"
    assert "answered 400" in seen.reason


def test_nothing_is_asked_that_must_not_be(spec: Oidc) -> None:
    seen = look(spec, allowed=lambda _address, _port: False)
    assert (seen.unable, [step.name for step in seen.steps]) == (True, ["Discovery"])


def test_a_provider_of_another_name_is_not_believed(spec: Oidc) -> None:
    seen = look(replace(spec, issuer=spec.issuer.replace("127.0.0.1", "localhost")))
    assert seen.fault == "oidc"
    assert "it says that it is http://127.0.0.1" in seen.reason


def test_a_form_is_answered_with_what_it_had_and_the_button_that_says_yes() -> None:
    page = """<form method=post action="go?x=1"><input type=hidden name=csrf value="a&amp;b">
      <input name=user><input type=password name=pass><input type=checkbox name=stay value=1>
      <button name=do value=deny>No</button><button name=do value=in>Sign in</button></form>"""
    (form,) = forms.found(page)
    assert form.username is not None
    assert form.password is not None
    assert form.answered({"user": "me"}) == {"csrf": "a&b", "user": "me", "pass": "", "do": "in"}
    assert form.sent("http://x/a/b", {})[:2] == ("POST", "http://x/a/go?x=1")
