"""Decisions of sign-in, whatever they are given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.kernel.actors import Role
from pilothouse.kernel.auth import formats, rules
from pilothouse.kernel.auth.model import NARROW_SCOPES, ROLE_SCOPES, Provider
from pilothouse.kernel.errors import Invalid

NOW = datetime(2026, 11, 23, tzinfo=UTC)
COMPANY = Provider(
    name="company",
    issuer="https://login.example",
    client_id="x",
    groups={"SRE Team": "group:default/sre"},
)
TRICKY = st.text(alphabet="/\\:@?#.%\t\n ahtps0", max_size=30)


@given(TRICKY | st.text(max_size=50))
def test_no_target_leads_to_another_site(target):
    found = rules.same_site(target)
    assert found.startswith("/")
    there = urlsplit(urljoin("https://portal.example/login", found.replace("\\", "/")))
    assert (there.scheme, there.netloc) == ("https", "portal.example")


@given(st.from_regex(r"/[a-z0-9/]{0,20}(\?[a-z]=[a-z]{1,5})?", fullmatch=True))
def test_a_path_of_ours_stays_as_it_is(target):
    if not target.startswith(("//", "/login", "/logout")):
        assert rules.same_site(target) == target


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_token_is_found_wherever_it_stands(before, after):
    secret = formats.new_token()
    text = f"{before} {secret} {after}"
    assert rules.has_token(text)
    assert secret not in rules.without_token(text)


@given(st.sets(st.sampled_from([*ROLE_SCOPES, *NARROW_SCOPES])), st.sampled_from(list(Role)))
def test_scopes_never_give_more_than_the_person_has(scopes, most):
    assert rules.role_of(scopes, most) <= most
    assert all(NARROW_SCOPES[scope] <= most for scope in rules.narrow_of(scopes, most))


@given(st.integers(0, 10_000), st.integers(1, 10_000), st.integers(1, 10_000))
def test_a_session_ends_by_disuse_or_age_whichever_is_sooner(passed, idle, lifetime):
    ended = rules.session_ends(
        NOW + timedelta(seconds=passed),
        NOW,
        NOW + timedelta(seconds=lifetime),
        timedelta(seconds=idle),
    )
    assert ended == (passed >= min(idle, lifetime))


@pytest.mark.parametrize(
    "password",
    ["", "short", "x" * 1025, "maya-maya-12", "aaaaaaaaaaaaaaaa", "abababababab", "MAYA12345678"],
)
def test_weak_passwords_are_refused_in_words(password):
    with pytest.raises(Invalid, match="password"):
        rules.check_password(password, "maya")


@pytest.mark.parametrize("password", ["the quick brown otter", "correct horse", "ünïcödë words"])
def test_long_passwords_of_any_characters_are_taken(password):
    rules.check_password(password, "maya")


@pytest.mark.parametrize("name", ["", "a b", "-x", "x-", "<x>", "a" * 65, "a/b", "a:b", "ä", "a\n"])
def test_names_that_could_be_mistaken_are_refused(name):
    with pytest.raises(Invalid):
        rules.check_name(name)


@pytest.mark.parametrize("name", ["maya", "Maya.Okafor", "m@example.org", "a", "a_b+c"])
def test_names_are_compared_in_lower_case(name):
    assert rules.check_name(name) == name.lower()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine
@given(st.dictionaries(st.sampled_from(["sub", "email", "email_verified", "groups", "name", "preferred_username"]), JSON))  # noqa: E501  # fmt: skip
def test_any_claims_name_somebody_or_are_refused(claims):
    try:
        found = rules.identity_of(COMPANY, claims)
    except Invalid:
        return
    assert found.subject == claims["sub"]
    assert len(found.name) <= 200
    assert found.email == "" or claims["email_verified"] in (True, "true")
    rules.teams_by_groups(COMPANY, found.groups)


def test_an_address_that_is_not_verified_is_nobodys():
    claims = {"sub": "1", "email": "boss@example.org", "email_verified": False}
    assert rules.identity_of(COMPANY, claims).email == ""
    assert rules.identity_of(COMPANY, {**claims, "email_verified": True}).email


def test_claims_are_found_by_dots_into_objects_and_by_whole_names():
    claims = {"realm": {"roles": ["a"]}, "https://x.example/groups": ["b"]}
    assert rules.claim(claims, "realm.roles") == ["a"]
    assert rules.claim(claims, "https://x.example/groups") == ["b"]
    assert rules.claim(claims, "realm.none.deeper") is None


def test_groups_are_teams_by_the_settings_or_by_their_name():
    groups = ["SRE Team", "payments", "/nested/path", "user:default/not-a-team", ""]
    assert rules.teams_by_groups(COMPANY, groups) == [
        "group:default/sre",
        "group:default/payments",
    ]


@given(st.text(min_size=1, max_size=200))
def test_what_is_sealed_opens_with_the_same_key_only(text):
    sealed = formats.sealed("k" * 40, text)
    assert text not in sealed or len(text) < 5
    assert formats.opened("k" * 40, sealed) == text
    assert formats.opened("j" * 40, sealed) is None
    assert formats.opened("k" * 40, sealed[:-2] + "xx") is None
    assert formats.opened("k" * 40, "junk") is None


def test_secrets_are_of_256_bits_and_no_two_alike():
    made = {formats.new_token() for _ in range(1000)}
    assert len(made) == 1000
    assert {len(one) for one in made} == {3 + 43}
