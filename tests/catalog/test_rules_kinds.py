"""Backstage's kinds as tables."""

from __future__ import annotations

import pytest

from pilothouse.catalog.rules.kinds import (
    BACKSTAGE,
    RELATIONS,
    REVERSE,
    backstage_shape,
    reverse_of,
)

REQUIRED = {
    "Component": {"type", "lifecycle", "owner"},
    "API": {"type", "lifecycle", "owner", "definition"},
    "Resource": {"type", "owner"},
    "System": {"owner"},
    "Domain": {"owner"},
    "Group": {"type", "children"},
    "User": {"memberOf"},
    "Location": set(),
    "AiResource": {"type", "lifecycle", "owner"},
    "Template": set(),
}


def test_every_kind_asks_for_what_backstage_asks_for():
    assert {kind: set(shape.required) for kind, shape in BACKSTAGE.items()} == REQUIRED


def test_an_mcp_server_has_remotes_in_place_of_a_definition():
    shape = backstage_shape("API", {"type": "mcp-server"})
    assert shape is not None
    assert set(shape.required) == {"type", "lifecycle", "owner", "remotes"}
    assert backstage_shape("API", {"type": ["mcp-server"]}) is BACKSTAGE["API"]
    assert backstage_shape("Api") is None


def test_every_reference_makes_a_relation_in_its_kept_direction():
    for shape in BACKSTAGE.values():
        for reference in shape.references:
            assert reference.relation in REVERSE
            assert reference.field in shape.fields


@pytest.mark.parametrize(("kept", "reverse"), [(one.kept, one.reverse) for one in RELATIONS])
def test_relations_come_in_pairs(kept, reverse):
    assert reverse_of(kept) == reverse
    assert reverse_of(reverse) is None
