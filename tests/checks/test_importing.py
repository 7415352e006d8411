"""Configurations of Gatus and blackbox_exporter become checks, and what cannot is said."""

from __future__ import annotations

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.checks.configurations import BLACKBOX, GATUS, PROMETHEUS

from pilothouse.checks.formats import blackbox, conditions, gatus
from pilothouse.checks.formats.imported import Imported, duration, milliseconds, write
from pilothouse.checks.model.documents import CheckSpec, Heartbeat, Http, Smtp, Tcp
from pilothouse.checks.rules import fitness
from pilothouse.kernel.errors import Invalid

NOWHERE = fitness.Places(frozenset(), frozenset())


def _by_name(found: Imported) -> dict[str, CheckSpec]:
    return {draft.name: draft.spec for draft in found.drafts}


@pytest.mark.parametrize(
    "found",
    [gatus.read(GATUS), blackbox.read(blackbox.Config(BLACKBOX, PROMETHEUS))],
    ids=["gatus", "blackbox"],
)
def test_every_check_that_is_made_is_fit_to_be_visited_and_reads_back_as_it_was(
    found: Imported,
) -> None:
    documents = list(yaml.safe_load_all(write(found.drafts)))
    assert [one["kind"] for one in documents] == ["Check"] * len(found.drafts)
    for document, draft in zip(documents, found.drafts, strict=True):
        assert msgspec.convert(document["spec"], CheckSpec) == draft.spec
        assert fitness.of_check(draft.spec, NOWHERE) == []


def test_endpoints_of_gatus_become_checks_of_their_types() -> None:
    specs = _by_name(gatus.read(GATUS))
    assert {name: spec.type for name, spec in specs.items()} == {
        "shop-front-end": "http",
        "search": "http",
        "names": "dns",
        "bastion": "tcp",
        "gateway": "icmp",
        "database": "tcp",
        "mail": "smtp",
        "vault": "tls",
        "prices": "websocket",
        "shop-backup": "heartbeat",
    }
    front = specs["shop-front-end"]
    assert front.entity == "component:default/shop"
    assert (front.every, front.timeout) == ("5m", "3s")  # by a merge
    assert (front.verdict.down_after, front.verdict.up_after) == (4, 3)
    assert [(one.start, one.lasts) for one in front.maintenance] == [
        ("2024-01-01T23:00", "90m"),
        ("2024-01-04T23:00", "90m"),
    ]
    assert front.expect == (
        "status in [200, 204]",
        'json.status == "UP"',
        'json.pools[0]["user-id"] == 7',
        "json.items.size() > 0",
        "!has(json.errors)",
        'body.contains("<h1>Shop</h1>")',
        'timing.total < duration("300ms")',
        'tls.expires_in > duration("48h")',
    )
    assert specs["names"].expect == (
        'rcode == "NOERROR"',
        'answers.exists(a, a == "192.0.2.7")',
    )
    assert specs["shop-backup"].heartbeat == Heartbeat(period="1d")
    assert specs["bastion"].tcp == Tcp(host="bastion.example", port=22, read=True)


def test_secrets_and_variables_do_not_come_into_documents() -> None:
    specs, text = _by_name(gatus.read(GATUS)), write(gatus.read(GATUS).drafts)
    http = specs["shop-front-end"].http
    assert http is not None
    assert http.headers == {
        "authorization": "Bearer ${secret:FRONT_END_AUTHORIZATION}",
        "x-region": "${secret:REGION}",
    }
    assert "abc" not in text
    asked = blackbox.read(blackbox.Config(BLACKBOX, PROMETHEUS))
    assert "hush" not in write(asked.drafts)


def test_what_has_no_counterpart_is_said_with_its_line() -> None:
    said = [str(one) for one in gatus.read(GATUS).untranslated]
    lines = GATUS.decode().splitlines()
    for text, word in (
        ("storage", "storage"),
        ("alerting.slack", "slack"),
        ("DOMAIN_EXPIRATION", "DOMAIN_EXPIRATION"),
        ("client.proxy-url", "proxy-url"),
        ("udp://game.example", "udp"),
        ("old: enabled", "enabled: false"),
        ("told: heartbeat", "told"),
        ("suites: buy", "buy"),
        ("interval: 2s is shorter", "database"),
    ):
        one = next(line for line in said if text in line)
        number = int(one.removeprefix("line ").partition(":")[0])
        near = lines[max(number - 2, 0) : number + 1]
        assert any(word in line for line in near), (one, near)


def test_modules_of_blackbox_are_asked_of_the_targets_of_prometheus() -> None:
    found = blackbox.read(blackbox.Config(BLACKBOX, PROMETHEUS))
    specs = _by_name(found)
    assert {name: spec.type for name, spec in specs.items()} == {
        "web-shop-example": "http",
        "web-plain-example": "http",
        "mixed-mail-example-587": "smtp",
        "mixed-bastion-example-22": "tcp",
        "mixed-192-0-2-53": "dns",
        "mixed-192-0-2-1": "icmp",
        "mixed-cart-example-8443": "grpc",
    }
    shop = specs["web-shop-example"]
    assert (shop.entity, shop.every, shop.timeout) == ("component:default/shop", "1m", "5s")
    assert shop.http is not None
    assert shop.http.basic is not None
    assert shop.expect == (
        "status in [200, 204]",
        'body.matches("in stock")',
        'header["x-cache"].matches("^HIT")',
    )
    assert specs["mixed-mail-example-587"].smtp == Smtp(
        host="mail.example", port=587, tls="starttls"
    )
    assert specs["mixed-192-0-2-1"].timeout == "8s"
    said = "\n".join(map(str, found.untranslated))
    for words in (
        "modules: unused: no target asks it",
        "fail_if_not_ssl: http://plain.example is not encrypted",
        "ca_file: agents read no such file",
        "file_sd_configs",
        "payload_size",
        "validate_answer_rrs",
        "ANY is not asked here",
        "there is no module 'nowhere'",
    ):
        assert words in said


def test_without_targets_nothing_is_made_and_each_module_says_so() -> None:
    found = blackbox.read(blackbox.Config(BLACKBOX))
    assert found.drafts == ()
    assert len(found.untranslated) == 7


def test_one_entity_can_be_named_for_all() -> None:
    found = gatus.read(GATUS, "component:default/shop-web")
    assert {draft.spec.entity for draft in found.drafts} == {"component:default/shop-web"}
    assert isinstance(found.drafts[0].spec.http, Http)


@pytest.mark.parametrize(
    ("condition", "expression"),
    [
        ("[STATUS] < 300", "status < 300"),
        ("200 == [STATUS]", "status == 200"),
        ("[STATUS] != any(500, 503)", "!(status in [500, 503])"),
        ("[BODY].name == any(a, b)", 'json.name in ["a", "b"]'),
        ("[BODY].name != pat(jo*n)", '!string(json.name).matches("(?s)^jo.*n$")'),
        ("[IP] == pat(10.*)", 'address.startsWith("10.")'),
        ("has([BODY].a.b-c) == true", '("b-c" in json.a)'),
        ("[BODY].a == [BODY].b", "json.a == json.b"),
        ("len([BODY]) == 0", "body.size() == 0"),
        ("[CERTIFICATE_EXPIRATION] > 30d", 'tls.expires_in > duration("720h")'),
        ("[RESPONSE_TIME] <= 1500", 'timing.total <= duration("1500ms")'),
        ("[CONNECTED] == true", ""),
        ("[BODY].ok == true", "json.ok == true"),
    ],
)
def test_conditions_are_said_in_cel(condition: str, expression: str) -> None:
    assert conditions.translated(condition) == expression


@given(st.text(max_size=60))
def test_a_condition_is_translated_or_refused_with_a_reason(condition: str) -> None:
    try:
        said: object = conditions.translated(condition)
    except conditions.NoCounterpart as error:
        said = str(error) or None
    assert isinstance(said, str)


@given(st.binary(max_size=300))
def test_what_is_no_configuration_is_refused_in_words(data: bytes) -> None:
    for read in (gatus.read, lambda data: blackbox.read(blackbox.Config(data, data))):
        try:
            said: object = read(data)
        except Invalid as error:
            said = str(error)
        assert said


@pytest.mark.parametrize(
    ("written", "ours"),
    [("60s", "1m"), ("1h30m", "90m"), ("500ms", "500ms"), ("24h", "1d"), ("0s", None), ("x", None)],
)
def test_durations_are_written_in_the_largest_whole_unit(written: str, ours: str | None) -> None:
    assert duration(written) == ours
    assert ours is None or milliseconds(ours) == milliseconds(written)
