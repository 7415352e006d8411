"""What is drawn again: what changed, what stands beside it, what shows its name."""

from datetime import UTC, datetime, timedelta

import pytest

from pilothouse.export.model import Drawn, Kept, Manifest, Planned
from pilothouse.export.rules.deciding import due, is_full, linking_to, read_manifest, remembered
from pilothouse.kernel.errors import Conflict, Invalid

NOW = datetime(2026, 11, 23, tzinfo=UTC)
A, B, C, LIST, PART = "/c/a", "/c/b", "/c/c", "/list", "/part"
PLANNED = {
    A: Planned(A, "a", ("a",)),
    B: Planned(B, "b", ("b",)),
    C: Planned(C, "c", ("c",)),
    LIST: Planned(LIST, "l"),
    PART: Planned(PART, "p", version="1"),
}
BEFORE = Manifest(
    full_at=NOW,
    program="x",
    pages={
        A: Kept("a", "1", (1,)),
        B: Kept("b", "1", (2,)),
        C: Kept("c", "1"),
        LIST: Kept("l", "1"),
        PART: Kept("p", "1", (0,), "1"),
    },
    addresses=(A, B, C),
)


def again(touched=(), beside=(), missing=(), planned=PLANNED, before=BEFORE):
    return set(due(planned, before, set(touched), {*touched, *beside}, set(missing)))


def test_a_list_without_a_version_is_drawn_each_time():
    assert again() == {LIST}


def test_an_entity_its_neighbours_and_what_links_to_it_are_drawn():
    assert again(touched="b") == {LIST, B, A}
    assert again(touched="a", beside="c") == {LIST, A, C, PART}


def test_what_links_to_an_entity_that_is_called_as_before_stays():
    planned = {**PLANNED, B: Planned(B, "b", ("b",), face="Books")}
    known = {**BEFORE.pages, B: Kept("b", "1", (2,), face="Books")}
    same = Manifest(pages=known, addresses=BEFORE.addresses)
    assert again(touched="b", planned=planned, before=same) == {LIST, B}
    other = {**PLANNED, B: Planned(B, "b", ("b",), face="Ledgers")}
    assert again(touched="b", planned=other, before=same) == {LIST, B, A}


def test_what_links_to_a_page_that_went_or_came_is_drawn():
    without = {one: page for one, page in PLANNED.items() if one != C}
    assert again(planned=without) == {LIST, B}
    kept = {one: page for one, page in BEFORE.pages.items() if one != C}
    assert again(before=Manifest(pages=kept, addresses=BEFORE.addresses)) == {LIST, B, C}


def test_a_file_that_is_missing_and_a_page_that_failed_are_drawn():
    assert again(missing={"b"}) == {LIST, B}
    failed = {**BEFORE.pages, C: Kept("c", "")}
    assert again(before=Manifest(pages=failed, addresses=BEFORE.addresses)) == {LIST, C}


def test_a_part_of_a_list_is_drawn_when_it_shows_others():
    assert again(planned={**PLANNED, PART: Planned(PART, "p", version="2")}) == {LIST, PART}


def test_everything_is_drawn_once_a_day_and_for_another_program():
    assert not is_full(BEFORE, "x", NOW + timedelta(hours=23))
    assert is_full(BEFORE, "x", NOW + timedelta(hours=24))
    assert is_full(BEFORE, "y", NOW)
    assert is_full(Manifest(), "", NOW)


def test_links_are_remembered_from_one_copy_to_the_next():
    pages, addresses = remembered(PLANNED, {A: Drawn(A, "a", "2", (C,))}, BEFORE, {B})
    assert [addresses[number] for number in pages[A].links] == [C]
    assert [addresses[number] for number in pages[B].links] == [C]
    assert pages[B].digest == ""
    assert linking_to({C}, {A: Drawn(A, "a", "2", (C,))}, BEFORE) == {A, B}


@pytest.mark.parametrize("data", [b"", b"[]", b'{"pages": 3}', b"\xff"])
def test_a_manifest_that_cannot_be_read_is_refused(data):
    with pytest.raises(Invalid, match="cannot be read"):
        read_manifest(data, "here")


def test_a_manifest_of_a_newer_program_or_with_files_elsewhere_is_refused():
    with pytest.raises(Conflict, match="newer"):
        read_manifest(b'{"format": 99}', "here")
    with pytest.raises(Invalid, match="outside"):
        read_manifest(b'{"files": {"../x": "1"}}', "here")
