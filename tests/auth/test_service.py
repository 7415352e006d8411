"""People, sessions and tokens on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from tests.auth.browsing import HASHED

from pilothouse.kernel.actors import Identity, Role
from pilothouse.kernel.auth import jobs, store
from pilothouse.kernel.auth.formats import digest
from pilothouse.kernel.auth.model import LOCAL, Asked, Attempt, Provider
from pilothouse.kernel.auth.service import asking, auditing, people, staying, tokens
from pilothouse.kernel.auth.service.staying import Browser
from pilothouse.kernel.errors import Conflict, Denied, Invalid, NotFound

KEYCLOAK = Provider(
    name="keycloak",
    issuer="https://login.example",
    client_id="pilothouse",
    roles={"platform": "admin", "on-call": "responder"},
)
MAYA = Identity("keycloak", "1234", "maya", "Maya", "maya@example.org", ("payments",))
IDLE, LIFETIME = timedelta(hours=1), timedelta(days=1)
KNOWN = frozenset({LOCAL, "keycloak"})


def at(tx, **later):
    return replace(tx, now=tx.now + timedelta(**later))


def a_person(tx, name="tom", role=Role.VIEWER):
    return people.add_local(tx, Identity(LOCAL, name, name), role, HASHED)


def signed_in(tx, person):
    return staying.begin(tx, person, Browser(), LIFETIME, "password")


def test_a_person_of_a_provider_is_one_person_however_often_they_come(db):
    with db.begin() as tx:
        first = people.welcome(tx, KEYCLOAK, MAYA, "viewer")
        again = people.welcome(tx, KEYCLOAK, msgspec.structs.replace(MAYA, name="may"), "viewer")
    assert again.id == first.id
    assert (first.name, again.name) == ("maya", "may")


@pytest.mark.parametrize(
    ("groups", "role"),
    [((), 1), (("payments",), 1), (("on-call",), 2), (("on-call", "platform"), 4)],
)
def test_groups_give_the_highest_of_their_roles_anew_each_time(db, groups, role):
    with db.begin() as tx:
        people.welcome(tx, KEYCLOAK, msgspec.structs.replace(MAYA, groups=("platform",)), "viewer")
        now = people.welcome(tx, KEYCLOAK, msgspec.structs.replace(MAYA, groups=groups), "viewer")
        assert store.people.person(tx.conn, now.id).role == role


def test_a_provider_lets_in_whose_group_may(db):
    picky = msgspec.structs.replace(KEYCLOAK, allowed_groups=("staff",))
    with db.begin() as tx:
        with pytest.raises(Denied, match="none of their groups"):
            people.welcome(tx, picky, MAYA, "viewer")
        assert store.people.person_of(tx.conn, "keycloak", "1234") is None
        people.welcome(tx, picky, msgspec.structs.replace(MAYA, groups=("staff",)), "viewer")


def test_a_session_is_known_by_its_secret_only(db):
    with db.begin() as tx:
        person = a_person(tx)
        secret = signed_in(tx, person)
        found = asking.by_session(tx, secret, IDLE, KNOWN)
        assert found is not None
        assert found.person.id == person.id
        assert found.actor.id == "local:tom"
        for wrong in (secret[:-1], secret + "a", digest(secret), "", found.session.id):
            assert asking.by_session(tx, wrong, IDLE, KNOWN) is None


def test_a_session_ends_unused_by_age_and_with_its_provider(db):
    with db.begin() as tx:
        secret = signed_in(tx, a_person(tx))
        assert asking.by_session(at(tx, minutes=59), secret, IDLE, KNOWN)
        assert asking.by_session(at(tx, minutes=60), secret, IDLE, KNOWN) is None
        assert asking.by_session(at(tx, minutes=59), secret, IDLE, frozenset({"keycloak"})) is None
        for minutes in range(30, 24 * 60, 30):
            moved = at(tx, minutes=minutes)
            asking.touch(moved, asking.by_session(moved, secret, IDLE, KNOWN))
        assert asking.by_session(at(tx, hours=24), secret, IDLE, KNOWN) is None


def test_a_person_who_is_gone_has_no_session_and_no_token_until_they_are_back(db):
    with db.begin() as tx:
        person = people.welcome(tx, KEYCLOAK, MAYA, "viewer")
        secret = signed_in(tx, person)
        token, _ = tokens.create(tx, person, "mine", ["read"], 9)
        people.gone(tx, store.people.person(tx.conn, person.id), "the provider said no")
        assert asking.by_session(tx, secret, IDLE, KNOWN) is None
        assert "not found at their provider" in asking.by_token(tx, token, KNOWN)
        assert [deed.data["why"] for deed in auditing.deeds(tx, ["auth.person_gone"], None, 5)]
        back = people.welcome(tx, KEYCLOAK, MAYA, "viewer")
        assert asking.by_session(tx, secret, IDLE, KNOWN) is None
        signed_in(tx, back)
        assert isinstance(asking.by_token(tx, token, KNOWN), Asked)


def test_tokens_rest_when_nothing_was_heard_of_their_person_for_a_month(db):
    with db.begin() as tx:
        person = people.welcome(tx, KEYCLOAK, MAYA, "viewer")
        token, _ = tokens.create(tx, person, "mine", ["read"], 90)
        own, _ = tokens.create(tx, a_person(tx), "tom's", ["read"], 90)
        assert isinstance(asking.by_token(at(tx, days=29), token, KNOWN), Asked)
        assert "rests" in asking.by_token(at(tx, days=31), token, KNOWN)
        assert isinstance(asking.by_token(at(tx, days=31), own, KNOWN), Asked)
        people.still_there(at(tx, days=20), person)
        assert isinstance(asking.by_token(at(tx, days=31), token, KNOWN), Asked)


def test_a_token_may_what_its_scopes_and_its_person_may_and_no_more(db):
    with db.begin() as tx:
        editor = a_person(tx, "eve", Role.EDITOR)
        cases = {("read",): Role.VIEWER, ("write",): Role.EDITOR, ("respond", "read"): 2}
        for scopes, role in cases.items():
            secret, _ = tokens.create(tx, editor, "one", scopes, 9)
            assert asking.by_token(tx, secret, KNOWN).actor.role == role
        events, _ = tokens.create(tx, editor, "ci", ["events"], 9)
        found = asking.by_token(tx, events, KNOWN).actor
        assert (found.role, found.scopes) == (Role.NOBODY, {"events"})
        with pytest.raises(Invalid, match="needs someone who is admin"):
            tokens.create(tx, editor, "more", ["admin"], 9)
        store.people.change_person(tx.conn, editor.id, role=Role.VIEWER)
        found = asking.by_token(tx, events, KNOWN).actor
        assert (found.role, found.scopes) == (Role.NOBODY, frozenset())


def test_a_token_that_may_only_read_has_no_teams(db):
    with db.begin() as tx:
        person = msgspec.structs.replace(a_person(tx), teams=("group:default/payments",))
        store.people.change_person(tx.conn, person.id, teams=person.teams)
        reads, _ = tokens.create(tx, person, "reads", ["read"], 9)
        writes, _ = tokens.create(tx, person, "writes", ["write"], 9)
        assert asking.by_token(tx, reads, KNOWN).actor.teams == ()
        assert asking.by_token(tx, writes, KNOWN).actor.teams == ("group:default/payments",)
        assert asking.by_token(tx, writes, KNOWN).actor.role == Role.VIEWER


def test_a_token_is_known_by_its_digest_until_it_expires_or_is_revoked(db):
    with db.begin() as tx:
        secret, made = tokens.create(tx, None, "ci", ["read"], 9)
        assert secret not in str(tx.conn.execute(store.tables.tokens.select()).all())
        assert asking.by_token(tx, secret, KNOWN).actor.id == "token:ci"
        assert asking.by_token(at(tx, days=9), secret, KNOWN) == "this API token has expired"
        with pytest.raises(NotFound):
            tokens.revoke(tx, made.id, a_person(tx))
        assert tokens.revoke_named(tx, made.hint).id == made.id
        assert "not known here" in asking.by_token(tx, secret, KNOWN)


@pytest.mark.parametrize(
    ("name", "scopes", "days"),
    [("", ["read"], 9), ("x" * 201, ["read"], 9), ("a", [], 9), ("a", ["everything"], 9)]
    + [("a", ["read"], days) for days in (0, -1, 367)],
)
def test_a_token_that_cannot_be_is_refused_in_words(db, name, scopes, days):
    with db.begin() as tx, pytest.raises(Invalid):
        tokens.create(tx, None, name, scopes, days)


def test_several_tokens_of_a_name_are_told_apart_by_their_beginning(db):
    with db.begin() as tx:
        for _ in range(2):
            tokens.create(tx, None, "ci", ["read"], 9)
        with pytest.raises(Conflict, match="ph_"):
            tokens.revoke_named(tx, "ci")
        with pytest.raises(NotFound):
            tokens.revoke_named(tx, "none")
        assert len(tokens.everybodys(tx)) == 2


def test_a_user_leaves_with_all_that_is_theirs(db):
    with db.begin() as tx:
        person = a_person(tx)
        secret = signed_in(tx, person)
        token, _ = tokens.create(tx, person, "mine", ["read"], 9)
        with pytest.raises(Conflict):
            a_person(tx)
        people.remove_local(tx, "TOM")
        assert asking.by_session(tx, secret, IDLE, KNOWN) is None
        assert "not known here" in asking.by_token(tx, token, KNOWN)
        with pytest.raises(NotFound, match="Known are: none"):
            people.remove_local(tx, "tom")


def away(tx, state="the state", browser="the browser", provider="keycloak"):
    attempt = Attempt(provider, "nonce", "verifier", digest(browser), "/next", tx.now)
    staying.send_away(tx, state, attempt)
    return attempt


def test_one_comes_back_once(db):
    with db.begin() as tx:
        attempt = away(tx)
        assert staying.come_back(tx, "the state", "the browser", "keycloak") == attempt
        with pytest.raises(Denied, match="used already"):
            staying.come_back(tx, "the state", "the browser", "keycloak")


@pytest.mark.parametrize(
    ("state", "browser", "provider", "minutes"),
    [
        ("another state", "the browser", "keycloak", 0),
        ("the state", "another browser", "keycloak", 0),
        ("the state", "", "keycloak", 0),
        ("the state", "the browser", "another", 0),
        ("the state", "the browser", "keycloak", 10),
    ],
)
def test_one_comes_back_with_ones_own_state_in_time_or_not_at_all(
    db, state, browser, provider, minutes
):
    with db.begin() as tx:
        away(tx)
        with pytest.raises(Denied):
            staying.come_back(at(tx, minutes=minutes), state, browser, provider)


def test_what_is_over_is_forgotten_by_a_job_whether_or_not_anybody_signs_in(db):
    with db.begin() as tx:
        signed_in(tx, a_person(tx))
        away(tx)
        staying.clean(at(tx, minutes=9))
        assert len(rows(tx, store.tables.sessions)) == len(rows(tx, store.tables.attempts)) == 1
        staying.clean(at(tx, days=2))
        assert rows(tx, store.tables.sessions) == rows(tx, store.tables.attempts) == []
    [cleaning] = [kind for kind in jobs.jobs if kind.name == "auth.clean"]
    assert cleaning.every == timedelta(minutes=10)


def rows(tx, table):
    return tx.conn.execute(table.select()).all()


def test_a_session_that_ended_unused_is_nowhere_one_is_signed_in(db):
    with db.begin() as tx:
        person = a_person(tx)
        signed_in(tx, person)
        signed_in(at(tx, minutes=30), person)
        assert len(staying.sessions(at(tx, minutes=59), person, IDLE)) == 2
        assert len(staying.sessions(at(tx, minutes=60), person, IDLE)) == 1
        assert staying.sessions(at(tx, minutes=90), person, IDLE) == []
        assert staying.sessions(at(tx, hours=24), person, timedelta(days=9)) != []
        assert staying.sessions(at(tx, hours=25), person, timedelta(days=9)) == []


def test_another_password_ends_all_sessions_but_the_one_that_asks(db):
    with db.begin() as tx:
        person = a_person(tx)
        secrets = [signed_in(tx, person) for _ in range(3)]
        mine = asking.by_session(tx, secrets[1], IDLE, KNOWN).session
        people.change_password(tx, person, HASHED, mine.id)
        found = [asking.by_session(tx, one, IDLE, KNOWN) is not None for one in secrets]
        assert found == [False, True, False]


def test_what_was_read_before_a_provider_was_asked_overwrites_nothing(db):
    with db.begin() as tx:
        read = people.welcome(tx, KEYCLOAK, MAYA, "viewer")
        people.put_refresh(tx, read, "asked with", timedelta(hours=1))
        anew = msgspec.structs.replace(MAYA, name="may", groups=("platform",))
        secret = signed_in(tx, people.welcome(tx, KEYCLOAK, anew, "viewer"))
        people.put_refresh(tx, read, "of the new sign-in", timedelta(hours=1))
        assert not people.renew_refresh(tx, read, "asked with", "given")
        people.gone(tx, read, "it said so of the old token", "asked with")
        people.still_there(tx, read)
        found = asking.by_session(tx, secret, IDLE, KNOWN)
        assert (found.person.name, found.person.role) == ("may", Role.ADMIN)
        assert found.person.seen_at == tx.now
        assert people.refresh_of(tx, read) == "of the new sign-in"
        assert people.renew_refresh(tx, read, "of the new sign-in", "given")
        people.gone(tx, read, "it said so", "given")
        assert people.refresh_of(tx, read) is None
        assert not people.renew_refresh(tx, read, "given", "and again")
        assert asking.by_session(tx, secret, IDLE, KNOWN) is None
        assert len(auditing.deeds(tx, ["auth.person_gone"], None, 9)) == 1


def test_the_audit_is_read_page_by_page_newest_first(db):
    with db.begin() as tx:
        for number in range(5):
            tokens.create(replace(tx, now=tx.now + timedelta(seconds=number)), None, f"t{number}", ["read"], 9)  # noqa: E501  # fmt: skip
    with db.read() as tx:
        first = auditing.deeds(tx, ["auth.token_created", "auth.signed_in"], None, 2)
        rest = auditing.deeds(tx, ["auth.token_created"], first[-1].at, 9)
    assert [deed.data["token"] for deed in (*first, *rest)] == ["t4", "t3", "t2", "t1", "t0"]


def test_no_more_than_a_hundred_tokens_are_one_persons(db):
    with db.begin() as tx:
        person = a_person(tx)
        for _ in range(tokens.MOST):
            tokens.create(tx, person, "x", ["read"], 1)
        with pytest.raises(Conflict, match="revoke some"):
            tokens.create(tx, person, "x", ["read"], 1)


def test_a_refresh_token_is_kept_and_has_its_provider_asked_later(db):
    with db.begin() as tx:
        person = people.welcome(tx, KEYCLOAK, MAYA, "viewer")
        people.put_refresh(tx, person, "sealed", timedelta(hours=1))
        assert people.refresh_of(tx, person) == "sealed"
        assert not people.gets_in(tx, person)
        signed_in(tx, person)
        assert people.gets_in(tx, person)
        kinds = {row.kind for row in rows(tx, jobs_table())}
        assert people.CHECK in kinds


def jobs_table():
    from pilothouse.kernel.jobs.store import jobs

    return jobs
