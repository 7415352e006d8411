"""`pilothouse check run`: one visit, printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.agent.speaking import ok, saying, speaking
from tests.programs import Programs, started_programs
from tests.servers import LOOPBACK

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
