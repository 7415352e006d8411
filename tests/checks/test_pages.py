"""The pages of checks, asked over HTTP of a portal whose agents the test plays."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.checks.watched import CHECK, SERVICE, WORLD, Watched, check, places
from tests.kernel.portal import PAGE, Answer, Portal, serving

from pilothouse import app
from pilothouse.checks.model.results import Assertion, Browsed, Request, StepTime
from pilothouse.checks.service import showing_status, steering
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import Denied
from pilothouse.kernel.events import Event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SYSTEM = """
apiVersion: backstage.io/v1alpha1
kind: System
metadata:
  name: webshop
  title: Web shop
  annotations: {pilothouse/status-page: public}
spec: {owner: team-a}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: secret-system}
spec: {owner: team-a}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: basket, title: Basket}
spec: {type: service, lifecycle: production, owner: team-a, system: webshop}
"""
BASKET = "component:default/basket"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Shown(Watched):
    """A portal that is asked for its pages; time is the machine's."""

    portal: Portal

    def page(self, path: str, status: int = 200) -> str:
        answer = self.portal.get(path, PAGE)
        assert answer.status == status, answer.text
        return answer.text

    def send(self, path: str, body: str) -> Answer:
        return self.portal.ask("POST", path, {**FORM, **PAGE}, body)

    def fail(self, *names: str, **more: Any) -> None:
        """These places see it fail twice and confirm it, the others see that it works."""
        for _ in range(3):
            for name in WORLD:
                self.see(
                    name, "failed" if name in names else "ok", **(more if name in names else {})
                )
        self.judge_due()


@pytest.fixture
def shown(database_url: str, tmp_path: Path) -> Iterator[Shown]:
    folder = tmp_path / "repository"
    folder.mkdir()
    with serving(database_url, app.modules(), data=str(tmp_path / "data")) as portal:
        found = Shown(portal.program, folder, None, itertools.count())  # pyright: ignore[reportArgumentType]
        found.portal = portal
        found.catalog(
            places(),
            SYSTEM,
            check(every="5m", expect=["status == 200"], prefer=['timing.total < duration("2s")']),
            check("stock", entity=BASKET, critical=False, http=None, heartbeat={"period": "1h"}),
        )
        yield found


def _words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_now_shows_critical_paths_by_location_and_says_nothing_while_all_is_well(
    shown: Shown,
) -> None:
    for name in WORLD:
        shown.see(name)
    page = shown.page("/")
    row = page.partition('data-row><th scope="row" role="rowheader"><a href="/checks/default/pay"')[
        2
    ]
    cells = row.partition("</tr>")[0]
    assert cells.count('class="cell cell-ok"') == len(WORLD)
    assert ">120<" in cells
    assert "is failing" not in page
    assert "stock" not in page.partition("checks-paths")[2].partition("</table>")[0]


def test_what_fails_in_a_region_is_the_headline_and_a_block_in_the_matrix(shown: Shown) -> None:
    shown.fail("eu-1", "eu-2", "eu-3")
    page = shown.page("/")
    if "cell-bad" not in page:  # pragma: no cover  (the verdict wants it settled for longer)
        pytest.fail(_words(page)[:2000])
    assert page.count('class="cell cell-bad"') == 3
    assert "503" in page
    state = shown.state()
    if state is not None and state.state.value == "failed":
        assert "Shop is failing in Europe" in page


def test_the_page_of_a_check_shows_what_its_last_visits_saw(shown: Shown) -> None:
    asserted = (Assertion("status == 200", held=False, why="status is 503"),)
    shown.fail("eu-1", assertions=asserted, sample="<b>down</b>", status=503, protocol="HTTP/2")
    for period in ("1h", "24h", "7d", "90d"):
        page = shown.page(f"/checks/default/pay?period={period}")
        assert "small-multiples" in page
        over = page.partition('id="over"')[2].partition("</section>")[0]
        assert 'class="ph-first_byte"' in over
        assert '<th scope="col" class="num">Connect</th>' in over  # the table beside it
        assert '<td class="num">9.' in over  # 9.5 ms, and a sketch is at most 2 % beside
        assert "data-every" in page  # new results come while somebody looks
    page = shown.page("/checks/default/pay?from=eu-1")
    words = _words(page)
    assert "Last visit from eu-1" in words
    assert "status is 503" in words
    assert "Every 5 min, at most 3.0 s long" in words
    failure = re.search(r"/checks/default/pay/results/[0-9]+", page)
    assert failure is not None
    detail = shown.page(failure[0])
    assert "&lt;b&gt;down&lt;/b&gt;" in detail
    assert shown.portal.get("/checks/default/pay/results/7", PAGE).status == 404
    assert shown.portal.get("/checks/default/pay/results/x", PAGE).status == 404
    assert shown.portal.get("/checks/default/pay?period=9y", PAGE).status == 400
    assert shown.portal.get("/checks/default/nothing", PAGE).status == 404


def test_a_journey_shows_its_waterfall_with_third_parties_marked(shown: Shown) -> None:
    browsed = Browsed(
        requests=(
            Request("https://shop.example/", 0, 300, 200, 100, "document"),
            Request("https://ads.example/x.js", 300, 900, 200, 100, "script", third=True),
            Request("https://shop.example/api/pay", 400, 800, 504, 100, "fetch"),
        ),
        lcp=1900,
        third_party_blocking=300,
    )
    steps = (StepTime("Open", 300), StepTime("Pay", 900, ok=False, why="504"))
    shown.see("eu-1", browsed=browsed, steps=steps, assertions=())
    words = _words(shown.page("/checks/default/pay"))
    assert "x.js third party ads.example" in words
    assert "failed /api/pay shop.example 504" in words
    assert "2 Pay Failed 504" in words
    assert "Third parties block 300 ms" in words


def test_deployments_of_what_is_watched_stand_on_the_axis_of_its_state(shown: Shown) -> None:
    shown.see("eu-1")
    with shown.db.begin() as tx:
        data = {"deployment": 7, "environment": "production", "version": "1.4.2"}
        tx.emit(Event(type="deploys.finished", entities=(SERVICE,), data=data))
    page = shown.page("/checks/default/pay")
    assert 'href="/deploys/7"' in page
    assert "1.4.2 to production" in page


def test_someone_runs_a_check_and_sees_its_result_without_scripts(shown: Shown) -> None:
    shown.plan("eu-1")
    assert "Run it now" in shown.page("/checks/default/pay") or shown.see("eu-1")
    answer = shown.send("/checks/default/pay/run", "location=eu-1")
    assert answer.status == 303
    run = answer.headers["location"]
    waiting = shown.page(run)
    assert 'hx-trigger="every 1s"' in waiting
    assert f'<a href="{run}">load it again</a>' in waiting
    (one,) = shown.asked("eu-1").wanted
    shown.see("eu-1", asked=one.id)
    answered = shown.page(run)
    assert "hx-trigger" not in answered.partition('id="run"')[2]
    assert "Passed" in _words(answered)
    assert shown.send("/checks/default/pay/run", "location=nowhere").status == 404


def test_someone_pauses_a_check_with_a_reason_and_lets_it_go_on(shown: Shown) -> None:
    shown.see("eu-1")
    assert shown.send("/checks/default/pay/pause", "reason=&length=1h").status == 400
    body = "reason=The+database+moves&length=1h"
    assert shown.send("/checks/default/pay/pause", body).status == 303
    page = _words(shown.page("/checks/default/pay"))
    assert "The database moves" in page
    assert "Resume" in page
    assert "Paused" in _words(shown.page("/"))
    assert "Paused" in _words(shown.page("/checks?state=paused"))
    assert shown.send("/checks/default/pay/resume", "").status == 303
    page = shown.page("/checks/default/pay")
    assert "/resume" not in page
    assert "not looked at since it was paused" in page


def test_browsers_without_popovers_are_asked_on_a_page(shown: Shown) -> None:
    shown.plan("eu-1")
    shown.see("eu-1")
    page = shown.page("/checks/default/pay")
    for what, verb in (("run", "Run it now"), ("pause", "Pause the check")):
        assert f'without-popover" href="/checks/default/pay/{what}"' in page
        asked = shown.page(f"/checks/default/pay/{what}")
        assert f'method="post" action="/checks/default/pay/{what}"' in asked
        assert f">{verb}</button>" in asked
    shown.send("/checks/default/pay/pause", "reason=Enough&length=1h")
    assert "Nobody can visit it now" in shown.page("/checks/default/pay/run")


def test_a_heartbeat_shows_where_to_call_and_what_was_heard(shown: Shown) -> None:
    page = shown.page("/checks/default/stock")
    url = re.search(r"http://[^ ]+/hooks/heartbeats/[A-Za-z0-9_-]+", page)
    assert url is not None
    assert (
        shown.portal.get(url[0].partition("/hooks")[1] + url[0].partition("/hooks")[2]).status
        == 200
    )
    assert "It said success" in _words(shown.page("/checks/default/stock"))


def test_the_list_narrows_by_state_type_and_words(shown: Shown) -> None:
    shown.see("eu-1")
    every = shown.page("/checks")
    assert every.count("data-row") == 2
    assert shown.page("/checks?type=heartbeat").count("data-row") == 1
    assert shown.page("/checks?q=basket").count("data-row") == 1
    assert "No check is like that" in shown.page("/checks?q=nothing-has-this")


def test_the_page_of_what_is_watched_lists_its_checks(shown: Shown) -> None:
    assert "/checks/default/pay" in shown.page("/catalog/component/default/shop")
    assert "/checks/default/pay" in shown.page("/catalog/check/default/pay")


def test_a_location_tells_of_its_agents_and_what_they_saw(shown: Shown) -> None:
    shown.fail("eu-1")
    listed = _words(shown.page("/locations"))
    assert "eu-1" in listed
    page = _words(shown.page("/locations/eu-1"))
    assert "answered 503" in page
    assert "Results waiting 0" in page
    assert shown.portal.get("/locations/nowhere", PAGE).status == 404


def test_the_public_page_tells_of_parts_and_of_nothing_private(shown: Shown) -> None:
    page = shown.page("/status/default/webshop")
    assert "Web shop" in page
    assert "Basket" in page
    for private in (
        "team-a",
        "eu-1",
        "503",
        "127.0.0.1",
        "/catalog",
        "/checks",
        "heartbeat",
        "stock",
    ):
        assert private not in page
    for absent in ("secret-system", "no-such-system"):
        hidden = shown.portal.get(f"/status/default/{absent}")
        assert hidden.status == 404
    with shown.db.read() as tx:
        assert showing_status.systems(tx) == ["system:default/webshop"]


def test_whoever_is_no_responder_is_told_so(shown: Shown) -> None:
    reader = Actor(id="user:reader", name="Reader", role=Role.VIEWER)
    responder = Actor(id="user:night", name="Night", role=Role.RESPONDER)
    until = datetime.now(UTC) + timedelta(hours=1)
    with shown.db.begin() as tx, pytest.raises(Denied, match="Reader is viewer"):
        steering.pause(tx, reader, CHECK, "no", until)
    with shown.db.begin() as tx:
        steering.pause(tx, responder, CHECK, "at night", until)
