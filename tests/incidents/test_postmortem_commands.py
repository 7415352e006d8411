"""Post-mortems and action items on the command line."""

import pytest
from cyclopts import App
from tests.incidents.learned import Time, drafted, write
from tests.incidents.opened import house_of

from pilothouse.incidents import commands
from pilothouse.kernel.errors import Conflict, Invalid


@pytest.fixture
def house(sqlite_url, tmp_path, monkeypatch):
    Time(monkeypatch)
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


def test_one_is_written_published_and_its_items_closed(house, run, tmp_path):
    incident = drafted(house)
    assert run("postmortem", "list") == (1, "1 To be written, due 2026-12-01: Checkout is down\n")
    assert run("postmortem", "draft", "1") == (0, "/postmortems/1 was there already\n")
    with pytest.raises(Invalid, match="causes"):
        run("postmortem", "publish", "1")
    write(house, incident)
    item = ("--owner", "one", "--due", "2026-12-01", "--proof", "an alert")
    for number in range(1, 4):
        assert run("action", "add", "1", f"Warn {number}", *item) == (0, f"1.{number}\n")
    with pytest.raises(Conflict, match="note"):
        run("action", "add", "1", "A fourth", *item)
    assert "2027-01-04" in run("postmortem", "publish", "1")[1]
    assert run("action", "done", "1.1", "https://shop.example/1") == (0, "1.1 is done.\n")
    assert run("action", "drop", "1.2", "Not now.") == (0, "1.2 is deprioritized.\n")
    assert run("action", "list", "--owner", "one") == (
        0,
        "1.3 Open, due 2026-12-01, one: Warn 3\n",
    )
    assert run("postmortem", "show", "1")[1].startswith("# Checkout is down")
    folder = tmp_path / "files"
    assert "1 written" in run("postmortem", "export", str(folder))[1]
    assert (folder / "incident-1.md").read_text().startswith("# Checkout is down")


def test_what_names_no_item_is_said(run):
    for item in ("1", "x.1", "1.", "1.9999999999999"):
        with pytest.raises(Invalid, match="names no action item"):
            run("action", "done", item, "seen")
