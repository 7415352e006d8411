"""Incidents are opened, steered, merged and split; few know of those that are restricted."""

from datetime import timedelta

import pytest
from tests.incidents.opened import ALONE, CART, CHECKOUT, JONAS, MAYA, ONE, TWO, house_of

from pilothouse.incidents.model.incidents import MERGED, OPENED, RESOLVED, SPLIT, Status
from pilothouse.incidents.service import drilling, opening, reading, showing, steering, writing
from pilothouse.kernel import search
from pilothouse.kernel.errors import Conflict, Invalid, NotFound
from pilothouse.oncall.service import paging

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


@pytest.fixture
def house(database_url, tmp_path):
    with house_of(database_url, tmp_path) as found:
        yield found


def test_a_page_of_high_urgency_opens_one_incident_and_those_of_its_system_join(house):
    page = house.paged.take(CHECKOUT, "a")
    house.heard()
    found = house.ask(reading.open_incidents)
    assert [(one.title, one.entity, one.severity) for one in found] == [("a is bad", CHECKOUT, 2)]
    with house.program.db.begin() as tx:
        again = opening.from_page(tx, page.id)
    assert again.id == found[0].id
    house.do(steering.take_role, found[0], "commander")
    with house.program.db.begin() as tx:
        paging.resolve(tx, page.id, "somebody", "cli")
    other = house.paged.take(CART, "b")
    house.heard()
    assert other.id != page.id
    pages = house.ask(reading.pages_of, [found[0].id])
    assert pages == {page.id: "it opened this incident", other.id: "by rule: the same system"}


def test_a_page_of_low_urgency_opens_none(house):
    house.paged.take(ALONE, "a", urgency="low")
    house.heard()
    assert house.ask(reading.open_incidents) == []


def test_the_first_acknowledgement_is_the_incidents(house):
    page = house.paged.take(CHECKOUT)
    house.heard()
    with house.program.db.begin(MAYA) as tx:
        paging.acknowledge(tx, page.id, ONE, "page")
    house.heard()
    assert house.ask(reading.open_incidents)[0].acknowledged_at is not None


def test_with_its_last_page_an_incident_is_over_and_the_same_soon_after_reopens_it(house):
    page = house.paged.take(CHECKOUT)
    house.heard()
    incident = house.ask(reading.open_incidents)[0]
    with house.program.db.begin() as tx:
        paging.clear(tx, "k")
    house.heard()
    assert house.now(incident).status is Status.RESOLVED
    again = house.paged.take(CHECKOUT)
    assert again.id != page.id
    house.heard()
    assert house.now(incident).status is Status.INVESTIGATING
    assert len(house.ask(reading.recent)) == 1


def test_whoever_works_on_it_decides_when_it_is_over(house):
    house.paged.take(CHECKOUT)
    house.heard()
    incident = house.ask(reading.open_incidents)[0]
    house.do(steering.take_role, incident, "commander")
    with house.program.db.begin() as tx:
        paging.clear(tx, "k")
    house.heard()
    assert house.now(incident).status is Status.MONITORING


def test_what_lasts_of_low_urgency_keeps_its_page_but_not_the_incident(house):
    page = house.paged.take(CHECKOUT, "down")
    house.paged.take(CART, "burns", urgency="low")
    house.heard()
    incident = house.ask(reading.open_incidents)[0]
    with house.program.db.begin() as tx:
        paging.clear(tx, "down")
    house.heard()
    assert (house.paged.page(page).state, house.paged.page(page).urgency) == ("open", "low")
    assert house.now(incident).status is Status.RESOLVED
    assert "All its urgent alerts are over." in house.told()
    house.paged.take(CHECKOUT, "down again")
    house.heard()
    assert house.paged.page(page).urgency == "high"
    assert house.now(incident).status is Status.INVESTIGATING
    for key in ("burns", "down again"):
        with house.program.db.begin() as tx:
            paging.clear(tx, key)
    house.heard()
    assert house.paged.page(page).state == "resolved"
    assert house.now(incident).status is Status.RESOLVED


def test_a_page_that_a_person_put_there_keeps_the_incident_open(house):
    house.paged.take(CHECKOUT, "down")
    house.heard()
    incident = house.ask(reading.open_incidents)[0]
    other = house.paged.take(ALONE, "slow", urgency="low")
    house.do(steering.move_page, incident, str(other.number))
    with house.program.db.begin() as tx:
        paging.clear(tx, "down")
    house.heard()
    assert house.now(incident).status is Status.INVESTIGATING


def test_what_is_said_again_as_urgent_opens_an_incident(house):
    house.paged.take(ALONE, "slow", urgency="low")
    house.heard()
    assert house.ask(reading.open_incidents) == []
    house.paged.take(ALONE, "slow", urgency="high")
    house.heard()
    assert [one.entity for one in house.ask(reading.open_incidents)] == [ALONE]


def test_who_resolves_an_incident_says_what_fixed_it(house):
    incident = house.open()
    for say in (
        lambda: house.do(steering.resolve, incident, " "),
        lambda: house.do(steering.set_status, incident, Status.RESOLVED),
    ):
        with pytest.raises(Invalid, match="say what fixed it"):
            say()
    house.do(writing.update, incident, "Turned it back.", status=Status.RESOLVED)
    assert "Resolved. Turned it back." in house.told()


def test_a_rehearsal_leaves_no_line_in_the_timeline_of_a_real_incident(house):
    incident = house.open()
    with house.program.db.begin(MAYA) as tx:
        drill = drilling.begin(tx, CHECKOUT)
    with house.program.db.read(MAYA) as tx:
        real = [one.words for one in showing.page(tx, incident.number).timeline]
        drilled = [one.words for one in showing.page(tx, drill.number).timeline]
    assert not [one for one in real if "Rehearsal" in one or "reached" in one]
    assert [one for one in drilled if one.startswith("Paged: Rehearsal")]


def test_to_resolve_an_incident_ends_its_pages(house):
    page = house.paged.take(CHECKOUT)
    house.heard()
    incident = house.ask(reading.open_incidents)[0]
    house.do(steering.resolve, incident, "Turned the flag back.")
    assert house.paged.page(page).resolved_by == ONE
    assert RESOLVED in house.types()


def test_statuses_keep_when_each_was_first_and_a_resolved_one_opens_again(house):
    incident = house.open()
    incident = house.do(steering.set_status, incident, Status.IDENTIFIED)
    incident = house.do(steering.set_status, incident, Status.MONITORING)
    first = incident.mitigated_at
    incident = house.do(steering.resolve, incident, "Mended.")
    assert incident.resolved_at is not None
    assert incident.next_update_at is None
    incident = house.do(steering.reopen, incident)
    assert (incident.status, incident.resolved_at) == (Status.INVESTIGATING, None)
    assert incident.mitigated_at == first
    assert incident.next_update_at is not None


def test_of_two_who_change_the_same_version_one_is_told(house):
    incident = house.open()
    house.do(steering.set_severity, incident, 1)
    with pytest.raises(Conflict), house.program.db.begin(JONAS) as tx:
        steering.set_title(tx, incident, "Another title")


def test_a_role_is_taken_and_handed_over_and_who_had_it_is_kept(house):
    incident = house.open()
    house.do(steering.take_role, incident, "commander")
    house.do(steering.take_role, incident, "commander", TWO)
    house.do(steering.take_role, incident, "responder")
    house.do(steering.take_role, incident, "responder", TWO)
    held = house.ask(reading.holders, [incident.id])[incident.id]
    assert [(one.role, one.person, one.before) for one in held] == [
        ("commander", TWO, ONE),
        ("responder", ONE, ""),
        ("responder", TWO, ""),
    ]


def test_merged_incidents_are_one_and_can_be_taken_apart(house):
    one, other = house.open(), house.open("Cart is down", entity=CART)
    house.do(steering.merge, other, one)
    assert house.now(other).merged_into == one.id
    assert not house.now(other).open
    assert set(house.ask(reading.entities_of, [one.id])[one.id]) == {CHECKOUT, CART}
    assert [found.id for found in house.ask(reading.open_incidents)] == [one.id]
    with pytest.raises(Conflict):
        house.do(steering.set_status, other, Status.IDENTIFIED)
    house.do(steering.reopen, other)
    assert house.now(other).open
    assert house.types().count(MERGED) == 2


def test_a_part_is_split_off_with_its_pages(house):
    house.paged.take(CHECKOUT, "a")
    page = house.paged.take(ALONE, "b")
    house.heard()
    both = house.ask(reading.open_incidents)
    first = next(one for one in both if one.entity == CHECKOUT)
    second = next(one for one in both if one.entity == ALONE)
    house.do(steering.merge, second, first)
    with house.program.db.begin(MAYA) as tx:
        steering.move_page(tx, reading.incident(tx, first.id), page.id)
    new = house.do(steering.split, first, [ALONE], "Alone is down by itself")
    assert house.ask(reading.entities_of, [first.id])[first.id] == [CHECKOUT]
    assert list(house.ask(reading.pages_of, [new.id])) == [page.id]
    assert house.types().count(SPLIT) == 2


def test_only_those_who_are_named_know_of_a_restricted_incident(house):
    incident = house.open("Keys were stolen", restricted=True, people=(TWO,))
    assert house.types() == []
    assert "stolen" not in house.told()
    assert house.now(incident, JONAS).title == "Keys were stolen"
    stranger = MAYA.__class__("local:eve", "Eve", JONAS.role, "user:default/three")
    with pytest.raises(NotFound):
        house.now(incident, stranger)
    assert house.ask(reading.open_incidents, actor=stranger) == []
    assert house.ask(reading.recent, actor=stranger) == []
    assert house.ask(reading.about, [CHECKOUT], actor=stranger) == []
    assert house.ask(search.find, "stolen") == []
    house.do(writing.note, incident, "The thief was here.")
    house.do(writing.update, incident, "We look for the thief.")
    house.do(steering.take_role, incident, "commander")
    house.do(steering.resolve, incident, "Mended.")
    assert house.types() == []
    assert len(house.ask(reading.entries, [incident.id])) == 5


def test_what_becomes_restricted_is_taken_back_from_the_journal_and_the_search(house):
    incident = house.open("Keys were stolen")
    house.do(writing.note, incident, "The thief was here.")
    assert house.types() != []
    assert house.ask(search.find, "stolen") != []
    house.do(steering.restrict, incident, [TWO])
    assert house.types() == []
    assert "stolen" not in house.told()
    assert house.ask(search.find, "stolen") == []
    assert house.ask(reading.people, house.now(incident)) == ["local:maya", ONE, TWO]
    house.do(steering.unname, incident, TWO)
    with pytest.raises(NotFound):
        house.now(incident, JONAS)


def test_numbers_of_restricted_incidents_leave_no_gap(house):
    first, secret, second = house.open(), house.open(restricted=True), house.open()
    assert (first.number, second.number) == (1, 2)
    assert secret.number > 1_000_000


def test_a_rehearsal_is_marked_and_measures(house):
    house.paged.say(
        '---\n{"apiVersion": "pilothouse/v1", "kind": "EscalationPolicy", "metadata": '
        '{"name": "shop"}, "spec": {"owner": "group:default/shop", "steps": [{"notify": '
        '["user:default/one"], "then_after": "5m"}]}}\n'
    )
    with house.program.db.begin(MAYA) as tx:
        incident = drilling.begin(tx, CHECKOUT)
    assert incident.drill
    assert incident.title.startswith("Rehearsal")
    house.heard()
    assert len(house.ask(reading.open_incidents)) == 1
    page = next(iter(house.ask(reading.pages_of, [incident.id])))
    with house.program.db.begin(MAYA) as tx:
        paging.acknowledge(tx, page, ONE, "page")
    house.heard()
    house.do(writing.opened, incident)
    found = house.ask(drilling.measured, house.now(incident))
    assert found.whole
    assert found.acknowledged < timedelta(minutes=1)
    assert house.ask(search.find, "Rehearsal") == []
    assert house.ask(reading.recent) == []
    assert len(house.ask(reading.recent, drills=True)) == 1


def test_a_rehearsal_is_no_part_of_a_real_incident(house):
    house.paged.take(CHECKOUT)
    house.heard()
    with house.program.db.begin(MAYA) as tx:
        incident = drilling.begin(tx, CHECKOUT)
    assert len(house.ask(reading.open_incidents)) == 2
    real = next(one for one in house.ask(reading.open_incidents) if not one.drill)
    with pytest.raises(Invalid):
        house.do(steering.merge, incident, real)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (steering.set_title, (" ",)),
        (steering.set_title, ("x" * 301,)),
        (steering.set_severity, (9,)),
        (steering.take_role, ("king",)),
        (steering.affect, (["component:default/nothing"],)),
        (steering.spare, (CHECKOUT,)),
        (steering.split, ([CHECKOUT], "All of it")),
        (writing.note, (" ",)),
        (writing.note, ("x" * 20_001,)),
        (writing.picture, (b"<svg onload=alert(1)>",)),
        (writing.picture, (PNG + b"0" * 5_242_880,)),
        (writing.link, ("javascript:alert(1)",)),
        (writing.update, ("Well.", "everybody")),
        (writing.update, ("Well.", "public", 100_000)),
    ],
)
def test_what_cannot_be_kept_is_refused(house, function, said):
    incident = house.open()
    with pytest.raises(Invalid):
        house.do(function, incident, *said)


def test_a_picture_is_kept_as_what_it_is(house):
    incident = house.open()
    entry = house.do(writing.picture, incident, PNG, "The graph")
    kept = house.ask(writing.shown_picture, incident, entry.image)
    assert (kept.type, kept.body) == ("image/png", PNG)
    with pytest.raises(NotFound):
        house.ask(writing.shown_picture, house.open(), entry.image)


def test_an_update_says_when_the_next_one_comes_and_brings_a_status(house):
    incident = house.open(severity=1)
    assert incident.next_update_at - incident.opened_at == timedelta(minutes=15)
    after = house.do(
        writing.update, incident, "We know why.", "public", 20, status=Status.IDENTIFIED
    )
    assert after.status is Status.IDENTIFIED
    found = house.ask(showing.page, incident.number).updates
    assert [(one.audience, one.status, one.text) for one in found] == [
        ("public", Status.IDENTIFIED, "We know why.")
    ]
    assert house.ask(search.find, "know why")[0].href == f"/incidents/{incident.number}"
    assert OPENED in house.types()
