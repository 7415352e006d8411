"""Post-mortems as files in a git repository: written, read back, never in the way."""

import subprocess

import pytest
from tests.incidents.learned import Time, items, published, wanted
from tests.incidents.opened import MAYA, ONE, House
from tests.oncall.paged import company, policy

from pilothouse.incidents.jobs import keeping
from pilothouse.incidents.outside.repository import Pushed, Repository
from pilothouse.incidents.service import postmortems, steering

FILE = "notes/incident-1.md"


def git(*said, folder):
    done = subprocess.run(["git", *said], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def bare(tmp_path):
    git("init", "--quiet", "--bare", "-b", "trunk", "there.git", folder=tmp_path)
    return tmp_path / "there.git"


@pytest.fixture
def house(database_url, tmp_path, bare, monkeypatch):
    Time(monkeypatch)
    spec = f"file://{bare}//notes#trunk"
    with company(database_url, tmp_path, postmortems_git=spec) as found:
        found.say(policy())
        yield House(found)


def pushed(bare, tmp_path, change):
    """Somebody edits the file, and pushes."""
    git("clone", "--quiet", str(bare), "mine", folder=tmp_path)
    mine = tmp_path / "mine"
    path = mine / FILE
    path.write_text(change(path.read_text()))
    said = ("-c", "user.name=Maya", "-c", "user.email=maya@shop.example")
    git(*said, "commit", "--quiet", "-am", "Said better", folder=mine)
    git("push", "--quiet", folder=mine)


def test_what_is_published_is_a_file_and_edits_there_come_back(house, bare, tmp_path):
    incident = published(house, wanted("Warn earlier"))
    assert keeping.keep(house.program)
    assert not keeping.keep(house.program)
    before = items(house, incident)[0]

    def edit(text):
        text = text.replace("A setting was not tried.", "A setting was not tried on staging.")
        return text.replace("2026-12-01", "2031-01-01").replace("| open |", "| done |")

    pushed(bare, tmp_path, edit)
    with house.program.db.begin(MAYA) as tx:
        postmortems.save(tx, incident, "helped", "The runbook.", 1)
    assert keeping.keep(house.program)
    with house.program.db.read(MAYA) as tx:
        found = postmortems.whole(tx, incident.id)
        assert found.text("causes") == "A setting was not tried on staging."
        assert found.texts["causes"].by == "git"
    assert items(house, incident)[0] == before
    body = git("show", f"trunk:{FILE}", folder=bare)
    for words in ("on staging", "The runbook.", "2026-12-01", "| open |"):
        assert words in body
    assert not keeping.keep(house.program)


def test_where_both_changed_one_place_both_texts_stand(house, bare, tmp_path):
    incident = published(house)
    keeping.keep(house.program)
    pushed(bare, tmp_path, lambda text: text.replace("A setting was not tried.", "Theirs."))
    with house.program.db.begin(MAYA) as tx:
        postmortems.save(tx, incident, "causes", "Mine.", 2)
    keeping.keep(house.program)
    with house.program.db.read(MAYA) as tx:
        text = postmortems.whole(tx, incident.id).text("causes")
    assert "Mine." in text
    assert "Theirs." in text
    assert not keeping.keep(house.program)


def test_what_few_may_know_of_by_now_goes_from_the_repository(house, bare):
    incident = published(house)
    keeping.keep(house.program)
    house.do(steering.restrict, house.now(incident), [ONE])
    assert keeping.keep(house.program)
    assert not git("ls-tree", "-r", "--name-only", "trunk", folder=bare)
    assert not keeping.keep(house.program)


def test_a_push_of_somebody_else_meanwhile_is_not_written_over(bare, tmp_path):
    places = [Repository(str(bare), tmp_path / name, 30) for name in ("a", "b")]
    read = [one.read() for one in places]
    places[0].write(read[0].commit, {"a.md": "a"}, "a")
    with pytest.raises(Pushed):
        places[1].write(read[1].commit, {"b.md": "b"}, "b")
    again = places[1].read()
    places[1].write(again.commit, {"b.md": "b"}, "b")
    assert places[0].read().files == {"a.md": "a", "b.md": "b"}
