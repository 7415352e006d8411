"""Post-mortems in a browser's eyes, and for programs."""

from urllib.parse import urlencode

import msgspec
import pytest
from tests.incidents.learned import Time, drafted, published, wanted
from tests.incidents.opened import ONE, TWO, house_of
from tests.kernel.portal import PAGE, serving

from pilothouse import app
from pilothouse.incidents.service import following, postmortems

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def time(monkeypatch):
    return Time(monkeypatch)


@pytest.fixture
def house(database_url, tmp_path):
    with house_of(database_url, tmp_path) as found:
        yield found


@pytest.fixture
def portal(database_url, tmp_path, house):
    assert house
    with serving(database_url, app.modules(), data=str(tmp_path / "data")) as found:
        yield found


def post(portal, path, **said):
    headers = PAGE | FORM | {"Origin": f"http://127.0.0.1:{portal.port}"}
    return portal.ask("POST", path, headers, urlencode(said))


def call(portal, method, path, **said):
    answer = portal.ask(method, path, JSON, msgspec.json.encode(said).decode() if said else "")
    return answer.status, msgspec.json.decode(answer.text) if answer.text else None


def item(title="Warn earlier", **more):
    return {"title": title, "proof": "an alert", "owner": "one", "due_on": "2026-12-01"} | more


@pytest.mark.usefixtures("time")
def test_one_is_written_published_and_its_items_closed(house, portal):
    incident = drafted(house)
    path = f"/postmortems/{incident.number}"
    assert "1 post-mortem to be written" in portal.get("/postmortems", PAGE).text
    found = portal.get(path, PAGE)
    assert found.status == 200
    assert "Checkout is down" in found.text
    assert post(portal, f"{path}/edit/causes", text=f"A setting. {EVIL}", base=1).status == 303
    clash = post(portal, f"{path}/edit/causes", text="Another.", base=1)
    assert clash.status == 409
    assert "Nothing is lost" in clash.text
    assert "Another." in clash.text
    assert EVIL not in clash.text + portal.get(path, PAGE).text
    assert post(portal, f"{path}/causes", cause="process").status == 303
    for title in ("a", "b", "c"):
        assert post(portal, f"{path}/actions", **item(title)).status == 303
    fourth = post(portal, f"{path}/actions", **item("a fourth thought"))
    assert fourth.status == 409
    assert "at most 3 action items" in fourth.text
    assert "Keep “a fourth thought” as a note" in fourth.text
    assert post(portal, f"{path}/notes", text="a fourth thought").status == 303
    assert post(portal, f"{path}/publish").status == 303
    assert post(portal, f"{path}/actions/1/done", evidence="https://x.example/1").status == 303
    assert post(portal, f"{path}/actions/2/drop", why="Not now.").status == 303
    page = portal.get(path, PAGE).text
    for words in ("a fourth thought", "Deprioritized", "Not now.", "https://x.example/1", "How we"):
        assert words in page
    file = portal.get(f"{path}/files/incident-{incident.number}.md")
    assert file.text.startswith("# Checkout is down")
    assert "2 versions" in portal.get(f"{path}/versions/causes", PAGE).text
    for other in ("/", "/postmortems", "/learning", "/learning?period=365d", f"{path}/edit/notes"):
        assert portal.get(other, PAGE).status == 200


@pytest.mark.usefixtures("time")
def test_a_form_that_is_not_right_says_why_and_keeps_what_was_written(house, portal):
    path = f"/postmortems/{drafted(house).number}"
    for wrong, words in (
        ({"owner": ""}, "Choose one person"),
        ({"owner": "group:default/shop"}, "exactly one person"),
        ({"due_on": "soon"}, "is no day"),
        ({"due_on": "2027-06-01"}, "two sprints after publication"),
        ({"due_on": "2020-01-01"}, "is over"),
        ({"proof": " "}, "a way to see"),
    ):
        answer = post(portal, f"{path}/actions", **item("kept words", **wrong))
        assert answer.status == 400
        assert words in answer.text
        assert 'value="kept words"' in answer.text
    for bad in ("/postmortems/999", f"{path}/edit/nothing", "/learning?period=1y"):
        assert portal.get(bad, PAGE).status in {400, 404}
    assert post(portal, f"{path}/picks", pick="x" * 5000).status == 303
    assert post(portal, f"{path}/edit/notes", text="x" * 60_000, base=1).status == 400


def test_what_is_escalated_stands_on_now_and_on_the_services_page(time, house, portal):
    incident = published(house, wanted("Warn before keys expire", owner=TWO))
    time.go("2027-01-04T00:00:00+00:00")
    following.look(house.program.db)
    for path in ("/", "/catalog/component/default/checkout", "/catalog/user/default/two"):
        assert "Warn before keys expire" in portal.get(path, PAGE).text
    assert "1 action item is escalated" in portal.get("/postmortems", PAGE).text
    post(portal, f"/postmortems/{incident.number}/actions/1/drop", why="We leave it.")
    assert "Warn before keys expire" not in portal.get("/", PAGE).text
    learned = portal.get("/learning", PAGE).text
    assert "We leave it." not in learned
    assert "Deprioritized" in learned


@pytest.mark.usefixtures("time")
def test_programs_read_and_write_them_too(house, portal):
    incident = drafted(house)
    path = f"/api/postmortems/{incident.number}"
    status, found = call(portal, "GET", path)
    assert (status, found["state"], found["due_on"]) == (200, "draft", "2026-12-01")
    assert call(portal, "POST", path)[0] == 200
    text = {"text": "A setting.", "base": 1}
    assert call(portal, "PUT", f"{path}/sections/causes", **text)[1]["version"] == 2
    assert call(portal, "PUT", f"{path}/sections/causes", text="b", base=1)[0] == 409
    assert call(portal, "PUT", f"{path}/causes", causes=["data"])[1]["causes"] == ["data"]
    for number in (1, 2, 3):
        assert call(portal, "POST", f"{path}/actions", **item(str(number)))[1]["slot"] == number
    status, said = call(portal, "POST", f"{path}/actions", **item("4"))
    assert (status, "keep this thought as a note" in said["detail"]) == (409, True)
    assert call(portal, "PATCH", f"{path}/actions/1", owner=TWO)[1]["owner"] == TWO
    assert call(portal, "POST", f"{path}/publish")[1]["ends_on"] == "2027-01-04"
    assert call(portal, "PATCH", f"{path}/actions/1", due_on="2027-02-01")[0] == 400
    assert call(portal, "POST", f"{path}/actions/2/done", evidence="seen")[1]["state"] == "done"
    assert call(portal, "POST", f"{path}/actions/3/drop", why="no")[1]["state"] == "deprioritized"
    assert [one["slot"] for one in call(portal, "GET", "/api/actions")[1]] == [1]
    assert call(portal, "GET", f"/api/actions?owner={ONE}")[1] == []
    assert call(portal, "GET", "/api/actions?state=x")[0] == 400
    assert call(portal, "DELETE", path)[0] == 405
    with house.program.db.read() as tx:
        assert postmortems.whole(tx, incident.id).postmortem.published_by == "local"
