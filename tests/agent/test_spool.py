"""The spool: what is in it survives, in its order, and it has an end."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import msgspec
import pytest

from pilothouse.agent import spool as spools
from pilothouse.agent.spool import Spool
from pilothouse.checks.model.results import Result
from pilothouse.kernel.errors import Conflict


def result(number: int, sample: str = "") -> Result:
    return Result(id=number, check="check:default/x", location="here", total=1.0, sample=sample)


def opened(folder: Path, most: int = spools.MOST) -> Spool:
    made = Spool(folder, most)
    made.open()
    return made


def ids(lines: list[bytes]) -> list[int]:
    return [msgspec.json.decode(line, type=Result).id for line in lines]


def test_results_come_out_in_their_order_and_go_when_they_are_done(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for number in range(5):
        spool.add(result(number))
    assert ids(spool.peek(3)) == [0, 1, 2]
    spool.done(spool.peek(3))
    assert (ids(spool.peek(9)), spool.waiting) == ([3, 4], 2)
    spool.done(spool.peek(9))
    assert (spool.peek(9), spool.waiting) == ([], 0)
    spool.close()


def test_what_was_not_done_is_there_after_a_restart(tmp_path: Path) -> None:
    first = opened(tmp_path)
    for number in range(3):
        first.add(result(number))
    first.close()
    second = opened(tmp_path)
    second.add(result(3))
    found = ids(second.peek(9))
    second.done(second.peek(9))
    assert found + ids(second.peek(9)) == [0, 1, 2, 3]
    second.close()


def test_a_torn_last_line_is_cut_off(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.add(result(1))
    first.close()
    (file,) = tmp_path.glob("*.jsonl")
    with file.open("ab") as out:
        out.write(b'{"id": 2, "che')
    second = opened(tmp_path)
    assert (ids(second.peek(9)), second.waiting) == ([1], 1)
    second.close()


def test_two_agents_do_not_share_a_folder(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    with pytest.raises(Conflict, match="another agent uses"):
        opened(tmp_path)
    spool.close()


def test_a_full_spool_lets_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "SEGMENT", 2000)
    spool = opened(tmp_path, most=10_000)
    for number in range(100):
        spool.add(result(number, "x" * 200))
    left = []
    while lines := spool.peek(50):
        left += ids(lines)
        spool.done(lines)
    assert left == list(range(100 - len(left), 100))
    assert spool.dropped + len(left) == 100
    assert sum(file.stat().st_size for file in tmp_path.glob("*.jsonl")) <= 10_000
    spool.close()


def test_a_full_disk_keeps_results_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = opened(tmp_path)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        spool.add(result(1))
        spool.add(result(2))
    assert ids(spool.peek(1)) == [1]
    spool.done(spool.peek(1))
    assert (ids(spool.peek(5)), spool.waiting) == ([2], 1)
    spool.close()


def test_evidence_waits_with_the_result_that_names_it(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.add_evidence(7, {"screenshot.png": b"png", "../../outside": b"no"})
    (file,) = spool.evidence()
    assert (file.parent.name, file.name, file.read_bytes()) == ("7", "screenshot.png", b"png")
    spool.sent(file)
    assert spool.evidence() == []
    spool.close()
