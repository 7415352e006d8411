"""What pages tell is taken in once, bounded, and nothing else of it is kept."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from tests.servers import LOOPBACK, wait_until
from tests.vitals.telling import KEY, SHOP, TEAM, component, group, telling

from pilothouse.kernel.measurements import service as measurements
from pilothouse.vitals import store
from pilothouse.vitals.api.intake import LOST_NUMBERS
from pilothouse.vitals.model import OTHER
from pilothouse.vitals.service import measuring, taking


def read(told, metric="lcp", **labels):
    with told.db.read() as tx:
        since, until = tx.now - timedelta(hours=2), tx.now + timedelta(hours=1)
        return measurements.read(
            tx, taking.NAME, {"metric": metric, **labels}, since, until, "hour"
        )


def counted(found):
    return {
        series.label("is") or series.label("by"): sum(bucket.sketch.count for bucket in buckets)
        for series, buckets in found.items()
    }


def test_a_page_view_counts_once_in_all_and_by_each_of_its_sides(database_url, tmp_path):
    with telling(database_url, tmp_path) as told:
        assert told.view("/basket/8412?coupon=secret", lcp=1200, cls=0.02).status == 204
        assert told.view("/basket/9", lcp=2600, w=390).status == 204
        told.settle()
        found = read(told, entity=SHOP)
        assert counted(found) == {
            "all": 2,
            "/basket/:id": 1,
            "/basket/9": 1,
            "desktop": 1,
            "phone": 1,
        }
        whole = next(series for series in found if series.label("by") == "all")
        assert whole.label("team") == TEAM
        assert counted(read(told, "cls", entity=SHOP, by="all")) == {"all": 1}
        told.settle()
        assert counted(read(told, entity=SHOP, by="all")) == {"all": 2}


def test_what_came_in_is_written_down_within_a_second(database_url, tmp_path):
    with telling(database_url, tmp_path) as told:
        assert told.view(lcp=1200).status == 204
        assert told.written_down()


def test_two_who_work_in_at_once_count_nothing_twice(database_url, tmp_path):
    with telling(database_url, tmp_path) as told:
        told.view("/basket", lcp=1200)
        told.intake.write_down()

        def work_in():
            with told.db.begin() as tx:
                taking.fold(tx)

        second = threading.Thread(target=work_in)
        with told.db.begin() as tx:
            taking.fold(tx)  # its lease is lost: another does the same job before it has ended
            second.start()
            second.join(0.2)
            assert second.is_alive()
        second.join()
        assert counted(read(told, entity=SHOP, by="all")) == {"all": 1}
        with told.db.read() as tx:
            span = (tx.now - timedelta(minutes=5), tx.now + timedelta(minutes=1))
            measure = next(one for one in measuring.measures if one.name == "vitals.lcp")
            assert sum(one.total for one in measure.counts(tx, {"entity": SHOP}, *span)) == 1


def test_what_cannot_be_written_down_is_counted_and_what_comes_after_it_is_taken(
    sqlite_url, tmp_path
):
    with telling(sqlite_url, tmp_path) as told:
        told.settle()
        before = LOST_NUMBERS._value.get()
        told.intake.sites = {SHOP: told.intake.sites[SHOP]}
        told.intake._seen[SHOP, "/", "", "desktop", 2**70] = {"lcp": [1.0, 2.0]}  # no such minute
        told.view(lcp=700)
        told.intake.write_down()
        told.view(lcp=900)
        assert told.written_down()  # by the thread, which lives
        told.settle()
        assert counted(read(told, entity=SHOP, by="all")) == {"all": 1}
        assert told.dropped() == {"lost": 3}
        assert LOST_NUMBERS._value.get() - before == 3


def test_what_is_no_beacon_is_counted_and_not_kept(sqlite_url, tmp_path):
    with telling(sqlite_url, tmp_path) as told:
        for body in ("", "{}", "[1]", "x" * 100, '{"e": 1}', "\x00", "[" * 3000):
            assert told.post(body).status == 204
        assert told.post("x" * 10_000).status == 413
        assert told.view(key="another-key", lcp=1).status == 204
        assert told.view(entity="component:default/unknown", lcp=1).status == 204
        assert (
            told.post({"e": SHOP, "k": KEY, "p": "/", "m": {"lcp": -1, "inp": 1e9, "x": 1}}).status
            == 204
        )
        told.settle()
        assert told.dropped() == {"garbage": 8, "unknown": 1, "key": 1, "value": 3}
        assert read(told, entity=SHOP) == {}


def test_an_entity_names_the_sites_that_may_tell(database_url, tmp_path):
    shop = component(
        "shop", **{"pilothouse/vitals-origins": "https://shop.example, https://m.shop.example/"}
    )
    with telling(database_url, tmp_path, shop, group()) as told:
        body = {"e": SHOP, "k": KEY, "p": "/", "m": {"lcp": 900}}
        for origin in ("https://shop.example", "https://evil.example", "https://M.shop.example"):
            answer = told.post(body, Origin=origin, Sec_Fetch_Site="cross-site")
            assert answer.status == 204
            assert answer.headers["access-control-allow-origin"] == "*"
        told.settle()
        assert told.dropped() == {"origin": 1}
        assert counted(read(told, entity=SHOP, by="all")) == {"all": 2}


def test_page_patterns_are_bounded_and_the_rest_is_counted(database_url, tmp_path):
    with telling(database_url, tmp_path) as told:
        names = [f"{a}{b}{c}" for a in "abcdefg" for b in "aeiou" for c in "lmnr"]
        for name in names:
            told.view(f"/{name}", lcp=1000)
        told.settle()
        pages = told.pages()
        assert len(pages) == taking.PAGES
        by_page = counted(read(told, entity=SHOP, by="page"))
        assert set(by_page) == pages | {OTHER}
        assert sum(by_page.values()) == len(names)
        assert told.dropped()["overflow"] == len(names) - taking.PAGES


def test_one_key_cannot_flood(sqlite_url, tmp_path):
    with telling(sqlite_url, tmp_path, component("shop"), component("other"), group()) as told:
        from pilothouse.kernel.web.limits import Buckets
        from pilothouse.vitals.api.beacons import door_of

        door_of(told.portal.program).intake._buckets = Buckets(0.001, 5)
        told.settle()
        for _ in range(12):
            told.view(lcp=1)
        told.view(entity="component:default/other", lcp=1)
        told.settle()
        assert told.dropped() == {"flood": 7} or told.dropped() == {"flood": 8}
        assert counted(read(told, entity="component:default/other", by="all")) == {"all": 1}


def test_a_country_is_believed_of_a_trusted_proxy_only(sqlite_url, tmp_path):
    settings = {"vitals_country_header": "CF-IPCountry", "trusted_proxies": ("127.0.0.0/8",)}
    body = {"e": SHOP, "k": KEY, "p": "/", "m": {"lcp": 900}}
    with telling(sqlite_url, tmp_path, **settings) as told:
        for country in ("DE", "de", "XX", "<b>", "DEU"):
            told.post(body, CF_IPCountry=country)
        told.settle()
        assert counted(read(told, entity=SHOP, by="country")) == {"DE": 2}


def test_a_country_of_anybody_else_is_not_believed(sqlite_url, tmp_path):
    with telling(sqlite_url, tmp_path, vitals_country_header="CF-IPCountry") as told:
        told.post({"e": SHOP, "k": KEY, "p": "/", "m": {"lcp": 900}}, CF_IPCountry="DE")
        told.settle()
        assert read(told, entity=SHOP, by="country") == {}


def test_a_new_key_in_the_catalog_holds_at_once(sqlite_url, tmp_path):
    with telling(sqlite_url, tmp_path, component("shop", key=""), group()) as told:
        told.view(lcp=1)
        told.settle()
        assert told.dropped() == {"unknown": 1}
        told.catalog(component("shop"), group())
        told.view(lcp=1)
        told.settle()
        assert counted(read(told, entity=SHOP, by="all")) == {"all": 1}


def test_objectives_count_page_views_by_the_minute(database_url, tmp_path):
    measure = next(one for one in measuring.measures if one.name == "vitals.lcp")
    with telling(database_url, tmp_path, component("shop"), component("other"), group()) as told:
        for value in (1000, 2000, 3000):
            told.view(lcp=value)
        told.settle()
        told.view(lcp=500, entity="component:default/other")
        told.settle()
        with told.db.read() as tx:
            span = (tx.now - timedelta(minutes=5), tx.now + timedelta(minutes=1))
            one = list(measure.counts(tx, {"entity": SHOP}, *span))
            tight = list(measure.counts(tx, {"entity": SHOP}, *span, below=1500))
            every = list(measure.counts(tx, {}, *span))
        assert (sum(c.good for c in one), sum(c.total for c in one)) == (2, 3)
        assert (sum(c.good for c in tight), sum(c.total for c in tight)) == (1, 3)
        assert sum(c.total for c in every) == 4
        with told.db.begin() as tx:
            store.forget(tx.conn, taking.minute_of(tx.now) + 1, 0)
        with told.db.read() as tx:
            assert list(measure.counts(tx, {}, *span)) == []


def test_what_a_database_that_was_away_did_not_take_is_kept_for_it(
    sqlite_url, tmp_path, monkeypatch
):
    from sqlalchemy.exc import OperationalError

    from pilothouse.vitals.api.beacons import door_of

    with telling(sqlite_url, tmp_path) as told:
        kept = taking.keep
        failing = [True]

        def keep(tx, batch):
            if failing.pop() if failing else False:
                raise OperationalError("away", {}, Exception("away"))
            kept(tx, batch)

        monkeypatch.setattr(taking, "keep", keep)
        told.view(lcp=1)
        door_of(told.portal.program).intake.write_down()
        told.view(lcp=2)
        assert wait_until(lambda: not failing)
        told.settle()
        told.settle()
        assert counted(read(told, entity=SHOP, by="all")) == {"all": 2}


@pytest.mark.parametrize("path", ["/rum/v1/pilothouse.js"])
def test_the_script_may_be_loaded_by_any_site(sqlite_url, tmp_path, path):
    with telling(sqlite_url, tmp_path) as told:
        answer = told.portal.get(path)
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert "set-cookie" not in answer.headers


def test_who_hangs_up_amid_a_beacon_is_no_fault_of_ours(sqlite_url, tmp_path):
    def answered(status):
        labels = {"method": "POST", "route": "/rum/v1/beacon", "status": status}
        return REGISTRY.get_sample_value("pilothouse_http_seconds_count", labels) or 0

    with telling(sqlite_url, tmp_path) as told:
        before, faults = answered("400"), answered("500")
        with socket.create_connection((LOOPBACK, told.portal.port)) as visitor:
            visitor.sendall(
                b"POST /rum/v1/beacon HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50\r\n\r\n{"
            )
        assert wait_until(lambda: answered("400") > before or answered("500") > faults)
        assert answered("500") == faults
