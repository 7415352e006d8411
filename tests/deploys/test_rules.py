"""What runs where and how often, whatever is told in whatever order."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.deploys.model import (
    ENDED,
    GOING_ON,
    WENT_LIVE,
    WRONG,
    Hints,
    Placed,
    Report,
    Running,
    Status,
)
from pilothouse.deploys.rules import environments, matching, measures, standing
from pilothouse.deploys.rules.ledger import Ledger

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
REF = "component:default/checkout"
statuses = st.sampled_from(sorted(Status))
minutes = st.integers(0, 10_000)
instants_of_centuries = st.integers(946_684_800, 7_000_000_000).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)
instants = minutes.map(lambda count: START + timedelta(minutes=count))


@st.composite
def reports(draw):
    number = draw(st.integers(1, 6))
    return Report(
        key=f"d{number}",
        environment=draw(st.sampled_from(["production", "staging"])),
        version=f"1.{number}",
        status=draw(statuses),
        at=draw(instants),
        started_at=draw(instants),
        source="github",
        rollback=draw(st.booleans()),
        joins=draw(st.booleans()),
        unless_known=draw(st.booleans()),
    )


def ledger_of(found):
    ledger = Ledger()
    for report in found:
        ledger.take(report, REF)
    return ledger


@given(st.lists(reports(), max_size=30))
def test_what_runs_is_a_deployment_that_went_live_there(found):
    ledger = ledger_of(found)
    for place in ledger.running.values():
        if place.live is None:
            continue
        one = ledger.deployments[ledger.keys[place.live]]
        assert (one.entity, one.environment) == (place.entity, place.environment)
        assert one.status in WENT_LIVE
        assert one.finished_at is not None
        assert place.version == one.version


@given(st.lists(reports(), max_size=30))
def test_times_and_weeks_fit_each_status(found):
    for one in ledger_of(found).deployments.values():
        assert one.started_at <= one.changed_at
        if one.status in GOING_ON:
            assert one.week is None
        if one.week is not None:
            assert one.production
            assert one.status in ENDED
            assert one.week == standing.monday(one.finished_at)
        if one.recovered_at is not None:
            assert one.status in WRONG or one.status in WENT_LIVE | GOING_ON


@given(st.lists(reports(), max_size=20))
def test_telling_everything_twice_changes_nothing(found):
    once = ledger_of([report for report in found if not report.joins])
    twice = ledger_of([r for report in found if not report.joins for r in (report, report)])
    assert once.deployments == twice.deployments
    assert once.running == twice.running
    assert once.happened == twice.happened


@given(statuses, instants, statuses, instants)
def test_a_word_moves_a_deployment_at_most_one_way(old, old_at, new, new_at):
    there = standing.moves(old, old_at, new, new_at)
    back = standing.moves(new, new_at, old, old_at)
    assert not (there and back)
    assert not standing.moves(old, old_at, old, new_at)


@given(instants_of_centuries)
def test_a_week_is_that_of_iso_8601(at):
    monday = date.fromisoformat(standing.monday(at))
    assert monday.weekday() == 0
    assert monday <= at.date() < monday + timedelta(days=7)
    year, number, _ = at.date().isocalendar()
    assert standing.week_name(monday.isoformat()) == f"{year}-W{number:02}"


@given(st.lists(st.integers(0, 10**9), min_size=3))
def test_a_median_is_one_of_its_values_with_half_on_either_side(values):
    middle = measures.median(values)
    assert middle in values
    assert sum(value < middle for value in values) <= len(values) / 2
    assert sum(value > middle for value in values) <= len(values) / 2


@given(st.lists(st.integers(0, 10**9), max_size=2))
def test_few_values_have_no_median(values):
    assert measures.median(values) is None


weeks = st.tuples(st.integers(0, 50), st.integers(0, 9), st.integers(0, 9)).map(
    lambda row: (row[0], row[0] + row[1], min(row[2], row[0] + row[1]))
)


@given(st.lists(weeks, max_size=12), st.integers(1, 12))
def test_measures_add_up_and_say_nothing_of_nothing(rows, count):
    found = measures.measure(rows, [], [], count)
    assert found.deployments == sum(row[0] for row in rows)
    assert found.lead_s is None
    assert found.recovery_s is None
    assert (found.per_week is None) == (found.deployments == 0)
    assert (found.wrong_share is None) == (found.ended < measures.LEAST)
    if found.wrong_share is not None:
        assert 0 <= found.wrong_share <= 1


@given(st.dates(date(2001, 1, 1), date(2198, 1, 1)), st.integers(1, 60))
def test_weeks_follow_each_other(day, count):
    monday = (day - timedelta(days=day.weekday())).isoformat()
    found = measures.weeks_back(monday, count)
    assert len(found) == count
    assert found[-1] == monday
    assert found == sorted(found)


names = st.from_regex(r"[a-z][a-z0-9]{0,6}(-[a-z]{1,4})?", fullmatch=True)
entities = st.lists(
    st.builds(
        lambda name, folder: Placed(f"component:default/{name}", name, folder),
        names,
        st.sampled_from(["", "a", "a/b", "c"]),
    ),
    max_size=6,
    unique_by=lambda one: one.ref,
)


@given(entities, st.lists(names, max_size=3), st.lists(st.text("abc/", max_size=6), max_size=4))
def test_a_message_always_means_some_of_its_repository(found, words, paths):
    hints = Hints(named=tuple(words), words=tuple(words), paths=tuple(paths))
    meant = matching.meant(found, hints)
    assert set(meant) <= set(found)
    assert bool(meant) == bool(found)


@pytest.mark.parametrize(
    ("hints", "wanted"),
    [
        (Hints(named=("component:default/pay",)), ["pay"]),
        (Hints(named=("pay-web",)), ["pay-web"]),
        (Hints(words=("production-pay",)), ["pay"]),
        (Hints(words=("production/pay-web",)), ["pay-web"]),
        (Hints(words=("payment",), paths=("services/web/x.py",)), ["pay-web"]),
        (Hints(paths=("services/web/x.py", "services/pay/y.py")), ["pay", "pay-web"]),
        (Hints(paths=("services/other/x.py",)), ["pay", "pay-web", "mail"]),
        (Hints(), ["pay", "pay-web", "mail"]),
    ],
)
def test_entities_of_a_repository_are_told_apart_by_what_is_known(hints, wanted):
    found = [
        Placed("component:default/pay", "pay", "services/pay"),
        Placed("component:default/pay-web", "pay-web", "services/web"),
        Placed("component:default/mail", "mail", "services/mail"),
    ]
    assert [one.name for one in matching.meant(found, hints)] == wanted


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ("production-pay", "production"),
        ("pay/production", "production"),
        ("production", "production"),
        ("pay", "pay"),
        ("payroll", "payroll"),
    ],
)
def test_the_name_of_an_entity_is_no_part_of_an_environments(environment, wanted):
    assert matching.without_name(environment, ("pay",)) == wanted


@pytest.mark.parametrize(
    ("name", "production"),
    [
        ("production", True),
        ("Production", True),
        ("prod-eu", True),
        ("eu/live", True),
        ("pre-prod", False),
        ("preprod", False),
        ("non-production", False),
        ("staging", False),
        ("product-demo", False),
        ("release", False),
    ],
)
def test_production_is_told_from_its_name(name, production):
    assert environments.is_production(name) is production


def place(environment, version, hours, **more):
    values = {
        "entity": REF,
        "environment": environment,
        "production": environment.startswith("prod"),
        "live": 1,
        "version": version,
        "since": START + timedelta(hours=hours),
        "latest": 1,
        "latest_version": version,
        "latest_status": Status.SUCCEEDED,
        "latest_at": START,
    }
    return Running(**(values | more))


def test_drift_is_from_the_production_that_was_brought_up_to_date_last():
    found = [
        place("production", "1.0", 5),
        place("prod-us", "0.9", 1),
        place("staging", "1.1", 8),
        place("test", "1.0", 9),
        place("review-7", "0.1", 9, live=None),
    ]
    assert environments.drift(found) == {"prod-us": "older", "staging": "newer"}
    assert environments.drift(found[2:]) == {}


def test_production_comes_first_and_releases_last():
    names = ["release", "dev", "review-7", "prod-eu", "staging", "production", "qa"]
    ranked = sorted(
        names, key=lambda n: environments.rank(n, production=environments.is_production(n))
    )
    assert ranked == ["production", "prod-eu", "staging", "qa", "dev", "review-7", "release"]


def test_what_is_taken_back_is_recovered_from_when_the_version_before_runs_again():
    ledger = ledger_of(
        [
            told(1, Status.SUCCEEDED, 0),
            told(2, Status.SUCCEEDED, 10),
            told(3, Status.FAILED, 20),
            told(2, Status.ROLLED_BACK, 40),
        ]
    )
    recovered = [one.recovered_at for one in ledger.deployments.values()]
    assert recovered == [None, START + timedelta(minutes=40), START + timedelta(minutes=40)]
    place = ledger.running[REF, "production"]
    assert (place.version, place.broken) == ("1.1", 0)


def test_what_is_taken_back_with_nothing_before_it_is_not_recovered_from():
    found = [told(1, Status.SUCCEEDED, 0), told(1, Status.ROLLED_BACK, 10)]
    ledger = ledger_of(found)
    [one] = ledger.deployments.values()
    assert one.recovered_at is None
    assert ledger.running[REF, "production"].broken == 1
    after = ledger_of([*found, told(2, Status.SUCCEEDED, 30)])
    assert next(iter(after.deployments.values())).recovered_at == START + timedelta(minutes=30)


def test_what_failed_and_is_taken_back_went_wrong_from_its_failure_on():
    ledger = ledger_of(
        [
            told(1, Status.SUCCEEDED, 0),
            told(2, Status.FAILED, 10),
            told(2, Status.ROLLED_BACK, 25),
        ]
    )
    one = ledger.deployments[f"d2:{REF}"]
    assert one.finished_at == START + timedelta(minutes=10)
    assert one.recovered_at == START + timedelta(minutes=25)
    assert ledger.running[REF, "production"].version == "1.1"


def test_what_is_said_late_to_be_taken_back_was_over_when_the_next_one_went_live():
    ledger = ledger_of(
        [
            told(1, Status.SUCCEEDED, 0),
            told(2, Status.SUCCEEDED, 10),
            told(3, Status.SUCCEEDED, 30),
            told(2, Status.ROLLED_BACK, 90),
        ]
    )
    assert ledger.deployments[f"d2:{REF}"].recovered_at == START + timedelta(minutes=30)
    assert ledger.running[REF, "production"].version == "1.3"


def told(number, status, at):
    return Report(
        key=f"d{number}",
        environment="production",
        version=f"1.{number}",
        status=status,
        at=START + timedelta(minutes=at),
        source="github",
    )


def test_a_deployment_that_went_live_after_a_failure_ends_all_that_were_broken():
    ledger = ledger_of(
        [
            told(1, Status.SUCCEEDED, 0),
            told(2, Status.FAILED, 10),
            told(3, Status.FAILED, 20),
            told(4, Status.SUCCEEDED, 50),
        ]
    )
    recovered = [one.recovered_at for one in ledger.deployments.values()]
    assert recovered == [None, START + timedelta(minutes=50), START + timedelta(minutes=50), None]
    assert ledger.running[REF, "production"].version == "1.4"
