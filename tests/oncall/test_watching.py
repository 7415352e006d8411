"""Who has the watch, as documents and people's changes make it, on either database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tests.oncall.watched import CATALOG, INES, JONAS, MAYA, SCHEDULE, watched

from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import Denied, Invalid, NotFound
from pilothouse.oncall.service import changing, watching
from pilothouse.oncall.service.changing import Wanted

if TYPE_CHECKING:
    from pathlib import Path

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
GUEST = Actor("x:guest", "Guest", Role.VIEWER, ref=INES)
OF_THE_TEAM = Actor("x:maya", "Maya", Role.VIEWER, ref=MAYA)


def test_who_has_the_watch_is_known_for_services_teams_and_what_nobody_pages_for(
    database_url: str, tmp_path: Path
) -> None:
    refs = ["component:default/checkout", "group:default/payments", "component:default/lonely"]
    with watched(database_url, tmp_path) as here, here.program.db.read() as tx:
        found = watching.on_call(tx, refs)
        one = found[refs[0]]
        assert one == found[refs[1]]
        assert (one.policy, one.schedule) == ("escalationpolicy:default/payments", SCHEDULE)
        assert one.people == watching.watch_at(tx, SCHEDULE, tx.now)
        assert one.people in {(MAYA,), (JONAS,)}
        assert {*one.people, *one.next} == {MAYA, JONAS}
        assert one.until is not None
        assert one.until.astimezone(UTC).hour in (7, 8), "nine in Berlin"
        assert one.second == (JONAS, MAYA)
        assert found[refs[2]].fault.startswith("No escalation policy")
        assert watching.watch_at(tx, "schedule:default/none", tx.now) == ()


def test_an_override_holds_until_it_is_taken_back(database_url: str, tmp_path: Path) -> None:
    with watched(database_url, tmp_path) as here:
        with here.program.db.begin(OF_THE_TEAM) as tx:
            now = tx.now
            wanted = Wanted(INES, now - DAY, now + DAY, "I am ill")
            made = changing.override(tx, SCHEDULE, wanted)
            assert made.start == now, "who had the watch before stays as it was"
        with here.program.db.read() as tx:
            assert watching.watch_at(tx, SCHEDULE, tx.now) == (INES,)
            assert watching.watch_at(tx, SCHEDULE, now + DAY) != (INES,)
        with here.program.db.begin(OF_THE_TEAM) as tx:
            changing.take_back(tx, made.id)
        with here.program.db.begin(OF_THE_TEAM) as tx:
            assert watching.watch_at(tx, SCHEDULE, tx.now) != (INES,)
            with pytest.raises(NotFound, match="taken back already"):
                changing.take_back(tx, made.id)


def test_two_people_trade_their_shifts_and_one_word_undoes_both(
    database_url: str, tmp_path: Path
) -> None:
    with watched(database_url, tmp_path) as here:
        with here.program.db.begin(OF_THE_TEAM) as tx:
            now = tx.now
            first, second = watching.shifts(tx, SCHEDULE, now + WEEK, now + 4 * WEEK)[1:3]
            changing.swap(tx, SCHEDULE, first.start, second.start, "A wedding")
        with here.program.db.begin(OF_THE_TEAM) as tx:
            swapped = watching.shifts(tx, SCHEDULE, first.start, second.end)
            assert [one.people for one in swapped] == [second.people, first.people]
            changing.take_back(tx, swapped[0].override)
        with here.program.db.read() as tx:
            again = watching.shifts(tx, SCHEDULE, first.start, second.end)
        assert [one.people for one in again] == [first.people, second.people]


def test_only_the_team_and_responders_change_a_schedule(database_url: str, tmp_path: Path) -> None:
    with watched(database_url, tmp_path) as here:
        for actor, allowed in (
            (GUEST, False),
            (OF_THE_TEAM, True),
            (Actor("y", "Y", Role.RESPONDER), True),
        ):
            with here.program.db.begin(actor) as tx:
                wanted = Wanted(INES, tx.now, tx.now + DAY)
                if allowed:
                    changing.override(tx, SCHEDULE, wanted)
                    continue
                with pytest.raises(Denied, match="not of the team"):
                    changing.override(tx, SCHEDULE, wanted)
                with pytest.raises(Denied):
                    changing.swap(tx, SCHEDULE, tx.now, tx.now + DAY)
                with pytest.raises(Denied):
                    changing.note(tx, SCHEDULE, tx.now, "words")


@pytest.mark.parametrize(
    ("person", "start", "end", "why"),
    [
        ("user:default/never-was", 0, 24, "no person"),
        ("group:default/payments", 0, 24, "no person"),
        (INES, 24, 0, "ends after it begins"),
        (INES, -48, -24, "is over"),
        (INES, 0, 24 * 100, "at most 90 days"),
    ],
)
def test_an_override_that_cannot_be_is_refused_in_words(
    sqlite_url: str, tmp_path: Path, person: str, start: int, end: int, why: str
) -> None:
    with watched(sqlite_url, tmp_path) as here, here.program.db.begin() as tx:
        hour = timedelta(hours=1)
        wanted = Wanted(person, tx.now + start * hour, tx.now + end * hour)
        with pytest.raises(Invalid, match=why):
            changing.override(tx, SCHEDULE, wanted)


def test_whoever_left_has_no_turn_and_that_is_told_before_it_comes(
    database_url: str, tmp_path: Path
) -> None:
    text = CATALOG.replace(
        "[user:default/maya, user:default/jonas]", "[user:default/maya, user:default/tom]"
    )
    with watched(database_url, tmp_path, text) as here, here.program.db.read() as tx:
        found = watching.troubles(tx)
        faults = {(one.fault, one.about) for one in found}
        assert ("left", SCHEDULE) in faults
        assert ("gap", SCHEDULE) in faults
        assert ("unreachable", MAYA) in faults
        gap = next(one for one in found if one.fault == "gap")
        assert gap.since is not None
        assert watching.watch_at(tx, SCHEDULE, gap.since + DAY) == ()
        people = {one.people for one in watching.shifts(tx, SCHEDULE, tx.now, tx.now + 4 * WEEK)}
        assert people == {(MAYA,), ()}


def test_a_schedule_that_cannot_be_read_has_nobody_and_says_so(
    database_url: str, tmp_path: Path
) -> None:
    text = CATALOG.replace("Europe/Berlin", "Europe/Nowhere")
    with watched(database_url, tmp_path, text) as here, here.program.db.read() as tx:
        assert watching.watch_at(tx, SCHEDULE, datetime(2026, 6, 1, tzinfo=UTC)) == ()
        words = [one.words for one in watching.troubles(tx) if one.about == SCHEDULE]
        assert len(words) == 1
        assert "Europe/Nowhere" in words[0]


def test_now_says_first_that_nobody_has_the_watch_today(database_url: str, tmp_path: Path) -> None:
    office = CATALOG.replace(
        "      turn: 1w", '      turn: 1w\n      only: [{from: "09:00", to: "17:00"}]'
    )
    with watched(database_url, tmp_path, office) as here:
        assert "has nobody for some of the next 24 hours" in here.page("/")
        here.say(CATALOG)
        assert "has nobody for some" not in here.page("/")
