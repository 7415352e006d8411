"""`pilothouse oncall` on the command line."""

import re

import pytest
from cyclopts import App
from tests.oncall.paged import CHECKOUT, ONE, company

from pilothouse.kernel.errors import Invalid, NotFound
from pilothouse.oncall import commands
from pilothouse.oncall.model.paging import State


@pytest.fixture
def shop(sqlite_url, tmp_path):
    with company(sqlite_url, tmp_path) as found:
        found.reach(ONE)
        yield found


@pytest.fixture
def run(shop, capsys):
    cli = App(name="pilothouse")
    commands.register(cli, lambda **_: shop.program)

    def call(*words):
        code = cli(["oncall", *words], result_action="return_value", exit_on_error=False)
        return code, capsys.readouterr().out

    return call


def test_pages_are_listed_shown_acknowledged_snoozed_and_resolved(shop, run):
    assert run("list") == (0, "No open pages.\n")
    page = shop.take(summary="Checkout is failing")
    code, said = run("list")
    assert (code, said) == (1, f"1 open high {CHECKOUT}: Checkout is failing (just now)\n")
    said = run("show", "1")[1]
    assert "policy: escalationpolicy:default/shop" in said
    assert "waiting: user:default/one by ntfy n…" in said
    shop.begin(shop.told(page)[0])
    said = run("ack", "1", "--by", ONE)[1]
    assert "1 acknowledged" in said
    assert "on its way already: user:default/one by ntfy" in said
    assert run("ack", "1")[1].startswith("It was acknowledged already.\n")
    assert "1 snoozed" in run("snooze", "1", "2h")[1]
    assert "1 resolved" in run("resolve", "1")[1]
    assert shop.page(page).state is State.RESOLVED
    assert run("list")[0] == 0
    assert "1 resolved" in run("list", "--all")[1]
    with pytest.raises(NotFound, match="no page 7"):
        run("ack", "7")


def test_people_are_paged_asked_to_help_and_given_a_page(run):
    said = run("page", "checkout", "--why", "Refunds hang", "--by", ONE)[1]
    assert said == f"1 open high {CHECKOUT}: Refunds hang (just now)\n"
    again = run("page", "cart", "--why", "Carts too", "--low")[1]
    assert again.endswith("It joined this page, which was open: nobody is told anew.\n")
    assert "1 open" in run("reassign", "1", "two", "--why", "they know")[1]
    assert "1 open" in run("add", "1", "three")[1]
    with pytest.raises(Invalid, match="not in the catalog"):
        run("add", "1", "nobody")


def test_alerts_are_silenced_with_an_end_and_a_reason(run):
    said = run("silence", "disk=full", "--until", "2h", "--why", "known")[1]
    made = re.match(r"Silence (\w+) until ", said)
    assert made
    assert run("unsilence", made[1])[1] == "Ended.\n"
    with pytest.raises(Invalid, match="name=value"):
        run("silence", "disk", "--until", "2h", "--why", "known")
    with pytest.raises(Invalid, match="is no time"):
        run("silence", "a=b", "--until", "soon", "--why", "known")
    with pytest.raises(Invalid, match="what to silence"):
        run("silence", "--until", "2h", "--why", "known")
