"""What a page does next, as rules alone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pilothouse.oncall.model.documents import QuietHours
from pilothouse.oncall.model.methods import Answer, Method
from pilothouse.oncall.model.paging import Page, Plan, Rung, Signal, Silence, State, Who
from pilothouse.oncall.rules import choosing, escalation, grouping, quiet, words

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def plan_of(steps: int, repeat: int = 1) -> Plan:
    rungs = tuple(Rung((Who(f"user:default/{n}"),), 5 * MINUTE) for n in range(steps))
    return Plan(policy="p", rungs=rungs, repeat=repeat, last_resort=(Who("user:default/last"),))


def page_of(plan: Plan, **said) -> Page:
    given_ = {"id": "p", "number": 1, "bundle": "b", "entity": "e", "summary": "s"}
    given_ |= {"urgency": "high", "state": State.OPEN, "plan": plan}
    return Page(**given_ | {"opened_at": NOW, "changed_at": NOW} | said)


class Paging(RuleBasedStateMachine):
    """A page whose people come and go: each step reaches somebody or does not."""

    @initialize(steps=st.integers(0, 5), repeat=st.integers(0, 4))
    def begin(self, steps, repeat):
        self.page = page_of(plan_of(steps, repeat))
        self.told: list[int] = []
        self.asked: list[tuple[int, int]] = []

    @rule(data=st.data())
    def nobody_acts(self, data):
        reachable = data.draw(st.sets(st.integers(0, len(self.page.plan.rungs))))
        candidates = escalation.next_stages(self.page)
        assert len({(one.step, one.loop) for one in candidates}) == len(candidates)
        stage = escalation.choose(candidates, lambda one: one.step in reachable)
        if stage is None:
            assert self.page.step == len(self.page.plan.rungs)
            return
        if not any(one.step in reachable for one in candidates):
            assert stage.kind == "last resort"
        assert escalation.who(self.page.plan, stage), "never nobody"
        assert escalation.wait(self.page.plan, stage) > timedelta(0)
        self.asked.append((stage.step, stage.loop))
        self.page = msgspec.structs.replace(
            self.page,
            state=State.OPEN,
            step=stage.step,
            loop=stage.loop,
            round=self.page.round + 1,
        )

    @rule()
    def someone_takes_it_and_forgets(self):
        self.page = msgspec.structs.replace(
            self.page, state=State.ACKNOWLEDGED, round=self.page.round + 1
        )
        self.asked = []

    @rule()
    def it_is_snoozed(self):
        self.page = msgspec.structs.replace(
            self.page, state=State.SNOOZED, round=self.page.round + 1
        )
        self.asked = []

    @invariant()
    def no_step_of_a_pass_is_told_twice(self):
        assert len(set(self.asked)) == len(self.asked)

    @invariant()
    def there_is_always_a_next_step_while_it_is_open(self):
        stages = escalation.next_stages(self.page)
        assert stages or self.page.loop >= self.page.plan.repeat + escalation.AGAIN
        assert not stages or stages[-1].kind == "last resort"


TestPaging = Paging.TestCase


@given(steps=st.integers(0, 6), repeat=st.integers(0, 20))
def test_a_page_that_nobody_takes_ends_with_the_last_resort(steps, repeat):
    page = page_of(plan_of(steps, repeat))
    kinds = []
    while stages := escalation.next_stages(page):
        stage = stages[0]
        kinds.append(stage.kind)
        page = msgspec.structs.replace(page, step=stage.step, loop=stage.loop, round=page.round + 1)
        assert len(kinds) < 1000
    passes = steps * (repeat + 1) if steps else 0
    assert kinds.index("last resort") == passes
    assert set(kinds[passes:]) == {"last resort"}


def test_what_was_planned_is_due_by_its_instant_whatever_the_clock_says():
    page = page_of(plan_of(1), next_at=NOW)
    assert escalation.is_due(page, NOW)
    assert not escalation.is_due(page, NOW + timedelta(microseconds=1))
    over = msgspec.structs.replace(page, state=State.RESOLVED)
    assert not escalation.is_due(over, NOW)
    assert escalation.next_stages(over) == ()


def hours(start, end, **said):
    return msgspec.json.encode(QuietHours(from_=start, to=end, **said)).decode()


NIGHT = hours("22:00", "07:00", time_zone="Europe/Berlin")
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("wall", "end"),
    [
        ("2026-11-23T21:59", None),
        ("2026-11-23T22:00", "2026-11-24T07:00"),
        ("2026-11-24T06:59", "2026-11-24T07:00"),
        ("2026-11-24T07:00", None),
        ("2026-03-29T01:30", "2026-03-29T07:00"),  # the clocks go forward
        ("2026-10-25T01:30", "2026-10-25T07:00"),  # … and back
    ],
)
def test_low_urgency_waits_for_the_morning_in_wall_time(wall, end):
    now = datetime.fromisoformat(wall).replace(tzinfo=BERLIN)
    meant = end and datetime.fromisoformat(end).replace(tzinfo=BERLIN)
    assert quiet.until([NIGHT], "low", now) == meant
    assert quiet.until([NIGHT], "high", now) is None


def test_quiet_hours_that_join_are_one_and_those_without_an_end_last_a_day_at_most():
    weekend = hours("00:00", "24:00", days=("sat", "sun"))
    night = hours("20:00", "08:00")
    friday = datetime(2026, 11, 27, 21, tzinfo=UTC)
    assert quiet.until([night, weekend], "low", friday) == datetime(2026, 11, 30, 8, tzinfo=UTC)
    always = hours("00:00", "24:00")
    assert quiet.until([always], "low", friday) == friday + timedelta(days=1)


@given(st.integers(0, 366 * 24 * 60))
def test_the_end_of_quiet_hours_is_after_now_and_not_quiet(minutes):
    now = NOW + minutes * MINUTE
    end = quiet.until([NIGHT], "low", now)
    if end is not None:
        assert now < end <= now + timedelta(hours=11)
        assert quiet.until([NIGHT], "low", end) is None


def method(name, place=0, after=0, urgency="both", failing=None):
    return Method(
        id=name,
        person="user:default/one",
        channel="ntfy",
        address="",
        hint="",
        place=place,
        after=after,
        urgency=urgency,
        failing_since=failing,
    )


def test_the_first_method_of_each_delay_is_used_and_the_first_at_once():
    found = [method("b", 1, 120), method("a", 0, 60), method("c", 2, 60)]
    assert [(one.method.id, one.after) for one in choosing.chosen(found, "high")] == [
        ("a", timedelta(0)),
        ("b", MINUTE),
    ]
    assert choosing.stand_in(found, "high", {"a", "b"}).id == "c"
    assert choosing.stand_in(found, "high", {"a", "b", "c"}) is None
    assert choosing.chosen([], "high") == []


def test_a_method_that_fails_gives_way_to_one_that_works():
    found = [method("broken", 0, failing=NOW), method("works", 1)]
    assert [one.method.id for one in choosing.chosen(found, "high")] == ["works"]
    assert [one.method.id for one in choosing.chosen(found[:1], "high")] == ["broken"]


def test_methods_have_an_urgency_but_nobody_goes_untold_for_it():
    high, low = method("high", 0, urgency="high"), method("low", 1, urgency="low")
    assert [one.method.id for one in choosing.chosen([high, low], "low")] == ["low"]
    assert [one.method.id for one in choosing.chosen([high], "low")] == ["high"]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0, 60, 120])), max_size=6),
    st.sampled_from(["high", "low"]),
)
def test_whoever_has_a_method_is_told_at_once_and_by_none_twice(ways, urgency):
    found = [method(str(n), place, after) for n, (place, after) in enumerate(ways)]
    chosen = choosing.chosen(found, urgency)
    assert bool(chosen) == bool(found)
    if chosen:
        assert chosen[0].after == timedelta(0)
    assert len({one.method.id for one in chosen}) == len(chosen)
    assert len({one.after for one in chosen}) == len(chosen)


def test_a_provider_is_tried_again_patiently_and_not_waited_for_alone():
    down = Answer(fine=False, status=500)
    first, second = choosing.judge(down, 1, 1.0), choosing.judge(down, 2, 1.0)
    assert (first.again_after, first.next_method) == (timedelta(seconds=1), False)
    assert (second.again_after, second.next_method) == (timedelta(seconds=2), True)
    slow = choosing.judge(Answer(fine=False, status=429, retry_after=30), 1)
    assert slow == choosing.Verdict(timedelta(seconds=30), next_method=True)
    for gone in (Answer(fine=False, hopeless=True), down):
        assert choosing.judge(gone, choosing.MOST_TRIES).again_after is None


def signal(**said):
    return Signal(
        **{"key": "k", "source": "t", "entity": "component:default/a", "summary": "s"} | said
    )


def test_alerts_belong_together_by_system_else_by_entity():
    systems = {"component:default/a": ["system:default/s"]}
    assert grouping.bundle_of(signal(), systems) == "system:default/s"
    assert grouping.bundle_of(signal(entity="system:default/s"), systems) == "system:default/s"
    assert grouping.bundle_of(signal(entity="api:default/b"), systems) == "api:default/b"
    assert grouping.bundle_of(signal(entity=""), systems) == "unknown"
    drill = grouping.open_key("b", signal(drill=True), "")
    assert (
        len({drill, grouping.open_key("b", signal(), ""), grouping.open_key("b", signal(), "p")})
        == 3
    )
    assert len(grouping.open_key("b" * 400, signal(), "p" * 300)) <= grouping.LONGEST


def test_of_one_key_the_last_word_and_the_highest_urgency_count():
    said = [signal(urgency="high"), signal(urgency="low", summary="newer"), signal(key="other")]
    found = grouping.merged(said)
    assert list(found) == ["k", "other"]
    kept, count = found["k"]
    assert (kept.summary, kept.urgency, count) == ("newer", "high", 2)


def silence(**said):
    return Silence(**{"id": "s", "start": NOW, "end": NOW + MINUTE, "why": "w", "by": "b"} | said)


def test_a_silence_is_about_an_entity_and_all_of_its_labels_while_it_lasts():
    both = silence(entity="component:default/a", labels={"x": "1"})
    assert grouping.silenced_by(signal(labels={"x": "1", "y": "2"}), [both], NOW) is both
    assert grouping.silenced_by(signal(labels={"x": "2"}), [both], NOW) is None
    assert grouping.silenced_by(signal(entity="b", labels={"x": "1"}), [both], NOW) is None
    assert grouping.silenced_by(signal(labels={"x": "1"}), [both], NOW + MINUTE) is None
    over = silence(entity="component:default/a", ended_at=NOW)
    assert grouping.silenced_by(signal(), [over], NOW) is None
    assert not grouping.matches(silence(), signal()), "one about nothing silences nothing"


def test_a_notification_says_what_is_in_the_bundle():
    page = page_of(plan_of(1), drill=True)
    counts = tuple((f"component:default/c{n}", 9 - n) for n in range(5))
    contents = words.Contents(40, counts, 3, ("first", "second", "third"))
    assert words.title(page, contents, again=True) == "DRILL: Again: s and 39 more (page 1, high)"
    body = words.body(page, contents, "step 1 of 1", NOW + 12 * MINUTE)
    assert "40 alerts: c0 9, c1 8, c2 7, c3 6, c4 5 and 3 other entities" in body
    assert "- third\n- and 37 more\nSince 2026-11-23 12:00 UTC, 12 minutes ago." in body
