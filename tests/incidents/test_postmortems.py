"""Post-mortems are drafted, asked for, written together, published; their items are escalated."""

from datetime import date, timedelta

import pytest
from tests.incidents.learned import (
    CADENCE,
    LEADS,
    THREE,
    Time,
    drafted,
    items,
    jobs_of,
    notices,
    over,
    published,
    wanted,
    write,
)
from tests.incidents.opened import JONAS, MAYA, ONE, TWO, house_of
from tests.oncall.paged import policy

from pilothouse.incidents.model.postmortems import State
from pilothouse.incidents.service import (
    actions,
    following,
    keeping,
    postmortems,
    showing_postmortems,
    steering,
    writing,
)
from pilothouse.kernel import search
from pilothouse.kernel.actors import SYSTEM, Actor, Role
from pilothouse.kernel.errors import Conflict, Denied, Invalid, NotFound

END = "2027-01-04T00:00:00+00:00"  # two sprints of two weeks after that of 24 November
BEFORE = "2027-01-03T23:59:59+00:00"


@pytest.fixture
def house(database_url, tmp_path):
    with house_of(database_url, tmp_path) as found:
        yield found


@pytest.fixture
def time(monkeypatch):
    return Time(monkeypatch)


def whole(house, incident, actor=MAYA):
    with house.program.db.read(actor) as tx:
        return postmortems.whole(tx, incident.id)


def act(house, function, *said, actor=MAYA):
    with house.program.db.begin(actor) as tx:
        return function(tx, *said)


def test_severity_requires_one_by_a_working_day_and_it_is_asked_for_until_written(time, house):
    mild = house.open(severity=3)
    house.do(steering.resolve, mild, "Mended.")
    rehearsal = house.open(severity=1, drill=True)
    house.do(steering.resolve, rehearsal, "Mended.")
    incident = drafted(house)
    found = whole(house, incident)
    assert found.postmortem.due_on == date(2026, 12, 1)  # five working days after a Tuesday
    assert "Resolved. Rolled back." in found.text("timeline")
    for other in (mild, rehearsal):
        with pytest.raises(NotFound):
            whole(house, other)
    told = [title for _, title in notices(house)]
    assert told
    assert "is to be written" in told[0]
    for day in (1, 2, 3):
        time.go(f"2026-12-0{1 + day}T09:00:00+00:00")
        assert following.ask(house.program.db) == 1
        assert following.ask(house.program.db) == 0
    write(house, incident)
    act(house, postmortems.publish, incident.id)
    time.go(timedelta(days=1))
    assert following.ask(house.program.db) == 0


def test_by_hand_one_is_drafted_for_whatever_is_no_rehearsal(house):
    mild = house.open(severity=4)
    assert house.do(postmortems.draft, mild)
    assert not house.do(postmortems.draft, mild)
    assert whole(house, mild).postmortem.due_on is None
    with pytest.raises(Conflict, match="rehearsal"):
        house.do(postmortems.draft, house.open(drill=True))


def test_nobodys_text_is_lost_when_two_write(house):
    incident = drafted(house)
    act(house, postmortems.save, incident, "helped", "one\n\ntwo\n\nthree", 1)
    mine = act(house, postmortems.save, incident, "helped", "ONE\n\ntwo\n\nthree", 2)
    theirs = act(house, postmortems.save, incident, "helped", "one\n\ntwo\n\nTHREE", 2, actor=JONAS)
    assert (mine.merged, theirs.merged) == (False, True)
    assert whole(house, incident).text("helped") == "ONE\n\ntwo\n\nTHREE"
    with pytest.raises(postmortems.Clash) as clash:
        act(house, postmortems.save, incident, "helped", "uno\n\ntwo\n\nTHREE", 2)
    assert clash.value.newest.text == "ONE\n\ntwo\n\nTHREE"
    assert clash.value.text.startswith("uno")
    with house.program.db.read() as tx:
        kept = postmortems.versions(tx, incident, "helped")
    assert [one.version for one, _ in kept] == [4, 3, 2, 1]
    assert ("+", "ONE") in kept[1][1]


@pytest.mark.usefixtures("time")
def test_one_is_published_when_it_says_something_and_its_incident_is_over(house):
    incident = drafted(house)
    with pytest.raises(Invalid, match="Contributing causes"):
        act(house, postmortems.publish, incident.id)
    write(house, incident)
    house.do(steering.reopen, incident)
    with pytest.raises(Conflict, match="still open"):
        act(house, postmortems.publish, incident.id)
    house.do(steering.resolve, house.now(incident), "Mended.")
    found = act(house, postmortems.publish, incident.id)
    assert found.postmortem.ends_on == date(2027, 1, 4)
    again = act(house, postmortems.publish, incident.id)
    assert again.postmortem.published_at == found.postmortem.published_at
    with house.program.db.read(MAYA) as tx:
        found = search.find(tx, "setting not tried")
        assert "Post-mortem: Checkout is down" in [one.title for one in found]


@pytest.mark.usefixtures("time")
def test_there_is_no_fourth_and_a_dropped_one_keeps_its_place(house):
    incident = published(house, wanted("a"), wanted("b"))
    act(house, actions.add, incident.id, wanted("c"))
    act(house, actions.drop, incident.id, 2, "Not worth it.")
    with pytest.raises(Conflict, match="keep this thought as a note"):
        act(house, actions.add, incident.id, wanted("d"))
    act(house, postmortems.note, incident, "d, perhaps")
    assert whole(house, incident).text("notes") == "d, perhaps"
    assert [one.title for one in items(house, incident)] == ["a", "b", "c"]


@pytest.mark.parametrize("owner", ["group:default/shop", "user:default/stranger", "maya", ""])
def test_an_item_is_one_persons_of_the_catalog(house, owner):
    incident = drafted(house)
    with pytest.raises(Invalid):
        act(house, actions.add, incident.id, wanted(owner=owner))


@pytest.mark.usefixtures("time")
def test_an_item_is_done_with_evidence_and_dropped_by_name_with_a_reason(house):
    incident = published(house, wanted("a"), wanted("b"))
    with pytest.raises(Invalid, match="evidence"):
        act(house, actions.done, incident.id, 1, " ")
    done = act(house, actions.done, incident.id, 1, "https://shop.example/alerts/1")
    assert done.state is State.DONE
    for nobody in (SYSTEM, Actor("token:ci", "ci", Role.ADMIN)):
        with pytest.raises(Denied):
            act(house, actions.drop, incident.id, 2, "no", actor=nobody)
    with pytest.raises(Invalid, match="reason"):
        act(house, actions.drop, incident.id, 2, "")
    act(house, actions.drop, incident.id, 2, "Another team does it.")
    found = items(house, incident)
    assert [one.closed_by for one in found] == [ONE, ONE]
    for slot in (1, 2):
        with pytest.raises(Conflict):
            act(house, actions.done, incident.id, slot, "again")


def test_what_is_not_done_is_escalated_once_and_those_are_told_who_must_know(time, house):
    house.paged.say(policy(), LEADS)
    incident = published(house, wanted("a"), wanted("b", owner=TWO))
    act(house, actions.done, incident.id, 2, "seen")
    time.go(BEFORE)
    following.look(house.program.db)
    assert [one.state for one in items(house, incident)] == [State.OPEN, State.DONE]
    time.go(END)
    following.look(house.program.db)
    following.look(house.program.db)
    assert [one.state for one in items(house, incident)] == [State.ESCALATED, State.DONE]
    told = [person for person, title in notices(house) if title.startswith("Escalated")]
    assert sorted(told) == sorted({ONE, THREE, TWO})  # whose it is, the lead, the service's owners
    assert house.types().count("incidents.action_escalated") == 1
    act(house, actions.drop, incident.id, 1, "We leave it.")
    assert items(house, incident)[0].state is State.DEPRIORITIZED


def test_the_job_of_the_second_sprints_end_escalates_without_the_sweep(time, house):
    incident = published(house, wanted("a"))
    assert jobs_of(house, postmortems.FOLLOW) == 1
    time.go(END)
    with house.program.db.begin() as tx:  # sooner: on PostgreSQL the database's clock counts
        tx.enqueue(postmortems.FOLLOW, {"postmortem": incident.id}, key=incident.id)
    house.paged.work(postmortems.FOLLOW)
    assert items(house, incident)[0].state is State.ESCALATED
    assert jobs_of(house, postmortems.FOLLOW) == 0


def test_nothing_resets_when_an_item_is_escalated(time, house):
    """Every route: deadline, cadence, merging, splitting, reopening, restricting, drafts, files."""
    incident = published(house, wanted("a"))
    one = items(house, incident)[0]

    with pytest.raises(Invalid, match="too late"):
        act(house, actions.change, incident.id, 1, wanted("a", "2027-01-04"))
    act(house, actions.change, incident.id, 1, wanted("a, said better", "2027-01-03", TWO))
    house.paged.say(policy(), CADENCE % "26w")
    other = house.open("Another", severity=2)
    house.do(steering.reopen, house.now(incident))
    house.do(steering.set_severity, house.now(incident), 4)
    house.do(steering.merge, house.now(incident), house.now(other))
    house.do(steering.resolve, house.now(other), "Mended.")
    following.look(house.program.db)
    act(house, postmortems.publish, incident.id)
    with pytest.raises((Invalid, Conflict)):
        act(house, postmortems.waive, incident.id, "not needed")
    body = house.ask(keeping.markdown, incident.id)
    edited = body.replace("2027-01-03", "2030-01-01").replace("| open |", "| done |")
    edited = edited.replace("A setting was not tried.", "A setting was not tried, twice.")
    with house.program.db.begin() as tx:
        assert keeping.take_in(tx, f"incident-{incident.number}.md", edited) == 1
    house.do(steering.restrict, house.now(incident), [TWO])
    gone = ("action_", "postmortem_published", "postmortem_edited")
    assert not [name for name in house.types() if name.partition(".")[2].startswith(gone)]

    after = items(house, incident)[0]
    assert (after.escalates_at, after.slot, after.state) == (one.escalates_at, 1, State.OPEN)
    assert after.due_on == date(2027, 1, 3)
    time.go(END)
    following.look(house.program.db)
    assert items(house, incident)[0].state is State.ESCALATED
    with pytest.raises(Conflict, match="no new deadline"):
        act(house, actions.change, incident.id, 1, wanted("a", "2027-01-20"))
    with pytest.raises(Conflict, match="two sprints"):
        act(house, actions.add, incident.id, wanted("again", "2027-01-20"))


@pytest.mark.usefixtures("time")
def test_a_draft_with_items_is_not_waived_and_one_without_is_by_name(house):
    incident = drafted(house)
    with pytest.raises(Denied):
        act(house, postmortems.waive, incident.id, "no need", actor=SYSTEM)
    act(house, postmortems.waive, incident.id, "A known fault of the test lab.")
    assert whole(house, incident).postmortem.waived_by == ONE
    assert following.ask(house.program.db) == 0
    act(house, postmortems.take_up, incident.id)
    act(house, actions.add, incident.id, wanted("a"))
    with pytest.raises(Conflict, match="action items"):
        act(house, postmortems.waive, incident.id, "no need")


def test_lines_of_the_incident_are_picked_in_the_order_of_time(time, house):
    incident = drafted(house)
    time.go(timedelta(minutes=5))
    house.do(writing.note, house.now(incident), "It was the *cache*,\nafter all.")
    with house.program.db.read(MAYA) as tx:
        found = showing_postmortems.picks(tx, postmortems.whole(tx, incident.id))
        chosen = next(one for one in found if "cache" in one.words)
    act(house, postmortems.pick, incident, [chosen.id, "nothing"])
    lines = whole(house, incident).text("timeline").split("\n")
    assert lines[-1] == "- 2026-11-24 10:05 UTC: It was the *cache*, after all."
    assert lines == sorted(lines)
    again = act(house, postmortems.pick, incident, [chosen.id])
    assert again.text.count("cache") == 1


def test_one_item_that_cannot_be_escalated_does_not_hold_up_the_others(time, house, monkeypatch):
    incident = published(house, wanted("a"), wanted("b"))
    first = items(house, incident)[0].id
    time.go(END)
    real = following.escalate

    def fail(tx, action):
        if action == first:
            raise RuntimeError("no")
        return real(tx, action)

    monkeypatch.setattr(following, "escalate", fail)
    with pytest.raises(RuntimeError):
        following.look(house.program.db)
    assert [one.state for one in items(house, incident)] == [State.OPEN, State.ESCALATED]


class Killed(Exception):
    """The process died here."""


def test_a_kill_between_any_two_statements_of_an_escalation_loses_nothing(time, house):
    """At each statement in turn the process dies; the next one escalates once, and tells all."""
    incident = published(house, wanted("a"))
    action = items(house, incident)[0]
    time.go(END)
    died = _dying_at_each(house, action.id)
    assert died > 5
    following.escalate_due(house.program.db)
    assert items(house, incident)[0].state is State.ESCALATED
    assert house.types().count("incidents.action_escalated") == 1
    told = [person for person, title in notices(house) if title.startswith("Escalated")]
    assert ONE in told
    assert len(told) == len(set(told))


def _dying_at_each(house, action):
    """How many statements there were when it went through at last."""
    for left in range(200):
        try:
            with house.program.db.begin() as tx:
                tx.conn = _Mortal(tx.conn, left)
                following.escalate(tx, action)
        except Killed:
            continue
        return left
    raise AssertionError("it never went through")


class _Mortal:
    """A connection by which so many statements are made before the process dies."""

    def __init__(self, real, left):
        self._real, self._left = real, left

    def execute(self, *said, **more):
        if not self._left:
            raise Killed
        self._left -= 1
        return self._real.execute(*said, **more)

    def __getattr__(self, name):
        return getattr(self._real, name)


def test_reminders_come_once_each_and_after_the_deadline_every_week(time, house):
    incident = published(house, wanted("a", "2026-12-10"))
    seen = []
    for _ in range(34):
        time.go(timedelta(days=1))
        following.remind(house.program.db)
        seen.append(items(house, incident)[0].reminded)
    told = list(dict.fromkeys(seen))
    assert told[:5] == ["", "7 before", "3 before", "1 before", "today"]
    assert "over 1" in told


@pytest.mark.usefixtures("time")
def test_what_people_have_who_left_is_their_leads(house):
    house.paged.say(policy(), LEADS)
    incident = published(house, wanted("a", owner=TWO))
    path = house.paged.folder / "catalog-info.yaml"
    path.write_text(path.read_text().replace("name: two", "name: someone"))
    from pilothouse.catalog import jobs as catalog_jobs

    catalog_jobs.look(house.program, str(house.paged.folder))
    assert following.hand_over(house.program.db) == 1
    assert items(house, incident)[0].owner == THREE
    assert following.hand_over(house.program.db) == 0


def test_of_a_restricted_incident_only_those_know_who_may(time, house):
    incident = over(house, restricted=True, people=(TWO,))
    following.look(house.program.db)
    write(house, incident)
    act(house, actions.add, incident.id, wanted("a", owner=TWO))
    act(house, postmortems.publish, incident.id)
    with pytest.raises(NotFound):
        whole(house, incident, Actor("local:else", "Else", Role.ADMIN))
    assert house.ask(keeping.files) == {}
    time.go(END)
    following.look(house.program.db)
    told = {person for person, title in notices(house) if title.startswith("Escalated")}
    assert told <= {ONE, TWO}
    assert not [name for name in house.types() if "action" in name or "postmortem" in name]
