"""The index of all that can be found."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from pilothouse import app
from pilothouse.kernel import search
from pilothouse.kernel.search import rules
from pilothouse.kernel.search.model import Document, Hit
from pilothouse.kernel.settings import load

FENCE = "pilothouse-fence: lease lost by worker 12 at 14:02, token 9f3c"


def page(key: str, title: str, words: str = "", **more: str) -> Document:
    values = {"origin": "docs:1", "kind": "doc", "href": f"/docs/{key}"} | more
    return Document(key=key, title=title, text=words, **values)


@pytest.fixture
def library(database_url):
    db = app.program(load({"database_url": database_url}, environ={})).db
    with db.begin() as tx:
        search.put(
            tx,
            [
                page("a", "Restart the queue", f"When you see {FENCE} stop it.", kind="runbook"),
                page("b", "How deployments work", "A deployed version is what runs.", owner="g"),
                page("c", "POST /api/pay/{id}", "Pays for a basket", kind="operation"),
                page("d", "Café münchen", "Ein Text", origin="docs:2"),
            ],
        )
    return db


def titles(db, question: str, **more) -> list[str]:
    with db.read() as tx:
        return [hit.title for hit in search.find(tx, question, **more)]


def test_a_document_is_found_by_its_title_its_text_and_the_beginning_of_a_word(library):
    assert titles(library, "restart queue") == ["Restart the queue"]
    assert titles(library, "basket") == ["POST /api/pay/{id}"]
    assert titles(library, "deploy") == ["How deployments work"]
    assert titles(library, "café") == ["Café münchen"]


def test_an_endpoint_is_found_by_its_path(library):
    assert titles(library, "/api/pay")[0] == "POST /api/pay/{id}"
    assert titles(library, "POST /api/pay/{id}")[0] == "POST /api/pay/{id}"


def test_an_error_text_with_other_numbers_still_finds_its_runbook(library):
    other = FENCE.replace("12", "77").replace("14:02", "03:15").replace("9f3c", "aaaa")
    assert titles(library, other)[0] == "Restart the queue"


def test_a_snippet_marks_what_was_sought(library):
    with library.read() as tx:
        (hit,) = search.find(tx, "lease")
    assert ("lease", True) in hit.snippet


def test_a_slip_of_the_hand_in_a_title_is_forgiven(library):
    assert titles(library, "resatrt the queu") == ["Restart the queue"]
    assert titles(library, "zzzzqqq") == []
    with library.begin() as tx:
        search.put(tx, [page("new", "Drain the reservoir")])
    assert titles(library, "resrvoir") == ["Drain the reservoir"]


def test_one_kind_can_be_asked_for(library):
    assert titles(library, "basket", kind="operation") == ["POST /api/pay/{id}"]
    assert titles(library, "basket", kind="runbook") == []


def test_a_document_put_again_replaces_the_one_before(library):
    with library.begin() as tx:
        search.put(tx, [page("a", "Drain the lake", "nothing"), page("a", "Drain the sea")])
    assert titles(library, "queue") == []
    assert titles(library, "drain") == ["Drain the sea"]


def test_what_is_dropped_is_found_no_more(library):
    with library.begin() as tx:
        search.drop(tx, ["a", "unknown"])
        search.drop_of(tx, "docs:2")
    assert titles(library, "queue münchen") == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(max_size=60))
def test_any_question_has_an_answer(library, question):
    with library.read() as tx:
        search.find(tx, question)
        search.find(tx, question, kind="doc")


def test_a_text_may_hold_any_sign(library):
    with library.begin() as tx:
        search.put(tx, [page("odd", "nul \0 and \x02 marks \x03", "x \0 \x02 y \x03 needle")])
    assert len(titles(library, "needle")) == 1


@given(st.text(max_size=600), st.lists(st.sampled_from(["a", "lease", "x1", "é"]), min_size=1))
def test_the_parts_of_a_snippet_are_a_part_of_its_text(words, asked):
    whole = "".join(piece for piece, _ in rules.snippet(words, asked))
    assert whole.removeprefix("… ").removesuffix(" …") in words


def test_a_snippet_stands_where_most_of_the_words_do():
    words = "lease " + "nothing " * 60 + "the lease was lost by a worker" + " nothing" * 60
    assert ("lost", True) in rules.snippet(words, ("lease", "lost", "worker"))


def test_forms_of_a_word_find_each_other():
    assert rules.stem("deployments") == rules.stem("deployment")
    assert rules.stem("restarting") == rules.stem("restarted") == rules.stem("restart")
    assert rules.stem("ring") == "ring"


@given(st.text())
def test_terms_are_words_without_signs(question):
    found = rules.terms(question)
    assert len(found) <= rules.MOST_TERMS
    assert all(word.isalnum() for word in found)


def hit(title: str, score: float, **more: Any) -> Hit:
    return Hit(kind="doc", title=title, href=f"/{title}", score=score, **more)


def test_what_burns_comes_before_what_is_ones_own_and_that_before_the_rest():
    found = rules.ranked(
        [
            hit("other", 40),
            hit("mine", 40, owner="group:default/us"),
            hit("burning", 40, ref="component:default/fire"),
        ],
        own={"group:default/us"},
        burning={"component:default/fire"},
    )
    assert [item.title for item in found] == ["burning", "mine", "other"]


def test_one_address_is_found_once_with_its_better_score():
    found = rules.ranked([hit("x", 10), hit("x", 30), hit("y", 20)], own=(), burning=())
    assert [(item.title, item.score) for item in found] == [("x", 30), ("y", 20)]


def test_the_index_follows_what_a_transaction_that_failed_had_put(library):
    with pytest.raises(RuntimeError, match="cut off"), library.begin() as tx:  # noqa: PT012
        search.put(tx, [page("z", "Half written")])
        raise RuntimeError("cut off")
    assert titles(library, "written") == []
    if library.is_sqlite:
        with library.begin() as tx:  # raises when the index and its table differ
            tx.conn.execute(
                text("INSERT INTO search_texts(search_texts, rank) VALUES ('integrity-check', 1)")
            )
