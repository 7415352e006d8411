"""The demo as a user starts it: it comes up, is broken in five ways, and leaves nothing behind.

What breaks the checkout is followed in a browser, from the page that somebody gets to the action
items that are escalated two sprints after the post-mortem.
"""

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
from playwright.sync_api import Page, expect
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

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

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
        program = started(start, folder / "demo", port)
        yield Demo(program, start, folder / "demo", port, began)


def started(start: Programs, folder: Path, port: int, *more: str) -> Program:
    program = start("demo", "--data", str(folder), "--port", str(port), *more)
    program.wait_for_http(port, seconds=60)
    return program


def test_a_day_with_the_demo(demo: Demo, tab: Page) -> None:
    it_comes_up_watched_from_twelve_places_and_says_what_to_try(demo)
    a_broken_checkout_pages_one_person_who_takes_it(demo, tab)
    its_incident_has_the_deployment_first_and_the_runbook_beside_it(demo, tab)
    whatever_is_broken_is_on_now_within_half_a_minute_and_nothing_else(demo)
    what_is_repaired_works_again_from_everywhere(demo)
    it_is_over_for_whoever_says_what_fixed_it(demo, tab)
    there_are_three_action_items_and_no_fourth(demo, tab)
    ctrl_c_ends_all_of_it(demo)
    after_two_sprints_they_are_escalated(demo, tab)


def it_comes_up_watched_from_twelve_places_and_says_what_to_try(demo: Demo) -> None:
    for fault in FAULTS:
        assert f"pilothouse demo break {fault.name}" in demo.program.output()
    assert wait_until(demo.works, seconds=45), demo.standing()


def a_broken_checkout_pages_one_person_who_takes_it(demo: Demo, tab: Page) -> None:
    assert "a new version" in demo.say("break", "checkout")
    links = tab.get_by_role("link", name="Acknowledge page 1")

    def told() -> bool:
        tab.wait_for_timeout(500)
        tab.goto(f"{demo.url}/inbox")
        return links.count() > 0

    assert wait_until(told, seconds=PROMISED), tab.inner_text("main")
    assert links.count() == 1
    links.click()
    tab.get_by_role("button", name=re.compile("I have it|Acknowledge")).click()
    expect(tab.locator("main")).to_contain_text("You have it")


def its_incident_has_the_deployment_first_and_the_runbook_beside_it(demo: Demo, tab: Page) -> None:
    tab.goto(f"{demo.url}/incidents")
    tab.get_by_role("link", name=re.compile("^Pay for a basket")).first.click()
    expect(tab.locator("#suspects li").first).to_contain_text("Deploy checkout")
    step = tab.locator("ol.steps button.tick").first
    step.click()
    expect(step).to_have_attribute("aria-pressed", "true")


def whatever_is_broken_is_on_now_within_half_a_minute_and_nothing_else(demo: Demo) -> None:
    for fault in FAULTS:
        if fault.name != "checkout":
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


def it_is_over_for_whoever_says_what_fixed_it(demo: Demo, tab: Page) -> None:
    tab.goto(f"{demo.url}/incidents/1")
    tab.get_by_label("What fixed it?").fill("Brought the version before back")
    tab.get_by_role("button", name="Resolve the incident").click()
    expect(tab.locator("main .head").first).to_contain_text("Resolved")
    tab.goto(f"{demo.url}/postmortems/1")
    expect(tab.locator("#text")).to_contain_text("Pay for a basket")


def there_are_three_action_items_and_no_fourth(demo: Demo, tab: Page) -> None:
    for title in ("Roll back by itself", "Try a payment before traffic", "Alert on refusals"):
        tab.locator("#add summary").click()
        form = tab.locator("#add form")
        form.get_by_label("What is to be done").fill(title)
        form.get_by_label("Whose it is").fill("ines")
        due = form.locator("input[type=date]")
        due.fill(due.get_attribute("max") or "")
        form.get_by_label("How one will see that it is done").fill("A drill")
        form.get_by_role("button", name="Add it").click()
        expect(tab.locator("#actions")).to_contain_text(title)
    expect(tab.locator("#actions")).to_contain_text("3 of at most 3")
    tab.locator("#add summary").click()
    expect(tab.locator("#add")).to_contain_text("There is no fourth action item")
    fourth = tab.request.post(
        f"{demo.url}/postmortems/1/actions",
        form={"title": "A fourth", "owner": "ines", "due_on": "2027-01-01", "proof": "None"},
        headers={"Origin": demo.url, "Accept": "text/html"},
    )
    assert "Keep “A fourth” as a note" in html.unescape(fourth.text())
    tab.goto(f"{demo.url}/postmortems/1/edit/causes")
    tab.get_by_role("textbox", name="Text").fill("Nobody tried a payment before customers did.")
    tab.get_by_role("button", name="Save").click()
    tab.get_by_text("Kinds of causes").click()
    tab.locator("#causes input[type=checkbox]").first.check()
    tab.get_by_role("button", name="Set them").click()
    tab.get_by_role("button", name="Publish").click()
    expect(tab.locator("main .head")).to_contain_text("Published")


def after_two_sprints_they_are_escalated(demo: Demo, tab: Page) -> None:
    demo.program = started(demo.start, demo.folder, demo.port, "--clock", "50d")

    def escalated() -> bool:
        tab.wait_for_timeout(500)
        tab.goto(f"{demo.url}/")
        return "Roll back by itself" in tab.inner_text("main")

    assert wait_until(escalated, seconds=PROMISED), tab.inner_text("main")
    tab.goto(f"{demo.url}/postmortems/1")
    expect(tab.locator("#actions").get_by_text("Escalated").first).to_be_visible()
