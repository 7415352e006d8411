"""The spool: what is in it survives, in its order, and it has an end."""

from __future__ import annotations

import errno
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from structlog.testing import capture_logs

from pilothouse.agent import spool as spools
from pilothouse.agent.spool import Peeked, Spool
from pilothouse.checks.model.results import Result
from pilothouse.kernel.errors import Conflict


def result(number: int, sample: str = "") -> Result:
    return Result(id=number, check="check:default/x", location="here", total=1.0, sample=sample)


def opened(folder: Path, most: int = spools.MOST) -> Spool:
    made = Spool(folder, most)
    made.open()
    return made


def ids(peeked: Peeked) -> list[int]:
    return [msgspec.json.decode(line, type=Result).id for line in peeked.lines]


def test_results_come_out_in_their_order_and_go_when_they_are_done(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for number in range(5):
        spool.add(result(number))
    assert ids(spool.peek(3)) == [0, 1, 2]
    spool.done(spool.peek(3))
    assert (ids(spool.peek(9)), spool.waiting) == ([3, 4], 2)
    spool.done(spool.peek(9))
    assert (ids(spool.peek(9)), spool.waiting) == ([], 0)
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
    while (peeked := spool.peek(50)).lines:
        left += ids(peeked)
        spool.done(peeked)
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


def test_evidence_on_a_full_disk_ends_nobody(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    (tmp_path / "evidence").write_bytes(b"a file where a folder is wanted")
    spool.add_evidence(7, {"screenshot.png": b"png"})
    assert spool.evidence() == []
    spool.close()


@contextmanager
def bounded(kind: int, most: int) -> Iterator[None]:
    """What the kernel gives this process: a short write or an error is a real one."""
    before = resource.getrlimit(kind)
    try:
        with capture_logs():  # what is printed meets the same bounds
            resource.setrlimit(kind, (most, before[1]))
            yield
    finally:
        resource.setrlimit(kind, before)


def fed(spool: Spool, number: int) -> None:
    spool.add(result(number, "x" * (number % 7) * 20))


class Interleaved(RuleBasedStateMachine):
    """Whatever comes between a peek and its done, each result is sent, waits, or was counted."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp(prefix="spool-"))
        self.spool = opened(self.folder, most=2500)
        self.added = 0
        self.gone: set[int] = set()  # the server has them
        self.lost = 0  # were in memory when the process ended
        self.posts: list[Peeked] = []

    @rule(number=st.integers(1, 6))
    def add(self, number: int) -> None:
        for _ in range(number):
            fed(self.spool, self.added)
            self.added += 1

    @rule(room=st.integers(0, 200))
    def add_to_a_full_disk(self, room: int) -> None:
        newest = max(self.folder.glob("*.jsonl"))
        with bounded(resource.RLIMIT_FSIZE, newest.stat().st_size + room):
            fed(self.spool, self.added)
        self.added += 1

    @rule(number=st.integers(1, 6))
    def add_where_no_file_can_be_opened(self, number: int) -> None:
        with bounded(resource.RLIMIT_NOFILE, 0):
            self.add(number)

    @rule(most=st.integers(1, 9))
    def post(self, most: int) -> None:
        self.posts.append(self.spool.peek(most, 700))

    @precondition(lambda self: self.posts)
    @rule(data=st.data())
    def answered(self, data: st.DataObject) -> None:
        peeked = self.posts.pop(data.draw(st.integers(0, len(self.posts) - 1)))
        self.gone |= set(ids(peeked))
        self.spool.done(peeked)

    @rule()
    def restart(self) -> None:
        self.lost += self.spool.waiting - sum(segment.lines for segment in self.spool._segments)
        self.spool.close()
        dropped, self.spool = self.spool.dropped, opened(self.folder, most=2500)
        self.spool.dropped, self.posts = dropped, []

    @invariant()
    def nothing_is_lost(self) -> None:
        assert self.spool.waiting + len(self.gone) + self.spool.dropped + self.lost >= self.added

    def teardown(self) -> None:
        while (peeked := self.spool.peek(9)).lines:
            self.gone |= set(ids(peeked))
            self.spool.done(peeked)
        assert self.spool.waiting == 0
        assert len(self.gone) + self.spool.dropped + self.lost >= self.added
        self.spool.close()
        shutil.rmtree(self.folder)


class TestInterleaved(Interleaved.TestCase):  # pyright: ignore[reportUntypedBaseClass]
    settings = settings(max_examples=40, stateful_step_count=30)

    @pytest.fixture(autouse=True)
    def small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(spools, "SEGMENT", 600)
        monkeypatch.setattr(spools, "MOST_IN_MEMORY", 5)
