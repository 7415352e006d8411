"""Checks and locations follow the catalog, and their problems are told with their place."""

import pytest
from tests.checks.watched import CHECK, SERVICE, check, places, watching_over

from pilothouse.checks.model.verdicts import State
from pilothouse.checks.store import reading


@pytest.fixture
def watched(database_url, tmp_path):
    with watching_over(database_url, tmp_path) as found:
        yield found


def known(watched, ref=CHECK):
    with watched.db.read() as tx:
        return reading.by_ref(tx.conn, [ref]).get(ref)


def told(watched):
    return [
        (one.code, one.line, one.column, one.field)
        for one in watched.problems()
        if one.code.startswith(("check-", "location-"))
    ]


def test_a_check_is_owned_as_what_it_watches(watched):
    watched.catalog(places(), check())
    found = known(watched)
    assert (found.entity, found.owner, found.critical) == (SERVICE, "group:default/team-a", True)
    assert found.fault == ""
    assert told(watched) == []


def test_a_plan_names_the_checks_of_a_location_and_changes_with_them(watched):
    watched.catalog(
        places(),
        check(locations=["eu-1"]),
        check("all"),
        check("us", locations={"regions": ["us"]}),
    )
    assert [one.check for one in watched.plan("eu-1").checks] == ["check:default/all", CHECK]
    assert [one.check for one in watched.plan("us-1").checks] == [
        "check:default/all",
        "check:default/us",
    ]
    before = watched.plan("eu-1").checks[1].version
    watched.catalog(places(), check(locations=["eu-1"], timeout="2s"))
    after = watched.plan("eu-1").checks
    assert [one.check for one in after] == [CHECK]
    assert after[0].version != before


BAD = """apiVersion: pilothouse/v1
kind: Check
metadata: {name: pay}
spec:
  entity: component:default/shop
  every: 5s
  http: {url: ftp://shop.example}
  expect:
    - status == 200
    - "status >"
  locations: [eu-1, eu-9]
  maintenance:
    - {start: 2026-12-01T02:00, for: 2h, time_zone: Europe/Berlim}
"""


def test_each_fault_of_a_document_is_told_where_it_stands(watched):
    watched.catalog(places(), BAD)
    first = known(watched)
    assert first.version == ""
    assert "there is no location 'eu-9'" in first.fault
    line = 1 + (watched.folder / "catalog-info.yaml").read_text().splitlines().index("  every: 5s")
    assert told(watched) == [
        ("check-duration", line, 3, "spec.every"),
        ("check-address", line + 1, 10, "spec.http.url"),
        ("check-expression", line + 4, 16, "spec.expect.1"),
        ("check-location", line + 5, 21, "spec.locations.1"),
        ("check-maintenance", line + 7, 7, "spec.maintenance.0"),
    ]


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"http": None}, "check-type"),
        ({"tcp": {"host": "a.example", "port": 1}}, "check-type"),
        ({"timeout": "1m"}, "check-duration"),
        ({"locations": {"regions": ["mars"]}}, "check-location"),
        ({"locations": []}, "check-location"),
        ({"http": None, "heartbeat": {}}, "check-schedule"),
        ({"http": None, "heartbeat": {"cron": "61 * * * *"}}, "check-schedule"),
        (
            {"http": None, "heartbeat": {"cron": "0 3 * * *", "time_zone": "Mars/X"}},
            "check-time-zone",
        ),
        ({"http": None, "journey": {"script": "absent.py"}}, "check-script"),
        ({"http": None, "journey": {"script": "../out.py"}}, "check-script"),
        (
            {"http": None, "journey": {"steps": [{"click": "a", "goto": "https://b.example"}]}},
            "check-script",
        ),
        ({"http": None, "journey": {"steps": [{"goto": "file:///etc/passwd"}]}}, "check-script"),
        ({"expect": ["body.contains(1"]}, "check-expression"),
    ],
)
def test_what_cannot_be_visited_is_a_problem_and_not_in_the_plan(watched, spec, code):
    watched.catalog(places(), check(**spec))
    assert [found for found, *_ in told(watched)] == [code]
    assert watched.plan("eu-1").checks == ()


def test_a_mistake_in_a_document_leaves_the_check_visited_as_it_was(watched):
    watched.catalog(places(), check(expect=["status == 200"]))
    before = watched.plan("eu-1").checks
    watched.catalog(places(), check(expect=["status =="]))
    assert watched.plan("eu-1").checks == before
    assert "cannot be read" in known(watched).fault
    watched.catalog(places(), check(expect=["status == 201"]))
    assert watched.plan("eu-1").checks[0].spec.expect == ("status == 201",)
    assert told(watched) == []


def test_a_journey_brings_its_script_and_is_another_version_when_it_changes(watched):
    journey = {"http": None, "journey": {"script": "walk.py"}, "timeout": "30s"}
    watched.catalog(places(), check(**journey), walk__py="async def journey(page, step): ...\n")
    first = watched.plan("eu-1").checks[0]
    assert first.spec.journey.code.startswith("async def")
    (watched.folder / "walk.py").write_text("async def journey(page, step): return\n")
    watched.look()
    assert watched.plan("eu-1").checks[0].version != first.version


def test_a_check_that_left_the_catalog_is_no_more_and_its_alert_is_taken_back(watched):
    watched.catalog(places(), check(), check("other"))
    for location in ("eu-1", "eu-2", "eu-3", "us-1", "us-2", "ap-1"):
        watched.see(location)
    watched.after(20)
    for location in ("us-1", "eu-1", "ap-1", "eu-2", "us-2", "eu-3"):
        watched.see(location, "failed")
        watched.after(1)
        watched.see(location, "failed")
    assert watched.state().state is State.FAILED
    watched.catalog(places(), check("other"))
    assert known(watched) is None
    assert watched.events("alerts.%")[-1] == "alerts.cleared"
    assert [one.check for one in watched.plan("eu-1").checks] == ["check:default/other"]
    refused = watched.see("eu-1").refused
    assert refused[0][1] == "there is no check check:default/pay"


def test_locations_that_come_later_mend_the_checks_that_name_them(watched):
    watched.catalog(places(("eu-1",)), check(locations=["eu-1", "us-1"]))
    assert [code for code, *_ in told(watched)] == ["check-location"]
    watched.catalog(places(("eu-1", "us-1")), check(locations=["eu-1", "us-1"]))
    assert told(watched) == []
