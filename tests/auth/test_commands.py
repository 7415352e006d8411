"""Users and tokens on the command line."""

from __future__ import annotations

import io

import pytest
from cyclopts import App
from tests.auth.browsing import MODULES

from pilothouse.kernel.auth import commands
from pilothouse.kernel.auth.formats import fits
from pilothouse.kernel.auth.service import asking, auditing, people
from pilothouse.kernel.errors import Conflict, Invalid, NotFound
from pilothouse.kernel.program import open_program
from pilothouse.kernel.settings import Settings

PASSWORD = "a long one of tests"


@pytest.fixture
def program(sqlite_url, tmp_path):
    found = open_program(Settings(database_url=sqlite_url, data=str(tmp_path)), MODULES)
    yield found
    found.db.engine.dispose()


@pytest.fixture
def run(program, monkeypatch, capsys):
    """Call it with a command's words; what it printed."""

    def call(*words, typed=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        app = App()
        commands.register(app, lambda **_: program)
        app(words, exit_on_error=False, result_action="return_value")
        return capsys.readouterr().out

    return call


def test_a_user_is_added_told_given_another_password_and_removed(program, run):
    said = run("user", "add", "Maya", "--role", "editor", typed=f"{PASSWORD}\n")
    assert "maya may sign in and is editor" in said
    assert "local_users = true" in said
    assert "maya\teditor\t-\tnever signed in" in run("user", "list")
    run("user", "password", "maya", typed="another long one\n")
    with program.db.read() as tx:
        kept = people.password_of(tx, people.local_user(tx, "maya"))
    assert fits(kept, "another long one")
    assert not fits(kept, PASSWORD)
    assert "maya is removed" in run("user", "remove", "maya")
    assert run("user", "list") == ""
    with program.db.read() as tx:
        told = auditing.deeds(tx, ["auth.user_added", "auth.user_removed"], None, 9)
    assert {one.actor.partition(":")[0] for one in told} == {"terminal"}


@pytest.mark.parametrize(
    ("words", "typed", "error"),
    [
        (("user", "add", "maya"), "short\n", Invalid),
        (("user", "add", "maya"), "", Invalid),
        (("user", "add", "a b"), f"{PASSWORD}\n", Invalid),
        (("user", "remove", "nobody"), "", NotFound),
        (("user", "password", "nobody"), f"{PASSWORD}\n", NotFound),
        (("token", "create", "x", "--scope", "all"), "", Invalid),
        (("token", "create", "x", "--scope", "read", "--days", "0"), "", Invalid),
        (("token", "create", "x", "--scope", "read", "--location", "eu"), "", Invalid),
        (("token", "create", "x", "--scope", "agent", "--location", "e u"), "", Invalid),
        (("token", "create", "x", "--scope", "read", "--user", "nobody"), "", NotFound),
        (("token", "revoke", "nothing"), "", NotFound),
    ],
)
def test_what_cannot_be_is_said_in_words(run, words, typed, error):
    with pytest.raises(error):
        run(*words, typed=typed)


def test_a_name_is_given_once(run):
    run("user", "add", "maya", typed=f"{PASSWORD}\n")
    with pytest.raises(Conflict):
        run("user", "add", "MAYA", typed=f"{PASSWORD}\n")


def test_a_token_of_a_location_says_so(program, run):
    secret = run("token", "create", "x", "--scope", "agent", "--location", "EU-west").strip()
    assert "\tagent at eu-west\t" in run("token", "list")
    with program.db.read() as tx:
        assert asking.by_token(tx, secret, frozenset()).actor.location == "eu-west"


def test_a_token_is_printed_once_listed_without_itself_and_revoked(program, run):
    secret = run("token", "create", "deployments", "--scope", "events", "--scope", "read").strip()
    assert secret.startswith("ph_")
    listed = run("token", "list")
    assert secret not in listed
    assert f"{secret[:9]}\tdeployments\tevents read\t-\tuntil" in listed
    with program.db.read() as tx:
        assert asking.by_token(tx, secret, frozenset()).actor.scopes == {"events"}
    run("token", "revoke", "deployments")
    assert run("token", "list") == ""
