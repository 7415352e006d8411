"""Incidents and rehearsals on the command line."""

import pytest
from cyclopts import App
from tests.incidents.opened import house_of

from pilothouse.incidents import commands
from pilothouse.kernel.errors import Invalid, NotFound


@pytest.fixture
def house(sqlite_url, tmp_path):
    with house_of(sqlite_url, tmp_path) as found:
        yield found


@pytest.fixture
def run(house, capsys):
    cli = App()
    commands.register(cli, lambda **_: house.program)

    def run_(*words):
        code = cli(list(words), result_action="return_value", exit_on_error=False)
        return code or 0, capsys.readouterr().out

    return run_


def test_one_is_opened_steered_and_resolved(run):
    assert run("incident", "list") == (0, "No incident is open.\n")
    opened = run("incident", "open", "Cards time out", "--entity", "checkout", "--severity", "1")
    assert opened[1].startswith("1 SEV1 Investigating: Cards time out (")
    assert run("incident", "list")[0] == 1
    assert "Identified" in run("incident", "status", "1", "identified")[1]
    assert run("incident", "note", "1", "The pool is full") == (0, "Noted in incident 1.\n")
    with pytest.raises(Invalid, match="say what fixed it"):
        run("incident", "resolve", "1", " ")
    with pytest.raises(Invalid, match="say what fixed it"):
        run("incident", "status", "1", "resolved")
    assert run("incident", "update", "1", "We look", "--public")[1].startswith("Told; the next")
    role = ("incident", "role", "1", "commander", "one")
    assert run(*role)[1] == "user:default/one has the role commander.\n"
    assert "commander: user:default/one" in run("incident", "show", "1")[1]
    assert run(*role, "--leave")[1] == "user:default/one laid down the role commander.\n"
    run("incident", "open", "Carts are empty", "--entity", "cart")
    assert run("incident", "merge", "2", "1")[1].startswith("1 SEV1 Identified")
    assert "Resolved" in run("incident", "resolve", "1", "Widened the pool")[1]
    assert "Investigating" in run("incident", "reopen", "1", "It is back")[1]
    assert "Resolved" in run("incident", "resolve", "1", "Widened the pool")[1]
    shown = run("incident", "show", "1")[1]
    assert "The pool is full" in shown
    assert "Resolved. Widened the pool" in shown
    assert run("incident", "list") == (0, "No incident is open.\n")
    assert run("incident", "list", "--all")[1].startswith("1 SEV1 Resolved: Cards time out")


def test_a_rehearsal_is_marked_and_makes_nothing_bad(run):
    begun = run("drill", "checkout")[1]
    assert begun.startswith("1 SEV2 Investigating DRILL: Rehearsal: checkout does not answer")
    assert run("incident", "list")[0] == 0
    shown = run("incident", "show", "1")[1]
    assert "acknowledged: not yet" in shown
    assert "runbook opened: not yet" in shown


def test_what_is_restricted_is_said_and_what_is_not_there_too(run):
    made = run("incident", "open", "Keys were stolen", "--restricted")[1]
    assert "RESTRICTED" in made
    with pytest.raises(NotFound, match="there is no incident 77"):
        run("incident", "show", "77")
    with pytest.raises(Invalid, match="resolved"):
        run("incident", "status", made.split()[0], "fine")
