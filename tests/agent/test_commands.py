"""`pilothouse check run`: one visit, printed."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.agent.speaking import ok, saying, speaking
from tests.programs import Programs, started_programs
from tests.servers import LOOPBACK, wait_until

from pilothouse.agent import byhand
from pilothouse.agent.child import Child
from pilothouse.agent.client import Away, Refused
from pilothouse.agent.loop import refusal
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.settings import Settings

CHECK = """
apiVersion: pilothouse/v1
kind: Check
metadata: {name: NAME}
spec:
  entity: component:default/shop
  http: {url: "http://LOCAL:PORT/"}
  expect: ['EXPECT']
---
"""


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    yield from started_programs(tmp_path)


@pytest.fixture
def port() -> Iterator[int]:
    with speaking(saying(ok(b"hello"))) as found:
        yield found


def check(name: str, port: int, expect: str) -> str:
    named = CHECK.replace("NAME", name).replace("LOCAL", LOOPBACK).replace("PORT", str(port))
    return named.replace("EXPECT", expect)


def run(programs: Programs, *arguments: str) -> tuple[int, str]:
    program = programs("check", "run", *arguments)
    return program.wait(), program.output()


def test_a_check_is_visited_and_its_phases_and_assertions_printed(
    programs: Programs, port: int
) -> None:
    file = programs.folder / "catalog-info.yaml"
    file.write_text(check("good", port, "status == 200") + check("bad", port, "status == 201"))
    code, output = run(programs, "good")
    assert code == 0, output
    assert "good (http): ok" in output
    assert "first byte" in output
    assert "holds status == 200\n        status was 200" in output
    code, output = run(programs, str(file), "bad")
    assert code == 1
    assert "FAILS status == 201" in output
    assert "    hello" in output


def test_what_cannot_be_run_is_told(programs: Programs, port: int) -> None:
    file = programs.folder / "catalog-info.yaml"
    file.write_text(check("typo", port, "statsu == 200"))
    code, output = run(programs, "typo")
    assert code == 1
    assert "spec.expect[0], column 1: a check of type http has no statsu" in output
    assert run(programs, "nothing")[0] == 1
    assert run(programs)[0] == 2


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("{entity: x, htp: {url: 'http://a'}}", "unknown field `htp`; pilothouse lint"),
        ("{entity: x, http: {ulr: 'http://a'}}", "`spec.http`; pilothouse lint"),
        ("{entity: x, heartbeat: {period: 1h}}", "a heartbeat: it is called, not visited"),
    ],
)
def test_what_is_wrong_with_a_document_is_told_with_where_to_look(
    tmp_path: Path, spec: str, said: str
) -> None:
    file = tmp_path / "catalog-info.yaml"
    file.write_text(f"kind: Check\nmetadata: {{name: one}}\nspec: {spec}\n")
    with pytest.raises(Invalid) as raised:
        byhand.find(str(file))
    assert said in str(raised.value)


def test_a_token_that_has_ended_is_told_with_what_to_do() -> None:
    assert "pilothouse token create" in refusal(Refused(401, "this API token has expired"))
    assert "pilothouse token create" in refusal(Refused(403, "its scopes do not allow it"))
    assert refusal(Refused(422, "no")) == refusal(Away("no")) == ""


@pytest.mark.parametrize(
    ("settings", "runs"),
    [
        (Settings(), True),
        (Settings(local_users=True), False),
        (Settings(local_users=True, agent_scripts=True), True),
    ],
)
def test_the_agent_of_up_runs_scripts_where_nobody_signs_in_or_a_setting_allows_it(
    tmp_path: Path, settings: Settings, runs: bool
) -> None:
    child = Child("http://x", tmp_path, str, bool, settings.runs_scripts)
    assert ("--allow-scripts" in child.command()) is runs


class Short(Child):
    """Runs what says its token, and then lives on."""

    def command(self) -> list[str]:
        told = f"open({str(self.folder / 'told')!r}, 'a').write(os.environ['PILOTHOUSE_TOKEN'])"
        return [sys.executable, "-S", "-c", f"import os, time; {told}; time.sleep(60)"]


def test_an_agent_that_runs_on_is_begun_anew_with_another_token(tmp_path: Path) -> None:
    numbers = iter("abcdefgh")
    stop, told = threading.Event(), tmp_path / "told"
    told.touch()
    child = Short("http://x", tmp_path, lambda: next(numbers), lambda: True, life=0.4)
    thread = threading.Thread(target=child.keep, args=(stop,))
    thread.start()
    try:
        assert wait_until(lambda: "b" in told.read_text())
    finally:
        stop.set()
        thread.join()
    assert told.read_text().startswith("ab")
