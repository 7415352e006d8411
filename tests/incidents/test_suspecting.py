"""What changed is found, ranked by what was measured, and marked."""

from datetime import timedelta

import pytest
from sqlalchemy import event as listening
from tests.checks.watched import CHECK, MODULES, SERVICE, WORLD, check, places, watching_over

from pilothouse.apis.module import module as apis
from pilothouse.deploys.model import Deployment, Status
from pilothouse.deploys.module import module as deploys
from pilothouse.deploys.store import deployments
from pilothouse.incidents.model.incidents import SUSPECTED, Incident
from pilothouse.incidents.model.incidents import Status as Stage
from pilothouse.incidents.module import module as incidents
from pilothouse.incidents.service import opening, reported, showing_changes, suspecting
from pilothouse.kernel import journal
from pilothouse.kernel.errors import Invalid, NotFound
from pilothouse.kernel.events import Event

PAY, BASE, OTHER = "component:default/pay", "resource:default/base", "component:default/other"
ENTITIES = (
    """apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: pay}
spec:
  type: service
  lifecycle: production
  owner: team-a
  dependencyOf: [component:shop]
  dependsOn: [resource:base]
  consumesApis: [news]
""",
    """apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: other}
spec: {type: service, lifecycle: production, owner: team-a, providesApis: [news]}
""",
    """apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: news}
spec: {type: openapi, lifecycle: production, owner: team-a, definition: "openapi: 3.0.0"}
""",
    """apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {name: base}
spec: {type: database, owner: team-a}
""",
)


@pytest.fixture
def house(database_url, tmp_path):
    modules = (*MODULES, apis, deploys, incidents)
    with watching_over(database_url, tmp_path, modules) as found:
        found.catalog(places(), check("pay", entity=SERVICE), *ENTITIES)
        yield found


def tell(house, title, *refs, kind="changes.reported", **more):
    with house.db.begin() as tx:
        told = Event(type=kind, entities=refs, data={"title": title, **more})
        tx.emit(told)
    return told.id


def deploy(house, entity, version, **more):
    now = house.now()
    values = {
        "id": 0, "key": f"{entity}{version}", "entity": entity, "environment": "production",
        "production": True, "version": version, "commit": "", "status": Status.SUCCEEDED,
        "started_at": now, "finished_at": now, "changed_at": now, **more,
    }  # fmt: skip
    one = Deployment(**values)
    with house.db.begin() as tx:
        number = deployments.add(tx.conn, [one])[0]
        data = {"deployment": number, "production": True}
        tx.emit(Event(type="deploys.finished", entities=(entity,), data=data))
    return number


def fail(house, places=WORLD):
    for _ in range(3):
        for place in WORLD:
            house.see(place, "failed" if place in places else "ok")
            house.after(2)
        house.after(50)
    house.judge_due()


def incident(house, **more):
    values = {
        "id": "i1", "number": 1, "title": "Shop is failing", "severity": 2, "entity": SERVICE,
        "status": Stage.INVESTIGATING, "onset_at": house.now(), "opened_at": house.now(),
        "opened_by": "system", **more,
    }  # fmt: skip
    return Incident(**values)


def found_of(house, one):
    with house.db.read() as tx:
        return suspecting.found(tx, one)


def titles(found):
    return [one.change.title for one in found.suspects]


def test_an_incident_of_a_dependency_is_suspected_and_its_own_is_not(house):
    for place in WORLD:
        house.see(place)
    with house.db.begin() as tx:
        wanted = {"title": "The provider is down", "entity": PAY, "severity": 2}
        opening.begin(tx, opening.Wanted(**wanted))
        opening.begin(tx, opening.Wanted(**wanted | {"drill": True}))
    house.after(120)
    fail(house)
    with house.db.begin() as tx:
        own = opening.begin(tx, opening.Wanted(title="Shop is down", entity=SERVICE, severity=2))
    found = found_of(house, own)
    assert titles(found) == ["Incident 1: The provider is down"]
    assert found.suspects[0].change.kind == "vendor"
    assert found.suspects[0].change.href == "/incidents/1"


def test_the_onset_is_the_first_failing_visit_and_what_came_just_before_it_is_first(house):
    for place in WORLD:
        house.see(place)
    tell(house, "long ago", SERVICE)
    house.after(5 * 3600)
    for place in WORLD:
        house.see(place)
    deploy(
        house,
        PAY,
        "v2",
        by="maya",
        previous=7,
        previous_version="v1",
        previous_commit="",
        rollback=False,
    )
    tell(house, "elsewhere", "component:default/nobody")
    house.after(240)
    first = house.now()
    fail(house)
    house.after(900)
    found = found_of(house, incident(house))
    assert found.trouble.onset - first < timedelta(minutes=1)
    assert found.onset_by.startswith("first failing visit of")
    assert titles(found)[0] == "Deploy pay v2"
    assert titles(found).index("elsewhere") > 0
    said = [reason.words for reason in found.suspects[0].reasons]
    assert "What is failing depends on pay" in said
    assert found.suspects[0].change.back == "See v1"
    assert found.near == 2


def test_an_api_between_two_is_followed_to_who_provides_it(house):
    tell(house, "of the provider", OTHER)
    house.after(60)
    found = found_of(house, incident(house))
    assert found.onset_by == "said when it was opened"
    said = [reason.words for reason in found.suspects[0].reasons]
    assert "Far: what is failing depends on other, 3 steps away" in said


def test_the_number_of_queries_does_not_grow_with_changes(house):
    def counted():
        queries = []

        def note(*args):
            queries.append(args[2])

        listening.listen(house.db.engine, "before_cursor_execute", note)
        found_of(house, incident(house))
        listening.remove(house.db.engine, "before_cursor_execute", note)
        return len(queries)

    tell(house, "one", SERVICE)
    deploy(house, PAY, "v1")
    few = counted()
    for number in range(20):
        tell(house, f"more {number}", PAY)
        deploy(house, BASE, f"v{number}")
    assert counted() == few
    assert few <= 35


def test_a_mark_says_who_and_why_and_a_confirmed_one_teaches_the_next_incident(house):
    name = tell(house, "flag on", SERVICE, kind="changes.reported")
    one = incident(house)
    with house.db.begin() as tx:
        suspecting.mark(tx, one, name, "confirmed", "user:default/maya", "seen in the log")
    found = found_of(house, one)
    assert found.suspects[0].mark
    assert found.suspects[0].mark.why == "seen in the log"
    assert found.suspects[0].word == "Likely"
    assert house.events(SUSPECTED) == [SUSPECTED]
    tell(house, "again", SERVICE)
    other = found_of(house, incident(house, id="i2", number=2))
    said = [r.words for s in other.suspects for r in s.reasons if s.change.title == "again"]
    assert "Changes of this kind to shop were the cause 1 time" in said
    with house.db.begin() as tx:
        suspecting.mark(tx, one, name, "", "user:default/maya")
    assert all(s.mark is None for s in found_of(house, one).suspects)


def test_marks_of_restricted_incidents_and_drills_are_told_to_nobody_and_teach_nothing(house):
    name = tell(house, "flag on", SERVICE)
    with house.db.begin() as tx:
        suspecting.mark(tx, incident(house, restricted=True), name, "confirmed", "maya", "why")
        suspecting.mark(tx, incident(house, id="i3", drill=True), name, "confirmed", "maya", "why")
    assert len(house.events(SUSPECTED)) == 1
    other = found_of(house, incident(house, id="i2"))
    assert not [r for s in other.suspects for r in s.reasons if r.feature == "history"]


def test_a_mark_wants_a_change_that_is_known_and_a_reason(house):
    name = tell(house, "flag on", SERVICE)
    with house.db.begin() as tx:
        with pytest.raises(NotFound):
            suspecting.mark(tx, incident(house), "nothing", "cleared", "maya", "why")
        with pytest.raises(Invalid, match="how you know"):
            suspecting.mark(tx, incident(house), name, "cleared", "maya", "  ")
        with pytest.raises(Invalid, match="neither"):
            suspecting.mark(tx, incident(house), name, "guilty", "maya", "why")  # pyright: ignore[reportArgumentType]


def test_a_reported_change_is_made_safe_and_one_that_cannot_be_read_is_left_out(house):
    tell(house, "bad", SERVICE, at="yesterday")
    tell(house, "x" * 900, SERVICE, href="javascript:alert(1)", kind="changes.reported")
    tell(house, "fine", SERVICE, href="https://ci.example/1", size="12", regions=["eu"])
    with house.db.read() as tx:
        found = journal.changes(tx, tx.now - timedelta(hours=1), tx.now, [SERVICE])
    told = {one.title: one for one in found}
    assert set(told) == {"x" * reported.LONGEST, "fine"}
    assert told["x" * reported.LONGEST].href == ""
    assert (told["fine"].size, told["fine"].regions) == (12, ("eu",))


def test_a_document_that_changed_is_a_change_and_one_that_was_added_is_none(house):
    house.after(60)
    house.catalog(places(), check("pay", entity=SERVICE, every="5m"), *ENTITIES)
    with house.db.read() as tx:
        found = journal.changes(tx, tx.now - timedelta(hours=1), tx.now, [CHECK, SERVICE, PAY])
    assert [(one.kind, one.title) for one in found] == [("config", "Check pay: spec.every 1m → 5m")]
    with house.db.read() as tx:
        assert journal.change(tx, found[0].id) == found[0]


def test_the_page_of_an_entity_ranks_only_when_it_is_in_trouble(house):
    tell(house, "fine", SERVICE)
    with house.db.read() as tx:
        calm = showing_changes.recent(tx, SERVICE)
        assert calm
        assert calm.found is None
        assert [one.title for one in calm.items] == ["fine"]
        assert showing_changes.recent(tx, OTHER) is None
    for place in WORLD:
        house.see(place)
    fail(house)
    with house.db.read() as tx:
        hot = showing_changes.recent(tx, SERVICE)
    assert hot
    assert hot.found
    assert [one.change.title for one in hot.found.suspects] == ["fine"]
    assert hot.found.trouble.failing == (SERVICE,)
