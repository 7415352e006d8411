"""The pages of pages: who was told, what can be done there, the page that wakes someone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from tests.kernel.portal import PAGE, serving
from tests.oncall.paged import ALONE, CHECKOUT, DOWN, ONE, STRAY, THREE, TWO, Paged, policy

from pilothouse import app
from pilothouse.catalog.service import passes
from pilothouse.incidents.service import opening
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import Denied
from pilothouse.oncall.model.paging import Signal, State
from pilothouse.oncall.service import (
    asking,
    handling,
    paging,
    reading,
    showing_page,
    showing_pages,
    silencing,
)

FORM = {**PAGE, "content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def here(shared_database_url, tmp_path_factory):
    folder = tmp_path_factory.mktemp("paged")
    (folder / "catalog").mkdir()
    source = str(folder / "catalog")
    chosen = {"data": str(folder / "data"), "sources": (source,)}
    with serving(shared_database_url, app.modules(), **chosen) as portal:
        with portal.program.db.begin() as tx:
            passes.register(tx, [source])
        paged = Paged(portal.program, folder / "catalog")
        paged.say(policy())
        for person in (ONE, TWO):
            paged.reach(person)
        yield portal, paged


def read(portal, path, status=200):
    answer = portal.get(path, PAGE)
    assert answer.status == status, (path, answer.text[:1000])
    return answer.text


def send(portal, path, **form):
    return portal.ask("POST", path, FORM, urlencode(form))


def over(paged, *pages):
    with paged.program.db.begin() as tx:
        for one in pages:
            paging.resolve(tx, one.id, ONE, "page")


def test_a_page_shows_what_who_was_told_and_what_they_answered(here):
    portal, paged = here
    page = paged.take(key="shown", summary="Cards <b>fail</b>", detail="504\nfrom three places")
    paged.deliver(DOWN)
    text = read(portal, f"/oncall/pages/{page.number}")
    assert "Cards &lt;b&gt;fail&lt;/b&gt;" in text
    for words in ("Nobody has it", "500 oops", "step 1 of 2", "from three places", "Acknowledge"):
        assert words in text, words
    over(paged, page)
    text = read(portal, f"/oncall/pages/{page.number}")
    assert "It is over" in text
    assert "/acknowledge" not in text
    read(portal, "/oncall/pages/99999", 404)
    read(portal, "/oncall/pages/99999999999", 404)
    assert f'href="/oncall/pages/{page.number}"' in read(portal, "/oncall/pages")
    assert read(portal, "/oncall/pages?before=1").count("data-row") == 0


def test_a_page_is_steered_from_its_page(here):
    portal, paged = here
    page = paged.take(key="steered")
    path = f"/oncall/pages/{page.number}"
    assert send(portal, f"{path}/acknowledge").status == 303
    assert paged.page(page).state is State.ACKNOWLEDGED
    assert "local admin</b> has it" in read(portal, path)
    assert send(portal, f"{path}/snooze", length="2h").status == 303
    assert paged.page(page).state is State.SNOOZED
    until = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    assert send(portal, f"{path}/snooze", length="2h", until=until).status == 303
    assert f"{paged.page(page).until:%Y-%m-%dT%H:%M}" == until
    assert send(portal, f"{path}/reassign", whom="two", why="they know").status == 303
    found = paged.page(page)
    assert (found.state, found.plan.rungs[0].notify[0].ref) == (State.OPEN, TWO)
    assert send(portal, f"{path}/responder", whom=THREE, why="help").status == 303
    text = read(portal, path)
    assert "local admin asked three to help" in text
    assert "three has no contact method" in text
    assert "Resolve the page" in read(portal, f"{path}/resolve")
    assert send(portal, f"{path}/resolve").status == 303
    assert paged.page(page).state is State.RESOLVED
    assert send(portal, f"{path}/snooze", length="2h").status == 409


@pytest.mark.parametrize(
    ("what", "form", "why"),
    [
        ("snooze", {}, "until when"),
        ("snooze", {"length": "a while"}, "not a duration"),
        ("snooze", {"until": "soon"}, "not a time"),
        ("snooze", {"until": "2020-01-01T00:00"}, "to come"),
        ("snooze", {"length": "90d"}, "within a month"),
        ("reassign", {}, "Say whom"),
        ("reassign", {"whom": "nobody-there"}, "not in the catalog"),
        ("reassign", {"whom": "component:default/checkout"}, "is no user"),
        ("responder", {"whom": "group:default/shop"}, "is no user"),
    ],
)
def test_a_form_that_cannot_be_meant_says_why(here, what, form, why):
    portal, paged = here
    page = paged.take(key=f"bad {what} {why}", entity=ALONE)
    answer = send(portal, f"/oncall/pages/{page.number}/{what}", **form)
    assert answer.status == 400
    assert why in answer.text
    over(paged, page)


def test_calls_that_had_begun_when_a_page_was_acknowledged_are_named(here):
    portal, paged = here
    page = paged.take(key="flying", entity=ALONE)
    assert paged.begin(paged.told(page)[0]) is not None
    assert send(portal, f"/oncall/pages/{page.number}/acknowledge").status == 303
    text = read(portal, f"/oncall/pages/{page.number}")
    assert "On their way already:</b> one by ntfy" in text
    paged.answer(paged.told(page)[0])
    assert "On their way already" not in read(portal, f"/oncall/pages/{page.number}")
    over(paged, page)


def test_a_page_leads_to_the_incident_that_it_opened(here):
    portal, paged = here
    page = paged.take(key="incident")
    assert 'href="/incidents/' not in read(portal, f"/oncall/pages/{page.number}")
    with paged.program.db.begin() as tx:
        opened = opening.from_page(tx, page.id)
        assert opened is not None
    assert f'href="/incidents/{opened.number}"' in read(portal, f"/oncall/pages/{page.number}")
    over(paged, page)


def test_a_person_presses_page(here):
    portal, paged = here
    for path in ("/catalog/component/default/checkout", "/oncall/page?entity=checkout"):
        text = read(portal, path)
        assert 'name="why"' in text
        assert "one has the watch and is told by ntfy" in text
    answer = send(portal, "/oncall/page", entity=CHECKOUT, why="Refunds hang", urgency="high")
    number = int(answer.headers["location"].rpartition("/")[2])
    with paged.program.db.read() as tx:
        page = reading.page(tx, number)
        (alert,) = reading.alerts(tx, page.id)
    assert (page.summary, page.entity, alert.signal.source) == ("Refunds hang", CHECKOUT, "person")
    assert [one.person for one in paged.told(page)] == [ONE]
    again = send(portal, "/oncall/page", entity="cart", why="Carts too")
    assert again.headers["location"] == f"/oncall/pages/{number}?joined=1"
    assert "Yours joined this page" in read(portal, again.headers["location"])
    over(paged, page)
    for form, why in (
        ({"entity": CHECKOUT}, "Say what you need"),
        ({"entity": CHECKOUT, "why": "x" * 201}, "1 to 200"),
        ({"why": "x"}, "Say for what"),
        ({"entity": "user:default/one", "why": "x"}, "name a service or a team"),
    ):
        answer = send(portal, "/oncall/page", **form)
        assert (answer.status, why in answer.text) == (400, True), why
    assert send(portal, "/oncall/page", entity="gone", why="x").status == 404


def test_a_silence_stands_on_its_page_and_does_not_silence_people(here):
    portal, paged = here
    answer = send(
        portal, "/oncall/silences", entity="alone", labels="team=shop\n", length="1h", why="Moving"
    )
    assert answer.status == 303
    labels = {"team": "shop"}
    with paged.program.db.begin() as tx:
        signal = Signal(key="quiet", source="test", entity=ALONE, summary="x", labels=labels)
        assert paging.take(tx, signal).page is None
        (made,) = silencing.lasting(tx)
        assert (made.entity, made.labels, made.why) == (ALONE, labels, "Moving")
    for path in ("/oncall/silences", "/", "/catalog/component/default/alone"):
        assert "alone with team=shop" in read(portal, path), path
    answer = send(portal, "/oncall/page", entity=ALONE, why="For real")
    assert "/oncall/pages/" in answer.headers["location"]
    with paged.program.db.read() as tx:
        page = reading.page(tx, int(answer.headers["location"].rpartition("/")[2]))
    over(paged, page)
    assert send(portal, f"/oncall/silences/{made.id}/end").status == 303
    assert send(portal, f"/oncall/silences/{made.id}/end").status == 409
    assert send(portal, "/oncall/silences/none/end").status == 404
    for form in ({}, {"entity": "alone"}, {"labels": "team", "why": "x"}):
        assert send(portal, "/oncall/silences", length="1h", **form).status == 400


def test_a_silence_of_a_system_is_about_all_that_is_part_of_it(here):
    portal, paged = here
    form = {"entity": "system:store", "length": "1h", "why": "Moving"}
    assert send(portal, "/oncall/silences", **form).status == 303
    signal = Signal(key="part", source="test", entity=CHECKOUT, summary="x")
    with paged.program.db.begin() as tx:
        assert paging.take(tx, signal).page is None
        (made,) = silencing.lasting(tx)
        silencing.end(tx, made.id, ONE)
        paging.clear(tx, "part")
    assert send(portal, "/oncall/silences", **form | {"entity": "nobdy"}).status == 404


def test_what_reached_nobody_stands_at_the_top_of_now(here):
    _, paged = here
    with paged.program.db.read() as tx:
        assert showing_pages.headline(tx) is None
    page = paged.take(key="lost", entity=STRAY, summary="Lost")
    with paged.program.db.read() as tx:
        head = showing_pages.headline(tx)
        assert head is not None
        assert (head.state, head.text) == ("bad", f"Page {page.number} has reached nobody")
        (line,) = showing_pages.listing(tx, Actor("x", "x"), None).open
        assert line.unreached
    other = paged.take(key="told", entity=ALONE)
    paged.deliver()
    over(paged, page)
    with paged.program.db.begin() as tx:
        head = showing_pages.headline(tx)
        assert head is not None
        assert (head.state, head.text) == ("warn", f"Page {other.number} waits for someone")
        paging.acknowledge(tx, other.id, ONE, "page")
        head = showing_pages.headline(tx)
        assert head is not None
        assert (head.state, head.detail) == ("info", "one has it.")
    over(paged, other)


def test_a_delivery_that_takes_long_is_not_yet_lost(here):
    _, paged = here
    page = paged.take(key="slow", entity=ALONE)
    with paged.program.db.read() as tx:
        assert not showing_page.page(tx, Actor("x", "x"), page.number).unreached
    with (
        time_machine.travel(page.opened_at + timedelta(minutes=2)),
        paged.program.db.read() as tx,
    ):
        assert showing_page.page(tx, Actor("x", "x"), page.number).unreached
    over(paged, page)


def test_who_may_do_something_with_a_page(here):
    _, paged = here
    page = paged.take(key="whose")
    someone = Actor("p:1", "someone", Role.VIEWER, "user:default/someone")
    mine = Actor("p:2", "two", Role.VIEWER, TWO)
    wanted = Actor("p:3", "wanted", Role.VIEWER, "user:default/wanted")
    with paged.program.db.begin() as tx:
        assert handling.may_steer(tx, mine, page)
        assert handling.may_steer(tx, Actor("p:4", "x", Role.RESPONDER), page)
        assert not handling.may_steer(tx, someone, page)
        paging.add_responder(tx, page.id, "user:default/wanted", ONE, "")
        assert handling.may_steer(tx, wanted, page)
        assert not showing_page.page(tx, someone, page.number).may
        for act in (
            lambda: handling.require_steer(tx, someone, page),
            lambda: handling.require(tx, someone, ""),
            lambda: asking.ask(tx, someone, CHECKOUT, "x", "high"),
        ):
            with pytest.raises(Denied):
                act()
    over(paged, page)
