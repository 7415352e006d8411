"""The demo as a user starts it: it comes up, is broken in five ways, and leaves nothing behind."""

from __future__ import annotations

import html
import json
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests import programs, servers
from tests.programs import Program, Programs
from tests.servers import answers, wait_until

from pilothouse.demo.model import FAULTS, LISTENING, PLACES

PROMISED = 30.0  # seconds from breaking to the words on Now
ALL, CHECKS = len(PLACES), 8  # that are visited from all places
# Check, and what Now says of it.
WORDS = {
    "checkout": ("Pay for a basket", r"failed from (all|\d+ of) 12 locations.*500"),
    "cdn-eu": (
        "Shop assets",
        r"failed from \d of 12 locations, all in eu-\*.*other regions unaffected",
    ),
    "third-party": ("Reviews of a third party", r"degraded from (all|\d+ of) 12 locations"),
    "sign-in": ("Sign in as a customer", r"failed from (all|\d+ of) 12 locations"),
    "database-pool": ("Connections to the database", r"failed from (all|\d+ of) 12 locations"),
}
UNTOUCHED = ("Front page of the shop", "Search for a lamp")


@dataclass(slots=True)
class Demo:
    """A demo that runs, and the commands that are given to it."""

    program: Program
    start: Programs
    folder: Path
    port: int
    began: float

    def say(self, *arguments: str) -> str:
        """`pilothouse demo ARGUMENTS`, to its end."""
        told = self.start("demo", *arguments, "--data", str(self.folder))
        assert told.wait() == 0, told.output()
        return told.output()

    def now(self) -> str:
        """Now, as text."""
        found = programs.get(self.port, "/")
        assert found, self.program.complaint("Now does not answer")
        text = re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", found[1].decode(), flags=re.DOTALL)
        return re.sub(r"\s+", " ", html.unescape(text))

    def says(self, fault: str) -> bool:
        title, words = WORDS[fault]
        return re.search(rf"{title}.{{0,400}}?{words}", self.now()) is not None

    def standing(self) -> list[tuple[str, ...]]:
        """What does not stand as healthy, by a look since it came up: check, place, reason."""
        with closing(sqlite3.connect(self.folder / "portal" / "pilothouse.db", timeout=10)) as db:
            looked = db.execute(
                "SELECT ref, location, reason, state = 'healthy' AND last_id > ? "
                "FROM checks_series JOIN checks_checks ON checks_checks.id = check_id "
                "WHERE type NOT IN ('heartbeat', 'journey')",
                (int(self.began * 1000) << 20,),
            ).fetchall()
        assert len(looked) <= ALL * CHECKS
        missing = [("missing", "", "")] * (ALL * CHECKS - len(looked))
        return missing + [row[:3] for row in looked if not row[3]]

    def works(self) -> bool:
        """Whether all checks work from all places."""
        return not self.standing()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder, port = tmp_path_factory.mktemp("demo"), servers.free_port()
    for start in programs.started_programs(folder):
        began = time.time()
        program = start("demo", "--data", str(folder / "demo"), "--port", str(port))
        program.wait_for_http(port, seconds=60)
        yield Demo(program, start, folder / "demo", port, began)


def test_a_day_with_the_demo(demo: Demo) -> None:
    it_comes_up_watched_from_twelve_places_and_says_what_to_try(demo)
    whatever_is_broken_is_on_now_within_half_a_minute_and_nothing_else(demo)
    what_is_repaired_works_again_from_everywhere(demo)
    ctrl_c_ends_all_of_it(demo)


def it_comes_up_watched_from_twelve_places_and_says_what_to_try(demo: Demo) -> None:
    for fault in FAULTS:
        assert f"pilothouse demo break {fault.name}" in demo.program.output()
    assert wait_until(demo.works, seconds=45), demo.standing()


def whatever_is_broken_is_on_now_within_half_a_minute_and_nothing_else(demo: Demo) -> None:
    for fault in FAULTS:
        assert fault.does in demo.say("break", fault.name)
    for fault in FAULTS:
        assert wait_until(lambda one=fault.name: demo.says(one), seconds=PROMISED), (
            fault.name, demo.now(),
        )  # fmt: skip
    for title in UNTOUCHED:
        assert not re.search(rf"{title}.{{0,80}}?(failed|degraded) from", demo.now())
    deployed = programs.get(demo.port, "/catalog/component/default/checkout/deployments")
    assert deployed
    assert b"26." in deployed[1]


def what_is_repaired_works_again_from_everywhere(demo: Demo) -> None:
    assert "third-party" in demo.say("repair")
    assert wait_until(demo.works, seconds=2 * PROMISED), demo.standing()
    assert "Recovering" in demo.now()  # held for two intervals, lest it comes back


def ctrl_c_ends_all_of_it(demo: Demo) -> None:
    ports = json.loads((demo.folder / "demo.json").read_bytes())["ports"]
    assert set(ports) == set(LISTENING)
    demo.program.process.send_signal(signal.SIGINT)
    assert demo.program.wait() == 0, demo.program.output()
    assert not any(answers(port) for port in (*ports.values(), demo.port))
    told = demo.start("demo", "break", "checkout", "--data", str(demo.folder))
    assert told.wait() == 1
    assert "no demo runs" in told.output()
