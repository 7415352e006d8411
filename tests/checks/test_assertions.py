"""Assertions: what they say of values, what a catalog is told of them, and what they may cost."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.checks.model.documents import TYPES, CheckSpec, Http
from pilothouse.checks.rules import assertions, names
from pilothouse.checks.rules.expressions import Wrong, compiled

SEEN: dict[str, Any] = {
    "status": 503,
    "header": {"server": "x", "x-b": "1"},
    "body": b'{"items": [1, 2, 3], "state": "paid", "a": {"b": null}}',
    "timing": {"total": timedelta(milliseconds=912.3)},
    "tls": {"expires_in": timedelta(days=12.3)},
}


def check(*expect: str, prefer: tuple[str, ...] = ()) -> CheckSpec:
    return CheckSpec(entity="x", http=Http(url="https://a"), expect=expect, prefer=prefer)


def outcome(expression: str, seen: dict[str, Any] = SEEN) -> tuple[bool, str]:
    judged = assertions.judge(assertions.prepare(check(expression)), seen)
    return judged.expect[0].held, judged.expect[0].why


@pytest.mark.parametrize(
    ("expression", "held", "why"),
    [
        ("status == 503", True, "status was 503"),
        ("status == 200 && json.items.size() > 0", False, "status was 503, json.items was"),
        ("json.items.size() == 3", True, "json.items was [1, 2, 3]"),
        ('timing.total < duration("800ms")', False, "timing.total was 912 ms"),
        ('tls.expires_in > duration("336h")', False, "tls.expires_in was 12.3 days"),
        ('body.contains("paid")', True, 'body was "{'),
        ("json.items.all(x, x > 0)", True, "json.items was"),
        ('json.state.matches("^p[a-z]+$")', True, 'json.state was "paid"'),
        ("json.a.b == null", True, "json.a.b was null"),
        ("has(json.nothing)", False, "json.nothing is absent"),
        ("!(status in [200, 201])", True, "status was 503"),
    ],
)
def test_an_assertion_says_what_its_names_were(expression: str, held: bool, why: str) -> None:
    found = outcome(expression)
    assert found[0] is held
    assert found[1].startswith(why)


@pytest.mark.parametrize(
    ("expression", "absent"),
    [
        ('header["x-cache"] == "HIT"', 'header["x-cache"] is absent'),
        ("json.a.c.d == 1", "json.a.c is absent"),
        ("json.items[7] == 1", "json.items[7] is absent"),
        ('address == "::1"', "address is absent"),
    ],
)
def test_an_absent_key_fails_the_assertion_and_is_named(expression: str, absent: str) -> None:
    assert outcome(expression) == (False, absent)


def test_json_is_not_read_unless_an_expression_asks_for_it() -> None:
    assert outcome("status == 503", SEEN | {"body": b"{"})[0]
    held, why = outcome("json.a == 1", SEEN | {"body": b"{"})
    assert not held
    assert why.startswith("json is absent: the answer is no JSON")


def test_what_is_neither_true_nor_false_does_not_hold() -> None:
    assert outcome("status") == (False, "it is 503, which is neither true nor false")
    assert not outcome("json.state < 1")[0]


@pytest.mark.parametrize(
    ("expression", "column", "words"),
    [
        ("status ==", 10, "unexpected end of the expression"),
        ("1 +\n * 2", 6, "unexpected '*'"),
        ("statsu == 200", 1, "do you mean status?"),
        ('status == 200 && headers["a"] == "b"', 18, "do you mean header?"),
        ('body.match("x")', 6, "do you mean matches?"),
        ("json.all(x, y > 1)", 13, "has no y"),
        ("body.matches(body)", 6, "written out"),
        ('body.matches("a{1000}")', 6, "more than 100 times"),
        ("(" * 40 + "1" + ")" * 40, 31, "nested"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_column(
    expression: str, column: int, words: str
) -> None:
    (problem,) = assertions.problems(check("status == 200", expression))
    assert (problem.field, problem.column) == ("spec.expect[1]", column)
    assert words in problem.message


def test_names_depend_on_the_type() -> None:
    with pytest.raises(Wrong, match="a check of type dns has no status"):
        compiled("status == 200", "dns")
    assert compiled('rcode == "NOERROR"', "dns").names == ("rcode",)


def test_without_expectations_an_error_of_the_server_is_none_that_is_fine() -> None:
    judged = assertions.judge(assertions.prepare(check()), SEEN)
    assert [(one.expression, one.held) for one in judged.expect] == [("status < 400", False)]


@pytest.mark.parametrize(
    "expression",
    [
        "json.all(a, json.all(b, json.all(c, json.all(d, a + b + c + d > 0))))",
        "json.map(a, a + a)" + ".map(a, [a] + [a])" * 40 + ".size() > 0",
        "json.map(a, json.map(b, json)).size() > 0",
        'json.all(a, string(a).matches("x"))',
        'json.map(a, body + body).map(a, a + a + a + a).all(a, a == "")',
    ],
)
def test_a_pathological_expression_is_refused_and_not_waited_for(expression: str) -> None:
    long = SEEN | {"body": b"[" + b",".join([b"7"] * 60_000) + b"]"}
    began = time.perf_counter()
    held, why = outcome(expression, long)
    assert time.perf_counter() - began < 2
    assert (held, why) == (False, "not judged: over an answer of this size it would take too long")


@given(st.text(max_size=60))
def test_any_text_is_compiled_or_refused(text: str) -> None:
    found = assertions.problems(check(text or " "))
    assert all(1 <= problem.column <= len(text) + 2 for problem in found)


@given(st.binary(max_size=200))
def test_any_body_can_be_judged(body: bytes) -> None:
    outcome('json.a.b[0] == 1 || body.contains("x")', SEEN | {"body": body})


def test_every_name_is_told_in_the_docs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "assertions.md").read_text()
    untold = [
        f"{kind} {name}"
        for kind in TYPES
        for name, what in names.of_type(kind).items()
        if name not in names.ALWAYS and f"| `{name}` | {what} |" not in page
    ]
    assert not untold


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ('timing.total < duration("14d")', 26, "two weeks are 336h"),
        ('status == 200 && header["X-Cache"] == "HIT"', 26, 'header["x-cache"]'),
        ('timing.totl < duration("1s")', 8, "do you mean timing.total?"),
        ('"a" in header && tls.expires > duration("1h")', 22, "do you mean tls.expires_in?"),
        ('tls["qq"] == ""', 5, "there are expires_in, subject"),
        ("status.code == 200", 8, "status is a number and has no code"),
        (
            'status == "200"',
            11,
            'status is a number, and "200" is a text: write the number without',
        ),
        ('"200" != status', 1, "a number"),
        ('body == "" || status in [200, "201"]', 31, '"201" is a text'),
        ("timing.total < 800", 16, 'a duration, and 800 is a number: write duration("800ms")'),
        ('header["age"] < 60', 17, "write int(header.age)"),
        ("protocol == true", 13, "true is true or false"),
        ('"a" in header && body.matches("(")', 23, '"(" is no regular expression: unclosed group'),
        ('body.matches("a(?=b)")', 6, "look-ahead"),
    ],
)
def test_what_can_never_hold_is_refused_before_a_visit(text: str, column: int, says: str) -> None:
    with pytest.raises(Wrong, match=re.escape(says)) as refused:
        compiled(text, "http")
    assert refused.value.column == column


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("http", "json.totl.expires == 1 && status + 1 == 2"),
        ("http", 'string(status) == "200" && status == int(header["x"])'),
        ("http", 'timing.total.getMilliseconds() < 800 && body.matches(r"\\d+")'),
        ("http", 'tls.names.exists(status, status == "a") && tls.names[0] == "b"'),
        ("http", "status in json.codes && json.items[0].status == 'x' && tls != null"),
        ("http", 'duration("1s") > timing.total && 200 <= status && !(size == 0.5)'),
        ("grpc", 'status == "SERVING"'),
        ("postgres", 'timing.query < duration("1s") && rows[0].open == "x"'),
        ("smtp", 'timing.ehlo < duration("1s") && timing.quit < duration("1s")'),
        ("journey", 'timing.browser < duration("9s")'),
        ("journey", 'steps["Sign in"] < duration("2s") && third_party.hosts["a.b"] < 5'),
        ("oidc", 'claims.realm.roles[0] == "a" && claims.sub == 1'),
    ],
)
def test_what_may_hold_is_let_through(kind: str, text: str) -> None:
    assert compiled(text, kind).text == text


def test_what_is_known_of_names_is_known_of_each_and_of_no_other() -> None:
    offered = {name for kind in TYPES for name in names.of_type(kind)}
    assert {*names.shapes("http"), "json"} == offered


def test_what_is_told_of_a_value_is_hidden_before_it_is_cut() -> None:
    text = "x" * 75 + "hunter22"
    prepared = assertions.prepare(check('body == ""'))
    judged = assertions.judge(
        prepared, {"body": text}, lambda told, most: told.replace("hunter22", "***")[:most]
    )
    assert "hunt" not in judged.expect[0].why
