"""The catalog list: what it holds, in which order, and what it can be narrowed by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.catalog.following import Following, component, following, group, several, write

from pilothouse.catalog.service import listing
from pilothouse.catalog.service.listing import Question

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def catalog(database_url: str, tmp_path: Path) -> Iterator[Following]:
    with following(database_url, tmp_path / "data") as found:
        folder = tmp_path / "source"
        many = [component(f"c{number:02}", owner="team-b") for number in range(60)]
        write(
            folder,
            "catalog-info.yaml",
            several(
                group("team-a"),
                group("team-b"),
                component("checkout", type="website", lifecycle="deprecated"),
                component("payments", owner="nobody").replace("spec:", "  tags: [money]\nspec:"),
                *many,
            ),
        )
        found.follow(folder)
        yield found


def names(catalog: Following, question: Question) -> list[str]:
    with catalog.program.db.read() as tx:
        return [item.title for item in listing.listing(tx, question).items]


def total(catalog: Following, question: Question) -> int:
    with catalog.program.db.read() as tx:
        return listing.listing(tx, question).total


def test_the_list_comes_in_pages_and_counts_all(catalog: Following) -> None:
    first = names(catalog, Question(kind=("component",)))
    second = names(catalog, Question(kind=("component",), offset=listing.PAGE))
    assert len(first) == listing.PAGE
    assert first[:2] == ["c00", "c01"]
    assert second[-2:] == ["checkout", "payments"]
    assert len({*first, *second}) == total(catalog, Question(kind=("component",))) == 62


@pytest.mark.parametrize(
    ("question", "found"),
    [
        (Question(type=("website",)), ["checkout"]),
        (Question(lifecycle=("deprecated",)), ["checkout"]),
        (Question(owner=("group:default/team-a",)), ["checkout"]),
        (Question(owner=("group:default/nobody",)), ["payments"]),
        (Question(tag=("money",)), ["payments"]),
        (Question(kind=("group",)), ["team-a", "team-b"]),
        (Question(q="checkout"), ["checkout"]),
        (Question(q="check", kind=("group",)), []),
        (Question(kind=("api",)), []),
    ],
)
def test_the_list_is_narrowed_by_what_is_asked(
    catalog: Following, question: Question, found: list[str]
) -> None:
    assert names(catalog, question) == found
    assert total(catalog, question) == len(found)


def test_a_facet_counts_as_if_it_were_not_chosen(catalog: Following) -> None:
    question = Question(kind=("component",), type=("website",))
    with catalog.program.db.read() as tx:
        facets = {facet.name: facet.options for facet in listing.facets(tx, question)}
    counted = {option.value: (option.count, option.chosen) for option in facets["type"]}
    assert counted == {"service": (61, False), "website": (1, True)}
    assert {option.value: option.count for option in facets["lifecycle"]} == {"deprecated": 1}


def test_a_line_says_when_its_entity_has_problems(catalog: Following) -> None:
    with catalog.program.db.read() as tx:
        found = listing.listing(tx, Question(q="payments"))
    assert [(item.title, item.troubles, item.stale) for item in found.items] == [
        ("payments", 1, False)
    ]
    assert found.items[0].owner is not None
    assert not found.items[0].owner.exists


def test_the_list_of_another_time_answers_the_same_questions(catalog: Following) -> None:
    with catalog.program.db.read() as tx:
        for question in (Question(kind=("group",)), Question(tag=("money",)), Question(q="check")):
            now, then = (
                [item.title for item in found.items]
                for found in (
                    listing.listing(tx, question),
                    listing.listing_at(tx, question, tx.now),
                )
            )
            assert sorted(now) == sorted(then)


def test_a_question_is_written_into_the_address_and_back(catalog: Following) -> None:
    question = Question(kind=("component",), tag=("a b", "c&d"), q="x=y", offset=50)
    assert question.query(offset=0) == msgspec.structs.replace(question, offset=0).query()
    assert "a+b" in question.query()
    assert total(catalog, question) == 0
