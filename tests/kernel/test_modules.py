"""A module of another package joins the program by its entry point."""

import json

import pytest
from tests import servers
from tests.programs import get
from tests.system import bells
from tests.system.http import post

ENTRY = "entry_points.txt"


@pytest.fixture
def ringing(tmp_path):
    return bells.make(tmp_path)


def entry(ringing, text):
    [found] = ringing.folder.glob(f"packages/*.dist-info/{ENTRY}")
    found.write_text(f"[pilothouse.modules]\n{text}\n")


def test_its_routes_panel_job_handler_and_kind_are_the_programs(ringing, program, sqlite_url):
    catalog = ringing.folder / "catalog"
    catalog.mkdir()
    (catalog / "catalog-info.yaml").write_text(
        "apiVersion: pilothouse/v1\nkind: Bell\nmetadata: {name: great}\nspec: {tone: deep}\n"
        "---\napiVersion: pilothouse/v1\nkind: Bell\nmetadata: {name: odd}\nspec: {colour: red}\n"
    )
    port = servers.free_port()
    running = program("up", str(catalog), "--port", str(port), env=ringing.environment(sqlite_url))
    page = running.wait_for_http(port).decode()
    assert "8 bells for you" in page
    assert "Ship&#39;s bells" in page
    status, _ = post(port, "/bells/inside/7")
    assert status == 201
    assert servers.wait_until(
        lambda: b"great" in (get(port, "/catalog/bell/default/great") or (0, b""))[1]
    )
    assert servers.wait_until(lambda: count(port) >= 3), running.complaint("no bells.heard")
    assert servers.wait_until(lambda: ringing.trace("inside") == ["7"])
    assert servers.wait_until(lambda: b"colour" in (get(port, "/catalog/problems") or (0, b""))[1])
    schema = program("schema", "bell", env=ringing.environment(sqlite_url))
    assert schema.wait() == 0
    assert '"tone"' in schema.output()


def count(port):
    answer = get(port, "/bells")
    return json.loads(answer[1])["events"] if answer else 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bells = pilothouse_bells:LEASE", "entry point bells of pilothouse.modules is"),
        ("a = pilothouse_bells:module\nb = pilothouse_bells:module", "two modules are called 'be"),
    ],
)
def test_an_entry_point_that_brings_no_module_of_its_own_is_named(
    ringing, program, sqlite_url, text, words
):
    entry(ringing, text)
    ended = program("schema", "bell", env=ringing.environment(sqlite_url))
    assert ended.wait() == 1
    assert words in ended.output()
    assert "Traceback" not in ended.output()
