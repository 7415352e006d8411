"""The pages of vitals, and the page of a team with its three numbers."""

from __future__ import annotations

import random

import msgspec
import pytest
from tests import axe
from tests.vitals.telling import SHOP, TEAM, component, group, telling

from pilothouse.vitals.model import METRICS, Batch, Dropped, Seen
from pilothouse.vitals.service import taking

USUAL = {"ttfmi": 3600, "lcp": 1700, "inp": 90, "cls": 0.03, "fcp": 900, "ttfb": 250}
PATHS = (
    "/teams/default/storefront",
    "/catalog/component/default/shop/vitals",
    "/catalog/component/default/shop/vitals?metric=cls&by=device&days=1",
    "/catalog/component/default/emails/vitals",
    "/catalog/component/default/shop",
    "/catalog/group/default/storefront",
    "/vitals",
    "/vitals?team=group:default/storefront",
)


def fill(told, days=16):
    """Weeks of page views; this week is slower than the one before."""
    chance = random.Random(4)
    with told.db.begin() as tx:
        minute = taking.minute_of(tx.now)
        seen = [
            Seen(SHOP, TEAM, name, page, country, device, minute - day * 1440,
                 [usual * slow * (1.5 if day < 7 else 1) * chance.uniform(0.9, 1.1)] * 3)
            for day in range(days)
            for name, usual in USUAL.items()
            for page in ("/", "/basket/:id")
            for country, device, slow in (("DE", "desktop", 1), ("IN", "phone", 2))
        ]  # fmt: skip
        taking.keep(tx, Batch(seen, [Dropped(SHOP, "garbage", 1234)]))
        taking.fold(tx)


@pytest.fixture
def told(database_url, tmp_path):
    documents = (
        component("shop"),
        component("emails", key=""),
        group("storefront", **{"pilothouse/target-interaction": "4s"}),
        group("quiet"),
    )
    with telling(database_url, tmp_path, *documents) as found:
        fill(found)
        yield found


def test_the_page_of_a_service_has_all_numbers_by_each_side(told):
    text = told.page("/catalog/component/default/shop/vitals")
    for metric in METRICS.values():
        assert metric.title in text
    assert "/basket/:id" in text
    assert "1,234" in text
    assert "no beacon of ours" in text.lower()
    assert 'data-key="shop-web-1"' in text.replace("&#34;", '"')
    assert "IN" in told.page("/catalog/component/default/shop/vitals?by=country")
    assert "phone" in told.page("/catalog/component/default/shop/vitals?by=device&days=28")


def test_what_is_asked_wrongly_is_told(told):
    for query in ("metric=views", "by=person", "days=3", "days=x"):
        answer = told.portal.get(f"/catalog/component/default/shop/vitals?{query}")
        assert answer.status == 400, query
    assert told.portal.get("/teams/default/nobody").status == 404


def test_an_entity_without_a_key_says_how_to_begin(told):
    text = told.page("/catalog/component/default/emails/vitals")
    assert "pilothouse/vitals-key" in text
    assert "/vitals" not in told.page("/catalog/component/default/emails").split("</nav>", 2)[-1]


def test_the_page_of_a_team_has_its_number_its_target_and_its_evidence(told):
    text = told.page("/teams/default/storefront")
    assert "First meaningful interaction" in text
    assert "target: 4.0 s or less" in text
    assert "slower than the week before" in text
    assert '/vitals?team=group:default/storefront"' in text.replace("%3A", ":").replace("%2F", "/")
    assert "page views" not in text.lower()
    assert "First meaningful interaction" in told.page("/catalog/group/default/storefront")
    assert "Nothing is known yet" in told.page("/teams/default/quiet")


def test_the_board_is_by_team_and_then_by_service(told):
    assert "Storefront" in told.page("/vitals")
    assert "Shop" in told.page(f"/vitals?team={TEAM}")


def test_the_copy_has_the_pages_of_what_is_there(told):
    from pilothouse.vitals.module import module

    with told.db.begin() as tx:
        gone = Seen("component:default/gone", "group:default/gone", "lcp", "/", "", "phone", 0, [1])
        taking.keep(tx, Batch([msgspec.structs.replace(gone, minute=taking.minute_of(tx.now))]))
        taking.fold(tx)
    with told.db.read() as tx:
        paths = {one.path for one in module.exported(tx)}
    assert not [path for path in paths if "gone" in path]
    assert {
        "/vitals",
        "/teams/default/storefront",
        "/catalog/component/default/shop/vitals",
    } <= paths


@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(browser, sqlite_url, tmp_path, width):
    axe.needed()
    with telling(sqlite_url, tmp_path, component("shop"), component("emails", ""), group()) as told:
        fill(told)
        url = f"http://127.0.0.1:{told.portal.port}"
        context = browser.new_context(
            viewport={"width": width, "height": 900}, reduced_motion="reduce", bypass_csp=True
        )
        context.add_cookies([{"name": "display", "value": f"{axe.LIGHT}|UTC|on", "url": url}])
        tab, found = context.new_page(), []
        for path in PATHS:
            tab.goto(url + path)
            tab.evaluate(axe.OPEN)
            if tab.evaluate("document.documentElement.scrollWidth") > width:
                found.append(f"{path} is too wide")
            found += axe.violations(tab)
        context.close()
        assert not found
