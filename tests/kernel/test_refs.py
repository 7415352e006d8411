"""Names of entities: read, compared and written as Backstage does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef, split

NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,60}[A-Za-z0-9])?", fullmatch=True)


@given(NAMES, NAMES, NAMES)
def test_a_ref_that_is_written_is_read_back(kind, namespace, name):
    ref = EntityRef.of(kind, namespace, name)
    assert EntityRef.parse(str(ref)) == ref


@given(NAMES, NAMES, NAMES)
def test_case_makes_no_other_entity(kind, namespace, name):
    text = f"{kind}:{namespace}/{name}"
    assert EntityRef.parse(text.upper()) == EntityRef.parse(text.lower())


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("tug", ("component", "default", "tug")),
        ("Group:crew", ("Group", "default", "crew")),
        ("north/tug", ("component", "north", "tug")),
        ("api:north/Tug", ("api", "north", "Tug")),
        ("north/tug:one", ("component", "north", "tug:one")),
        ("api:tug:one", ("api", "default", "tug:one")),
        ("api:a/b/c", ("api", "a", "b/c")),
    ],
)
def test_parts_left_out_are_filled_in_and_case_is_kept(text, parts):
    assert split(text, kind="component") == parts


@pytest.mark.parametrize("text", ["", ":tug", "/tug", "api:", "api:/tug", "api:north/", "north/"])
def test_a_ref_with_an_empty_part_is_refused(text):
    with pytest.raises(Invalid, match="Entity reference"):
        EntityRef.parse(text, kind="component")


def test_a_ref_without_a_kind_and_no_default_for_it_is_refused():
    with pytest.raises(Invalid, match="had missing or empty kind"):
        EntityRef.parse("tug")


def test_refs_sort_by_kind_then_namespace_then_name():
    texts = ["api:b/a", "api:a/z", "zebra:a/a", "api:a/b"]
    assert [str(ref) for ref in sorted(map(EntityRef.parse, texts))] == [
        "api:a/b",
        "api:a/z",
        "api:b/a",
        "zebra:a/a",
    ]
