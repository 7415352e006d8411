"""`pilothouse deploy`, as a CI runs it."""

import os

import pytest
from cyclopts import App
from tests.deploys.telling import telling
from tests.servers import LOOPBACK, free_port

from pilothouse.deploys import commands

CATALOG = (
    "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: checkout}\n"
    "spec: {type: service, lifecycle: production, owner: team-a}\n"
)
WORDS = ("--entity", "checkout", "--env", "production", "--version", "1.2.3")


def run(program, *arguments, **env):
    done = program("deploy", *arguments, env=env)
    return done.wait(), done.output()


def test_a_deployment_is_sent_to_a_running_portal(sqlite_url, tmp_path, program):
    with telling(sqlite_url, tmp_path) as told:
        server = f"http://{LOOPBACK}:{told.portal.port}"
        code, said = run(program, *WORDS, "--status", "in_progress", PILOTHOUSE_SERVER=server)
        assert (code, "stored at" in said) == (0, True), said
        code, said = run(program, *WORDS, "--server", server, "--commit", "a" * 40, "--by", "maya")
        assert code == 0, said
        told.take()
        [one] = told.history()
        assert one.version == "1.2.3"
        assert one.status == "succeeded"


def test_without_a_server_it_is_written_into_the_database(tmp_path, program):
    source = tmp_path / "source"
    source.mkdir()
    (source / "catalog-info.yaml").write_text(CATALOG)
    assert program("sync", str(source)).wait() == 0
    code, said = run(program, *WORDS)
    assert (code, "checkout 1.2.3 succeeded in production" in said) == (0, True), said
    code, said = run(program, "--entity", "nobody", *WORDS[2:])
    assert (code, "no component of the catalog is called nobody" in said) == (1, True), said


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--entity", "x", "--env", "production"), 1, "data.version is missing"),
        ((*WORDS, "--status", "great"), 2, "great"),
        ((*WORDS, "--at", "never"), 1, "--at 'never' is not a time"),
        ((*WORDS, "--server", "ftp://x"), 1, "is no address of a server"),
        ((*WORDS, "--server", f"http://{LOOPBACK}:{free_port()}"), 1, "did not answer"),
        ((), 2, "entity"),
    ],
)
def test_what_is_wrong_is_said(program, arguments, code, words):
    found, said = run(program, *arguments)
    assert (found, words in said) == (code, True), said


def test_whoever_has_no_name_is_a_number(sqlite_url, tmp_path, monkeypatch):
    def nobody(uid):
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr("pwd.getpwuid", nobody)  # as in a container without /etc/passwd
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", *commands.CI_PEOPLE):
        monkeypatch.delenv(name, raising=False)
    with telling(sqlite_url, tmp_path) as told:
        app = App()
        commands.register(app, lambda **_: told.portal.program)
        app(["deploy", *WORDS], exit_on_error=False, result_action="return_value")
        assert [one.by for one in told.history()] == [str(os.getuid())]


def test_help_tells_of_every_option(program):
    said = program("deploy", "--help")
    assert said.wait() == 0
    for option in ("--entity", "--env", "--version", "--status", "--commit", "--server", "--token"):
        assert option in said.output()
