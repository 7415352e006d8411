"""Journeys in a real Chromium: a shop that is fine, and one that is not."""

from __future__ import annotations

import json
import os
import struct
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from tests.agent.journeys.shop import Shop, open_shop
from tests.agent.probes.looking import look
from tests.servers import NEEDS_CHROMIUM, chromium_path, free_port

from pilothouse.agent.journeys import leading
from pilothouse.agent.seen import Seen
from pilothouse.checks.model.documents import Journey, Step, ThirdParty

pytestmark = pytest.mark.skipif(chromium_path() is None, reason=NEEDS_CHROMIUM)


@pytest.fixture
def shop() -> Iterator[Shop]:
    with open_shop() as opened:
        yield opened


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test does, no process and no folder of a journey outlives it."""
    # Not below pytest's own folder: that one lets nobody but us through to what is in it.
    with tempfile.TemporaryDirectory(prefix="pilothouse-walks-") as folder:
        Path(folder).chmod(0o711)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        before = set(dead())
        yield
        assert ours() == set()
        assert not set(dead()) - before
        assert list(Path(folder).iterdir()) == []


def ours() -> set[str]:
    """Processes that came of ours and are no thread pool's or server's of the tests."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if f"PILOTHOUSE_JOURNEY_OF={os.getpid()}\0".encode() in environment:
            found.add((folder / "cmdline").read_text()[:80])
    return found


def dead() -> list[str]:
    """Our children that ended and that nobody waited for."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            found.append(stat.read_text())
    return [one for one in found if one.rpartition(") ")[2].split()[:2] == ["Z", str(os.getpid())]]


def sign_in(shop: Shop) -> tuple[Step, ...]:
    return (
        Step(name="Open the shop", goto=shop.url()),
        Step(fill=("#user", "maya")),
        Step(fill=("#password", "hunter22")),
        Step(name="Sign in", click="button"),
        Step(name="Greeted", expect="#you"),
    )


def walk(journey: Journey, **options: object) -> Seen:
    return look(journey, **{"seconds": 15.0, "hidden": ("hunter22",), **options})  # type: ignore[arg-type]


def test_declared_steps_are_walked_and_timed(shop: Shop) -> None:
    seen = walk(Journey(steps=sign_in(shop)))
    assert (seen.fault, seen.reason, seen.degraded) == ("", "", "")
    names = ["Open the shop", "Fill #user", "Fill #password", "Sign in", "Greeted"]
    assert [step.name for step in seen.steps] == names
    assert all(step.ok and step.ms > 0 for step in seen.steps)
    assert seen.total == seen.phases["walk"] >= sum(step.ms for step in seen.steps) * 0.9
    assert seen.status == 200
    assert seen.values["steps"]["Sign in"] > timedelta(0)
    assert seen.evidence == {}
    assert seen.browsed is not None
    kinds = {(request.kind, request.third) for request in seen.browsed.requests}
    assert ("document", False) in kinds
    assert ("script", True) in kinds
    assert seen.browsed.lcp is not None
    assert seen.values["lcp"] < timedelta(seconds=5)
    script = next(one for one in seen.browsed.requests if one.kind == "script")
    assert script.url == f"http://ads.tracker.localhost:{shop.port}/ads.js"


def test_a_third_party_that_is_slow_spends_its_budget(shop: Shop) -> None:
    shop.slow, shop.busy = 0.7, 300
    budget = ThirdParty(blocking_ms=100, hosts={"tracker.localhost": 500})
    seen = walk(Journey(steps=sign_in(shop), third_party=budget))
    assert seen.fault == ""
    assert seen.browsed is not None
    assert seen.browsed.third_party["tracker.localhost"] >= 700
    assert 250 <= (seen.browsed.third_party_blocking or 0) < 2000
    assert (seen.browsed.tbt or 0) >= 200
    assert "third parties kept the main thread for" in seen.degraded
    assert "requests to tracker.localhost took" in seen.degraded
    assert seen.values["third_party"]["hosts"]["tracker.localhost"] >= 700


def test_a_sign_in_that_is_broken_leaves_a_picture_and_a_waterfall(shop: Shop) -> None:
    shop.broken = True
    seen = walk(Journey(steps=sign_in(shop)), seconds=12.0)
    assert seen.fault == "time"
    assert seen.reason.startswith("Greeted: ")
    assert [step.ok for step in seen.steps] == [True, True, True, True, False]
    assert seen.address.endswith("/wrong")
    picture, har = seen.evidence["screenshot.png"], seen.evidence["har.json"]
    assert picture.startswith(b"\x89PNG")
    assert struct.unpack(">II", picture[16:24]) == (1280, 800)
    urls = [entry["request"]["url"] for entry in json.loads(har)["log"]["entries"]]
    assert shop.url("/wrong") in urls
    for private in (b"hunter22", b"nobodys-business", b"of-the-session", b"secret-query"):
        assert private not in har


def test_a_page_that_answers_with_an_error_fails_its_step(shop: Shop) -> None:
    seen = walk(Journey(steps=(Step(goto=shop.url("/gone")),)))
    assert seen.fault == "404"
    assert "answered 404" in seen.reason


def test_a_page_that_hangs_is_over_in_time_and_hurts_nobody(shop: Shop) -> None:
    seen = walk(Journey(steps=(Step(goto=shop.url("/hang")),)), seconds=12.0)
    assert seen.fault == "time"
    assert not seen.steps[0].ok
    assert seen.total <= 12500
    assert walk(Journey(steps=(Step(goto=shop.url()),))).fault == ""


def test_a_page_that_eats_memory_is_ended_with_its_browser(shop: Shop) -> None:
    hog = (Step(goto=shop.url("/hog")), Step(wait="1m"))
    seen = walk(Journey(steps=hog, memory=800))
    assert seen.fault == "mem"
    assert "800 MiB are the limit" in seen.reason
    assert seen.measured["memory_mib"] < 2500


def test_shifts_and_complaints_are_told_without_query_strings(shop: Shop) -> None:
    seen = walk(Journey(steps=(Step(goto=shop.url("/shift")), Step(wait="400ms"))))
    assert seen.fault == ""
    assert seen.values["cls"] > 0.05
    assert seen.values["console_errors"] == ["no basket at http://shop.localhost/basket"]


def test_axe_counts_violations_where_an_assertion_asks(shop: Shop) -> None:
    plain = Journey(steps=(Step(goto=shop.url("/plain")),))
    seen = walk(plain, expect=("axe.critical == 0",))
    assert seen.values["axe"]["critical"] >= 2  # an image and a field without names
    assert seen.values["axe"]["serious"] >= 1  # no language
    assert set(seen.evidence) == {"screenshot.png", "har.json"}  # should the assertion fail
    assert "axe" not in walk(plain).values


def test_a_shop_that_is_closed_is_told_in_words() -> None:
    seen = walk(Journey(steps=(Step(name="Open", goto=f"http://shop.localhost:{free_port()}/"),)))
    assert (seen.fault, seen.unable) == ("net", False)
    assert seen.reason.startswith("Open: shop.localhost cannot be reached: ")
    assert seen.reason.endswith("connection refused")


def test_what_the_browser_asks_is_judged_too(shop: Shop) -> None:
    seen = walk(Journey(steps=(Step(goto=shop.url()),)), allowed=lambda _address, _port: False)
    assert seen.unable
    assert "127.0.0.1 is not an address that this agent may visit" in seen.reason
    assert shop.asked == []


SCRIPT = """
async def journey(page, step):
    async with step("Open"):
        await page.goto("{url}")
    async with step("Look"):
        print("nobody hears this")
        assert await page.title() == "{title}", "another title"
"""


def scripted(shop: Shop, title: str = "Shop") -> Journey:
    code = SCRIPT.replace("{url}", shop.url()).replace("{title}", title)
    return Journey(script="checks/open.py", code=code)


def test_a_script_walks_where_scripts_are_allowed(shop: Shop) -> None:
    seen = walk(scripted(shop), scripts=True)
    assert (seen.fault, seen.reason) == ("", "")
    assert [step.name for step in seen.steps] == ["Open", "Look"]


def test_a_script_that_fails_says_in_which_step(shop: Shop) -> None:
    seen = walk(scripted(shop, "Another shop"), scripts=True)
    assert seen.fault == "step"
    assert seen.reason == "Look: AssertionError: another title"
    assert "screenshot.png" in seen.evidence


def test_a_script_is_not_run_where_scripts_are_not_allowed(shop: Shop) -> None:
    seen = walk(scripted(shop))
    assert seen.unable
    assert "--allow-scripts" in seen.reason
    assert shop.asked == []


def test_a_script_has_neither_our_rights_nor_our_secrets(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILOTHOUSE_SECRET_SHOP", "of the agent only")
    code = f"""
import os
async def journey(page, step):
    assert not any(name.startswith("PILOTHOUSE_SECRET") for name in os.environ)
    assert os.geteuid() != 0 or {os.geteuid() != 0}
    await page.goto({shop.url()!r})
"""
    seen = walk(Journey(script="x.py", code=code), scripts=True)
    assert (seen.fault, seen.reason) == ("", "")


def test_a_script_that_cannot_be_read_is_not_a_failure_of_the_shop() -> None:
    seen = walk(Journey(script="x.py", code="def journey(:"), scripts=True)
    assert seen.unable
    assert "x.py cannot be read: SyntaxError" in seen.reason


def test_a_script_that_blocks_its_process_is_ended_with_all_that_came_of_it() -> None:
    code = """
import os, time
async def journey(page, step):
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
    time.sleep(600)
"""
    seen = walk(Journey(script="x.py", code=code), scripts=True, seconds=9.0)
    assert (seen.fault, "hung" in seen.reason) == ("time", True)


@pytest.mark.parametrize(
    ("complaint", "words"),
    [
        ("FATAL:zygote_host_impl_linux.cc(128)] No usable sandbox!", "it needs user namespaces"),
        ("error while loading libnss3.so", "did not start: error while loading libnss3.so"),
    ],
)
def test_a_browser_that_does_not_start_is_no_failure_of_the_shop(
    monkeypatch: pytest.MonkeyPatch, complaint: str, words: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        program = Path(folder) / "chromium"
        program.write_text(f"#!/bin/sh\necho '{complaint}' >&2\nexit 1\n")
        program.chmod(0o755)
        monkeypatch.setenv("PILOTHOUSE_CHROMIUM", str(program))
        seen = walk(Journey(steps=(Step(goto="http://shop.localhost/"),)))
    assert (seen.unable, seen.fault) == (True, "")
    assert words in seen.reason


def test_without_a_browser_the_agent_is_unable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leading, "CHROMIUM", ())
    monkeypatch.delenv("PILOTHOUSE_CHROMIUM", raising=False)
    seen = walk(Journey(steps=(Step(goto="http://shop.localhost/"),)))
    assert seen.unable
    assert "no Chromium" in seen.reason
