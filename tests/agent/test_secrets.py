"""Secrets: filled in at the agent, and nowhere to be read afterwards."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.agent.secrets import Missing, Redactor, Secrets
from pilothouse.checks.model.documents import Basic, CheckSpec, Http, Journey
from pilothouse.kernel.errors import Invalid


def check(**http: object) -> CheckSpec:
    return CheckSpec(entity="x", http=Http(url="https://a", **http))  # pyright: ignore[reportArgumentType]


def test_they_come_from_the_environment_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text('# ours\nTOKEN = "from file"\n')
    secrets = Secrets(file, {"PILOTHOUSE_SECRET_OTHER_ONE": "from environment"})
    spec, redact = secrets.fill(
        check(headers={"a": "Bearer ${secret:TOKEN}"}, body="${secret:OTHER-ONE}")
    )
    assert spec.http is not None
    assert (spec.http.headers["a"], spec.http.body) == ("Bearer from file", "from environment")
    assert redact("it said from file") == "it said ***"


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text("TOKEN=first\n")
    secrets = Secrets(file, {})
    file.write_text("TOKEN=the second\n")
    os.utime(file, (1, 1))
    secrets.refresh()
    assert (secrets.get("TOKEN"), secrets.version) == ("the second", 2)


def test_a_missing_one_is_told_with_what_to_do() -> None:
    with pytest.raises(Missing, match="set PILOTHOUSE_SECRET_SHOP_TOKEN where it runs"):
        Secrets(environment={}).fill(check(bearer="${secret:SHOP-TOKEN}"))


def test_a_file_that_is_none_does_not_show_its_lines(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text("hunter22\n")
    with pytest.raises(Invalid) as raised:
        Secrets(file, {})
    assert "line 1" in str(raised.value)
    assert "hunter22" not in str(raised.value)


def test_in_code_a_value_cannot_end_the_text_it_stands_in() -> None:
    code = 'word = "${secret:WORD}"\n'
    secrets = Secrets(environment={"PILOTHOUSE_SECRET_WORD": "a\"b\\'\n"})
    spec, _ = secrets.fill(CheckSpec(entity="x", journey=Journey(code=code)))
    assert spec.journey is not None
    found: dict[str, str] = {}
    exec(spec.journey.code, found)
    assert found["word"] == "a\"b\\'\n"


@given(st.text(st.characters(codec="utf-8"), min_size=8, max_size=40), st.text(max_size=10))
def test_no_form_of_a_secret_is_left_in_a_text(secret: str, before: str) -> None:
    redact = Redactor([secret])
    pair = base64.b64encode(f"user:{secret}".encode()).decode()
    told = redact(f"{before}{secret}|{quote(secret, safe='')}|{pair}")
    assert secret not in told.replace("***", "")
    assert pair not in told


def test_what_is_too_short_is_left_or_all_would_go() -> None:
    assert Redactor(["a"])("a banana") == "a banana"


def test_basic_passwords_are_filled_in() -> None:
    secrets = Secrets(environment={"PILOTHOUSE_SECRET_PW": "opensesame"})
    spec, _ = secrets.fill(check(basic=Basic(username="me", password="${secret:PW}")))
    assert spec.http is not None
    assert spec.http.basic == Basic(username="me", password="opensesame")


@given(st.text("abc", min_size=8, max_size=12), st.lists(st.text("xyz", max_size=9), max_size=9))
def test_a_text_that_is_cut_has_no_half_of_a_secret(secret: str, between: list[str]) -> None:
    redact = Redactor([secret])
    text = secret.join(["", *between, "", ""]) * 9
    for most in (1, 10, 40):
        assert not set(redact.beginning(text, most).replace("***", "")) & set("abc")


def test_what_was_learned_on_a_visit_is_of_that_visit() -> None:
    known = Redactor(["hunter22"])
    visit = known.again()
    visit.learn("token-1", "")
    assert visit("hunter22 token-1") == "*** ***"
    assert known("hunter22 token-1") == "*** token-1"
