"""The pages of the watch, its API, its calendars and its commands."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec
import pytest
from tests.kernel.portal import PAGE
from tests.oncall.watched import CATALOG, INES, JONAS, MAYA, SCHEDULE, watched

from pilothouse.catalog.service import views
from pilothouse.kernel.errors import Invalid
from pilothouse.oncall.formats import ics
from pilothouse.oncall.jobs import watching as jobs
from pilothouse.oncall.service import changing, handing, watching
from pilothouse.oncall.service.changing import Wanted
from pilothouse.oncall.store import watch as store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.oncall.watched import Watched

HERE = "/oncall/schedules/default/payments"
FORM = {**PAGE, "content-type": "application/x-www-form-urlencoded"}
HOUR = timedelta(hours=1)


def items(here: Watched, path: str) -> list[dict[str, Any]]:
    return msgspec.json.decode(here.portal.get(path).text)["items"]


def test_every_page_says_who_has_the_watch(database_url: str, tmp_path: Path) -> None:
    with watched(database_url, tmp_path) as here:
        for path in (
            "/",
            "/oncall",
            HERE,
            f"{HERE}?month=2026-03",
            "/catalog/component/default/checkout",
            "/catalog/group/default/payments",
        ):
            page = here.page(path)
            assert "Maya Okafor" in page, path
            assert "Jonas Weber" in page, path
        assert "No escalation policy pages for this" in here.page(
            "/catalog/component/default/lonely"
        )
        assert here.portal.get(f"{HERE}?month=2026-33", PAGE).status == 400
        assert here.portal.get("/oncall/schedules/default/none", PAGE).status == 404


def test_programs_ask_who_has_the_watch(database_url: str, tmp_path: Path) -> None:
    with watched(database_url, tmp_path) as here:
        (one,) = items(here, "/api/oncall/now")
        assert one["ref"] == SCHEDULE
        assert {one["people"][0]["ref"], one["next"][0]["ref"]} == {MAYA, JONAS}
        asked = "/api/oncall/now?entity=checkout&entity=component:default/lonely"
        checkout, lonely = items(here, asked)
        assert checkout["people"] == one["people"]
        assert checkout["policy"] == "escalationpolicy:default/payments"
        assert lonely["fault"].startswith("No escalation policy")


def test_the_watch_is_overridden_and_given_back_on_its_page(
    database_url: str, tmp_path: Path
) -> None:
    with watched(database_url, tmp_path) as here:
        now = datetime.now(UTC)
        form = {
            "person": INES,
            "start": (now - HOUR).isoformat(),
            "end": (now + HOUR).isoformat(),
            "why": "<b>ill</b>",
        }
        answer = here.portal.ask("POST", f"{HERE}/override", FORM, urlencode(form))
        assert answer.status == 303, answer.text
        page = here.page(HERE)
        assert "Ines Costa has the watch" in page
        assert "&lt;b&gt;ill" in page
        (number,) = re.findall(r'name="override" value="(\w+)"', page)
        taken = urlencode({"override": number})
        assert here.portal.ask("POST", f"{HERE}/take-back", FORM, taken).status == 303
        assert "Ines Costa has the watch" not in here.page(HERE)
        late = urlencode({**form, "start": "later"})
        assert here.portal.ask("POST", f"{HERE}/override", FORM, late).status == 400


def test_a_calendar_program_reads_shifts_by_the_address_alone(
    database_url: str, tmp_path: Path
) -> None:
    from icalendar import Calendar

    with watched(database_url, tmp_path) as here:
        (address,) = re.findall(r"http[^<\s]*feed\.ics\?token=\w+", here.page(HERE))
        path = address[address.index("/oncall") :]
        answer = here.portal.get(path)
        assert answer.status == 200
        events: list[Any] = list(Calendar.from_ical(answer.text).walk("VEVENT"))
        assert {str(one["SUMMARY"]) for one in events} == {
            "Maya Okafor: Payments on call",
            "Jonas Weber: Payments on call",
        }
        with here.program.db.read() as tx:
            first = watching.watch_at(tx, SCHEDULE, tx.now)
        at = datetime.now(UTC)
        (current,) = [one for one in events if one["DTSTART"].dt <= at < one["DTEND"].dt]
        assert first[0].rpartition("/")[2] in str(current["SUMMARY"]).lower()
        assert here.portal.get(path[:-1]).status == 404
        assert here.portal.get(path.replace("schedules", "people")).status == 404
        assert here.portal.get(path.partition("?")[0]).status == 404


def test_what_is_wrong_with_a_schedule_stands_among_the_problems_with_its_line(
    database_url: str, tmp_path: Path
) -> None:
    text = CATALOG.replace("user:default/jonas]", "user:default/tom]")
    with watched(database_url, tmp_path, text) as here:
        jobs.judge(here.program, str(here.folder))
        with here.program.db.read() as tx:
            found = views.problem_page(tx, severity=None, code=None, offset=0, limit=50)
        ours = {one.problem.code: one.problem for one in found.items if one.scope == "oncall"}
        assert set(ours) == {"schedule-person", "schedule-gap"}
        assert "user:default/tom" in text.split("\n")[ours["schedule-person"].line - 1]
        here.say(CATALOG.replace("Europe/Berlin", "Europe/Nowhere"))
        jobs.judge(here.program, str(here.folder))
        with here.program.db.read() as tx:
            found = views.problem_page(tx, severity=None, code=None, offset=0, limit=50)
        (problem,) = [one.problem for one in found.items if one.scope == "oncall"]
        assert problem.code == "schedule-time"
        assert problem.field == "spec.time_zone"
        here.say(CATALOG)
        jobs.judge(here.program, str(here.folder))
        with here.program.db.read() as tx:
            found = views.problem_page(tx, severity=None, code=None, offset=0, limit=50)
        assert not [one for one in found.items if one.scope == "oncall"]


def test_when_the_watch_goes_over_that_is_told_once(database_url: str, tmp_path: Path) -> None:
    with watched(database_url, tmp_path) as here:
        with here.program.db.begin() as tx:
            before = watching.watch_at(tx, SCHEDULE, tx.now)
            changing.override(tx, SCHEDULE, Wanted(INES, tx.now, tx.now + HOUR))
        assert jobs.hand_over(here.program) == 1
        assert jobs.hand_over(here.program) == 0
        with here.program.db.read() as tx:
            (note,) = store.notes(tx.conn, [SCHEDULE], changing.Span(tx.now - HOUR, tx.now + HOUR))
            assert note.told_at is not None
            assert not handing.due(tx)
        assert before != (INES,)


def test_a_handoff_note_stands_on_the_schedule(database_url: str, tmp_path: Path) -> None:
    with watched(database_url, tmp_path) as here:
        with here.program.db.read() as tx:
            one = watching.on_call(tx, ["group:default/payments"])["group:default/payments"]
        assert one.until is not None
        form = {"at": one.until.isoformat(), "words": "The **queue** is slow"}
        answer = here.portal.ask("POST", f"{HERE}/note", FORM, urlencode(form))
        assert answer.status == 303, answer.text
        assert "The <strong>queue</strong> is slow" in here.page(HERE)


def test_fairness_shows_everyone_who_is_on_a_schedule(database_url: str, tmp_path: Path) -> None:
    with watched(database_url, tmp_path) as here:
        page = here.page("/oncall/fairness")
        assert "Nobody is woken too often" in page
        assert "Jonas Weber" in page
        assert "Jonas Weber" in here.page("/oncall/fairness?team=group:default/payments&weeks=12")
        assert here.portal.get("/oncall/fairness?weeks=7", PAGE).status == 400


def test_a_schedule_follows_the_calendar_beside_its_document(
    database_url: str, tmp_path: Path
) -> None:
    text = CATALOG.replace("  layers:\n", "  calendar: watch/team.ics\n  layers:\n")
    with watched(database_url, tmp_path, text) as here:
        now = datetime.now(UTC)
        file = here.folder / "watch" / "team.ics"
        file.parent.mkdir()
        file.write_bytes(calendar(now, "Ines Costa"))
        jobs.judge(here.program, str(here.folder))
        jobs.judge(here.program, str(here.folder))
        with here.program.db.begin() as tx:
            assert watching.watch_at(tx, SCHEDULE, tx.now) == (INES,)
            (made,) = watching.shifts(tx, SCHEDULE, tx.now, tx.now + HOUR / 2)
            with pytest.raises(Invalid, match="schedule's calendar"):
                changing.take_back(tx, made.override)
            changing.override(tx, SCHEDULE, Wanted(MAYA, tx.now, tx.now + HOUR))
            assert watching.watch_at(tx, SCHEDULE, tx.now) == (MAYA,), "a person said so later"
        file.write_bytes(b"no calendar")
        assert problems(here) == ["schedule-calendar"]
        file.write_bytes(calendar(now, "Somebody else"))
        assert problems(here) == ["schedule-calendar"]
        with here.program.db.read() as tx:
            assert watching.watch_at(tx, SCHEDULE, tx.now + 2 * HOUR) != (INES,)


def calendar(at: datetime, title: str) -> bytes:
    start, end = at - HOUR, at + 3 * HOUR
    entry = ics.Entry(key="x", start=start, end=end, title=title)
    return ics.write("Team", [entry], at)


def problems(here: Watched) -> list[str]:
    jobs.judge(here.program, str(here.folder))
    with here.program.db.read() as tx:
        found = views.problem_page(tx, severity=None, code=None, offset=0, limit=50)
    return [one.problem.code for one in found.items if one.scope == "oncall"]
