"""A real organisation's catalog, with the answers that the real Backstage gave for it."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from tests.catalog.judging import SHARED, expected

from pilothouse.catalog.formats.yaml import read_documents
from pilothouse.catalog.rules.kinds import reverse_of
from pilothouse.catalog.rules.validity import judge

if TYPE_CHECKING:
    from pilothouse.catalog.model import Entity, Problem

NAME = "giantswarm-2026-08-07"


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    return expected(f"{NAME}.expected.json")


@pytest.fixture(scope="module")
def judged(answers) -> list[tuple[str, Entity | None, list[Problem]]]:
    assert answers
    found = []
    for path in sorted((SHARED / NAME).glob("*.yaml")):
        reading = read_documents(path.read_bytes())
        assert reading.ok
        assert reading.problems == ()
        found += [(path.name, *judge(document, {})) for document in reading.documents]
    return found


def test_every_document_gets_the_same_verdict(answers, judged):
    verdicts = [
        {"file": file, "ref": str(entity.ref), "policy": "ok", "kindKnown": True}
        for file, entity, problems in judged
        if entity and not problems
    ]
    assert verdicts == answers["entities"]
    assert len(judged) == answers["documents"]


def test_the_same_refs_stand_several_times(answers, judged):
    counted = Counter(str(entity.ref) for _, entity, _ in judged)
    assert len(counted) == answers["distinctRefs"]
    assert [[ref, count] for ref, count in counted.items() if count > 1] == answers["duplicateRefs"]


def test_relations_are_the_same_in_both_directions(answers, judged):
    relations = defaultdict(set)
    for _, entity, _ in judged:
        for edge in entity.edges:
            relations[edge.source].add(f"{edge.type} {edge.target}")
            relations[edge.target].add(f"{reverse_of(edge.type)} {edge.source}")
    assert {ref: sorted(found) for ref, found in relations.items()} == answers["relations"]


def test_the_same_targets_dangle(answers, judged):
    known = {str(entity.ref) for _, entity, _ in judged}
    ends = {
        end
        for _, entity, _ in judged
        for edge in entity.edges
        for end in (edge.source, edge.target)
    }
    assert sorted(ends - known) == answers["danglingTargets"]
