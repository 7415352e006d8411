"""Objectives from a document to an alert, on both databases."""

from datetime import timedelta
from threading import Thread

import pytest
from tests.objectives.following import SLO, changed, followed

from pilothouse.kernel.alerts.model import CLEARED, RAISED
from pilothouse.objectives.model.objectives import State
from pilothouse.objectives.service import measuring
from pilothouse.objectives.service.turning import BURNING, CALM


@pytest.fixture
def follows(database_url, tmp_path):
    with followed(database_url, tmp_path) as found:
        yield found


def measured(measure="bells.rung", **spec):
    source = {"type": "pilothouse", "spec": {"measure": measure, **spec}}
    return {"spec": {"thresholdMetric": {"metricSource": source}}}


def test_what_nobody_measured_is_unknown_and_alerts_nobody(follows):
    follows.say(SLO)
    follows.judge()
    found = follows.one()
    assert (found.state, found.left, found.burn) == (State.UNKNOWN, None, None)
    page = follows.page("/objectives/default/checkout-works/1")
    assert "unknown, neither good nor bad" in page
    assert "100%" not in page
    assert not follows.happened(RAISED, BURNING)


def test_an_objective_that_burns_pages_once_and_is_calm_again(follows):
    follows.bells.ring(range(400, 0, -1), 100, 100)
    follows.say(SLO)
    follows.judge()
    assert follows.one().state is State.CALM
    follows.bells.ring(range(60, 0, -1), 50, 100)
    follows.judge_late()
    follows.judge_late()
    assert follows.one().state is State.PAGE
    (burning,) = follows.happened(BURNING)
    assert burning.entities == ("component:default/checkout", "slo:default/checkout-works")
    (alert,) = follows.happened(RAISED)
    assert alert.data["urgency"] == "high"
    assert alert.data["href"] == "/objectives/default/checkout-works/1"
    assert "Checkout works burns its error budget" in alert.data["summary"]
    follows.bells.ring(range(60, 0, -1), 100, 100)
    follows.judge_late()
    assert follows.one().state is State.CALM
    assert len(follows.happened(CALM)) == 1
    assert len(follows.happened(CLEARED)) == 1


def test_a_slow_burn_is_a_ticket_of_low_urgency(follows):
    follows.bells.ring(range(6 * 24 * 60, 0, -1), 989, 1000)
    follows.say(SLO)
    follows.judge()
    assert follows.one().state is State.TICKET
    (alert,) = follows.happened(RAISED)
    assert alert.data["urgency"] == "low"


def test_two_replicas_that_judge_at_once_make_one_alert(follows):
    follows.bells.ring(range(60, 0, -1), 0, 10)
    follows.say(SLO)
    with follows.program.db.read() as tx:
        pieces = measuring.due(tx)
        counts = [measuring.read_ours(tx, one, follows.program.measures) for one in pieces]
    for _ in range(10):  # until now is reached
        follows.read()
    assert counts
    with follows.program.db.read() as tx:
        found = measuring.judge_all(tx)
    assert found[0].judged.state is State.PAGE

    def settle():
        with follows.program.db.begin() as tx:
            measuring.settle(tx, found)

    threads = [Thread(target=settle) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(follows.happened(RAISED)) == 1


def test_few_events_are_said_and_alert_nobody(follows):
    follows.bells.ring([30, 3, 2], 0, 1)
    follows.say(SLO)
    follows.judge()
    assert follows.one().state is State.CALM
    page = follows.page("/objectives/default/checkout-works/1")
    assert "Too few events" in page
    assert "Fewer than 10 events" in page


def test_the_budget_is_what_a_look_at_every_minute_says(follows):
    follows.bells.ring(range(3000, 0, -7), 40, 41)
    follows.bells.ring(range(1500, 1400, -1), 3, 9)
    follows.say(SLO)
    follows.judge()
    good = sum(one for one, _ in follows.bells.rung.values())
    total = sum(all_of for _, all_of in follows.bells.rung.values())
    expected = 1 - (total - good) / (0.01 * total)
    assert follows.one().left == pytest.approx(expected)


def test_counts_that_come_late_are_read_again(follows):
    follows.bells.ring(range(30, 0, -1), 10, 10)
    follows.say(SLO)
    follows.judge()
    before = follows.one().left
    follows.bells.ring([5], 0, 10)
    follows.judge()
    assert follows.one().left < before


def test_a_threshold_is_handed_to_the_measure(follows):
    indicator = measured(below="800ms", labels={"bell": "big"})
    follows.say(changed(indicator=indicator))
    follows.judge()
    assert ({"bell": "big"}, 800.0) in follows.bells.asked


def test_the_value_of_an_objective_is_its_threshold(follows):
    follows.bells.ring(range(30, 0, -1), 4, 10)  # 4 of 10 are under the value
    over = [{"target": 0.5, "op": "gt", "value": 250}]
    follows.say(changed(indicator=measured(), objectives=over))
    follows.judge()
    assert ({}, 250.0) in follows.bells.asked
    assert follows.one().good == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"indicator": measured("bells.rang")}, "probably bells.rung is meant"),
        ({"indicator": measured(labels={"bel": "big"})}, "probably bell is meant"),
        ({"indicator": None, "indicatorRef": "other"}, "there is no SLI called other"),
        ({"budgetingMethod": "RatioTimeslices",
          "objectives": [{"target": 0.9, "timeSliceWindow": "7m"}]}, "does not divide an hour"),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_shown_with_its_reason(follows, spec, words):
    follows.say(changed(**spec))
    follows.judge()
    assert words in follows.one().objective.flaw
    assert words in follows.page("/objectives/default/checkout-works/1")
    assert "Not measured" in follows.page("/objectives")


def test_objectives_follow_their_documents(follows):
    follows.bells.ring(range(60, 0, -1), 0, 10)
    follows.say(SLO)
    follows.judge()
    assert follows.one().objective.owner == "group:default/shop"
    targets = [{"target": 0.5, "displayName": "Soft"}, {"targetPercent": 99.9}]
    follows.say(changed(objectives=targets))
    assert [one.objective.target for one in follows.all()] == [0.5, 0.999]
    follows.say("")
    assert follows.all() == []
    assert [event.data["key"] for event in follows.happened(CLEARED)] == [
        "objectives:slo:default/checkout-works#1"
    ]


def test_own_alert_policies_take_the_place_of_the_usual_rules(follows):
    condition = {
        "kind": "AlertCondition",
        "metadata": {"name": "fast"},
        "spec": {
            "severity": "page",
            "condition": {
                "kind": "burnrate", "op": "gte", "threshold": 2,
                "lookbackWindow": "1h", "alertAfter": "5m",
            },
        },
    }  # fmt: skip
    spec = {"conditions": [condition]}
    policy = {"kind": "AlertPolicy", "metadata": {"name": "own"}, "spec": spec}
    follows.say(changed(alertPolicies=[policy]))
    (rule,) = follows.one().objective.rules
    assert (rule.severity, rule.factor, rule.long) == ("page", 2, timedelta(hours=1))
    assert "own alert policies" in follows.page("/objectives/default/checkout-works/1")


def test_slices_count_minutes_not_events(follows):
    follows.bells.ring(range(120, 0, -1), 100, 100)
    follows.bells.ring(range(20, 10, -1), 10, 100)
    target = [{"target": 0.9, "timeSliceTarget": 0.95, "timeSliceWindow": "1m"}]
    window = [{"duration": "1d", "isRolling": True}]
    follows.say(changed(budgetingMethod="Timeslices", objectives=target, timeWindow=window))
    follows.judge()
    assert follows.one().left == pytest.approx(1 - 10 / (0.1 * 1440))


def test_what_no_window_needs_is_forgotten_little_by_little(follows):
    follows.bells.ring(range(60, 0, -1), 10, 10)
    follows.say(SLO)
    follows.judge()
    with follows.program.db.begin() as tx:
        assert not measuring.forget(tx)
        tx.now += timedelta(days=30)
        assert measuring.forget(tx)
        assert not measuring.forget(tx)


def test_episodes_name_what_happened_then(follows):
    from pilothouse.kernel.events import Event

    follows.bells.ring(range(300, 0, -1), 10, 10)
    follows.bells.ring(range(3, 0, -1), 0, 10)
    follows.say(SLO)
    with follows.program.db.begin() as tx:
        tx.now -= timedelta(minutes=2)
        tx.emit(
            Event(
                type="checks.failed",
                entities=("check:default/pay", "component:default/checkout"),
                data={"title": "Pay", "verdict": {"words": "failed from 5 of 11 locations"}},
            )
        )
    follows.judge()
    page = follows.page("/objectives/default/checkout-works/1")
    assert "Spent by what" in page
    assert "Pay failed from 5 of 11 locations" in page


def test_pages_say_the_worst_first(follows):
    follows.bells.ring(range(60, 0, -1), 0, 10)
    follows.say(SLO, changed(indicator=measured("deploys.finished")).replace(
        '"checkout-works"', '"quiet"').replace("Checkout works", "Quiet"))  # fmt: skip
    follows.judge()
    page = follows.page("/objectives")
    assert page.index("Checkout works") < page.index("Quiet")
    assert "1 objective burns its error budget" in page
    assert "Checkout works" in follows.page("/")
    assert "objectives-of" in follows.page("/catalog/component/default/checkout")
    team = follows.page("/catalog/group/default/shop")
    assert "Error-budget burn rate" in team
    assert team.count("/objectives/default/checkout-works/1") == 1  # no number twice
    assert "Nothing matches" in follows.page("/objectives?q=nothing-like-it")
    assert follows.portal.get("/objectives/default/none/1").status == 404
