"""The whole agent, as a process, against a portal that comes and goes."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from tests.agent.speaking import ok, saying, speaking
from tests.portals import Portal, running_portal, serving
from tests.programs import Program, Programs, started_programs
from tests.servers import LOOPBACK, wait_until

from pilothouse.checks.model.documents import CheckSpec, Http
from pilothouse.checks.model.plans import Plan, Planned
from pilothouse.checks.model.results import Outcome

TOKEN = "ph_a-token-that-nobody-else-has"
SECRET = "a-secret-that-is-nowhere"


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    yield from started_programs(tmp_path)


@pytest.fixture
def port() -> Iterator[int]:
    with speaking(saying(ok(b'{"state": "paid"}'))) as found:
        yield found


def planned(port: int, name: str = "x", *, mine: bool = True, **said: object) -> Planned:
    http = said.pop("http", None) or Http(url=f"http://{LOOPBACK}:{port}/")
    spec = msgspec.convert(
        {"entity": "component:default/x", "every": "1s", "timeout": "500ms", **said}
        | {"http": msgspec.to_builtins(http)},
        CheckSpec,
    )
    version = str(abs(hash(msgspec.json.encode(spec))))
    return Planned(check=f"check:default/{name}", version=version, spec=spec, offset=0.3, mine=mine)


def plan_of(*checks: Planned, open_to: tuple[str, ...] = ("127.0.0.0/8",)) -> Plan:
    return Plan("here", "here", checks, private_targets=open_to)


def start(programs: Programs, portal: Portal, **env: str) -> Program:
    return programs(
        "agent", "--server", portal.url, "--location", "here", "--name", "one", "--spool", "spool",
        env={"PILOTHOUSE_TOKEN": TOKEN, **env},
        command=(*_python(), "-m", "pilothouse.agent"),
    )  # fmt: skip


def _python() -> tuple[str, ...]:
    import sys

    return (sys.executable,)


def test_checks_are_visited_at_their_turns_and_told_with_the_token(
    programs: Programs, port: int
) -> None:
    with running_portal(plan_of(planned(port, expect=['json.state == "paid"']))) as portal:
        agent = start(programs, portal)
        results = portal.wait_for(3)
        assert agent.terminate() == 0
    assert {result.outcome for result in results} == {Outcome.OK}
    assert results[0].assertions[0].why == 'json.state was "paid"'
    assert portal.tokens == {f"Bearer {TOKEN}"}
    assert portal.posted[0].agent == "one"
    late = [(result.id / 2**20 - 300) % 1000 for result in results]
    assert max(late) < 200
    gaps = [b.id - a.id for a, b in pairwise(results)]
    assert all(gap / 2**20 > 800 for gap in gaps)


def test_a_failing_visit_brings_its_why_and_no_secret(programs: Programs) -> None:
    def echo(connection: object, asked: bytes) -> None:
        connection.sendall(ok(asked, status="500 Oh"))  # pyright: ignore[reportAttributeAccessIssue]

    with speaking(echo) as port:
        http = Http(url=f"http://{LOOPBACK}:{port}/", headers={"x-key": "${secret:SHOP}"})
        check = planned(port, http=http, expect=["status == 200", 'body.contains("zzz")'])
        with running_portal(plan_of(check)) as portal:
            agent = start(programs, portal, PILOTHOUSE_SECRET_SHOP=SECRET)
            (first, *_) = portal.wait_for(1)
            agent.terminate()
    assert (first.outcome, first.fault) == (Outcome.FAILED, "500")
    assert first.reason.startswith("status == 200 does not hold: status was 500")
    assert "x-key: ***" in first.sample
    assert SECRET not in msgspec.json.encode(portal.posted).decode()
    assert SECRET not in agent.output()
    assert TOKEN not in agent.output()


def test_what_an_agent_cannot_do_is_told_as_such(programs: Programs, port: int) -> None:
    http = Http(url=f"http://{LOOPBACK}:{port}/", bearer="${secret:NONE}")
    with running_portal(
        plan_of(planned(port), planned(port, "y", http=http), open_to=())
    ) as portal:
        start(programs, portal)
        portal.wait_for(2)
    found = {result.check[-1]: (result.outcome, result.fault) for result in portal.results}
    assert found == {"x": (Outcome.UNABLE, "deny"), "y": (Outcome.UNABLE, "secr")}


def test_a_hanging_visit_hurts_no_other(programs: Programs, port: int) -> None:
    with speaking(lambda _c, _a: time.sleep(2)) as hanging:
        checks = [planned(hanging, "hangs"), planned(port, "works")]
        with running_portal(plan_of(*checks)) as portal:
            start(programs, portal)
            portal.wait_for(6)
    worked = [one for one in portal.results if one.check.endswith("works")]
    hung = [one for one in portal.results if one.check.endswith("hangs")]
    assert {one.outcome for one in worked} == {Outcome.OK}
    assert max(one.total for one in worked) < 300
    assert {one.fault for one in hung} == {"time"}
    assert all(450 < one.total < 900 for one in hung)


def test_a_visit_that_is_asked_for_is_made_at_once(programs: Programs, port: int) -> None:
    never = planned(port, "rare", mine=False, every="1d")
    with running_portal(plan_of(never)) as portal:
        start(programs, portal)
        assert wait_until(lambda: bool(portal.tokens))
        portal.ask(77, never.check)
        portal.ask(78, "check:default/unknown")
        (result,) = portal.wait_for(1)
    assert (result.asked, result.outcome) == (77, Outcome.OK)


def test_another_plan_is_followed_at_once_and_what_is_new_is_visited(
    programs: Programs, port: int
) -> None:
    with running_portal(plan_of()) as portal:
        start(programs, portal)
        assert wait_until(lambda: bool(portal.posted) or bool(portal.tokens))
        time.sleep(0.5)
        portal.change(plan_of(planned(port, "new", every="1h")))
        (result, *_) = portal.wait_for(1)
    assert result.check == "check:default/new"


def test_while_the_portal_is_away_results_wait_and_come_in_their_order(
    programs: Programs, port: int
) -> None:
    with running_portal(plan_of(planned(port))) as portal:
        agent = start(programs, portal)
        portal.wait_for(1)
        place = portal.port
    before = len(portal.results)
    agent.wait_for_log("server_away")
    time.sleep(3)
    with serving(portal, place):
        results = portal.wait_for(before + 4)
    ids = [result.id for result in results]
    assert ids == sorted(ids)
    gaps = [(b - a) / 2**20 for a, b in pairwise(ids)]
    assert max(gaps) < 1600, "a turn is missing"


def test_an_agent_that_starts_while_the_portal_is_away_goes_on_with_its_plan(
    programs: Programs, port: int
) -> None:
    with running_portal(plan_of(planned(port))) as portal:
        agent = start(programs, portal)
        portal.wait_for(1)
        place = portal.port
    agent.kill()
    before = len(portal.results)
    start(programs, portal)
    time.sleep(3)
    with serving(portal, place):
        portal.wait_for(before + 2)


@pytest.mark.parametrize("place", ["agent.seen:2", "agent.kept:2", "agent.posted:2"])
def test_killed_at_any_place_nothing_that_was_kept_is_lost(
    programs: Programs, port: int, place: str
) -> None:
    with running_portal(plan_of(planned(port))) as portal:
        killed = start(programs, portal, PILOTHOUSE_CRASH_AT=place)
        assert killed.wait() == -signal.SIGKILL
        folder = programs.folder / "spool"
        lines = b"".join(file.read_bytes() for file in sorted(folder.glob("*.jsonl")))
        kept = [msgspec.json.decode(line)["id"] for line in lines.splitlines()]
        start(programs, portal)
        portal.wait_for(len(portal.results) + 2)
    found = [result.id for result in portal.results]
    assert set(kept) <= set(found)
    assert found == sorted(found)


def test_an_agent_ends_with_the_program_that_started_it(programs: Programs, port: int) -> None:
    with running_portal(plan_of(planned(port))) as portal:
        agent = start(programs, portal, PILOTHOUSE_AGENT_PARENT="1")
        assert agent.wait() == 0


def test_an_agent_without_a_valid_token_says_so_and_waits(programs: Programs, port: int) -> None:
    with running_portal(plan_of(planned(port))) as portal:
        portal.status = 401
        agent = start(programs, portal)
        agent.wait_for_log("agent.refused")
        portal.status = 0
        portal.wait_for(1)
        assert agent.running
