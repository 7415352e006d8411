"""Two real versions of one API: what oasdiff 1.15.0 says of them, and what our rules say."""

from __future__ import annotations

import json

import pytest
from tests.apis.definitions import SHARED

from pilothouse.apis.model import Comparison, Contract, Severity
from pilothouse.apis.rules.comparing import SAME
from pilothouse.apis.service.comparing import compare
from pilothouse.apis.service.reading import contract_of

NULLABLE = "NullableEntity"  # of `items` in the answer of POST /entities/by-refs
FIELD = "AnalyzeLocationEntityField"  # of `generateEntities[].fields` of POST /analyze-location


def _contract(version: str) -> Contract:
    path = SHARED / f"catalog-{version}.json"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return contract_of(path.read_text())


@pytest.fixture(scope="module")
def found() -> Comparison:
    return compare(_contract("1.24.0"), _contract("4.0.0"))


# What oasdiff's seven are here. It tells a place by its way from the operation, we tell it by the
# schema with a name; it says "list of types widened" and "type changed" where we say in both cases
# that an answer may be of more types. It calls two of the seven warnings, because the properties
# were optional: a client that reads one fails alike, so ours are breaking.
EXPECTED = {
    ("response-property-list-of-types-widened", "generateEntities/items/fields/items/value"): (
        "response-type-widened",
        f"{FIELD}.value",
    ),
    ("response-property-type-changed", "items/items/"): ("response-type-widened", NULLABLE),
    **{
        (f"response-{how}-property-removed", f"items/items/{name}"): (
            "response-property-removed",
            f"{NULLABLE}.{name}",
        )
        for how, name in (
            ("required", "apiVersion"),
            ("required", "kind"),
            ("required", "metadata"),
            ("optional", "relations"),
            ("optional", "spec"),
        )
    },
}


def test_every_breaking_change_that_oasdiff_finds_is_found(found: Comparison) -> None:
    said = json.loads((SHARED / "oasdiff-1.15.0-breaking.json").read_text())
    assert len(said) == 7
    ours = {
        (finding.rule, finding.place, operation)
        for finding in found.findings
        if finding.severity is Severity.BREAKING
        for operation in finding.operations
    }
    for one in said:
        place = next(part for part in one["text"].split("`") if "items" in part)
        rule, expected = EXPECTED[one["id"], place]
        assert (rule, expected, f"{one['operation']} {one['path']}") in ours


def test_nothing_else_is_breaking_and_each_of_the_seven_says_that_values_stay(
    found: Comparison,
) -> None:
    # The newer version writes `nullable: true` as `anyOf` with null: whoever generates types from
    # it gets others, and what goes over the wire is the same. oasdiff does not say so; we do.
    breaking = [f for f in found.findings if f.severity is Severity.BREAKING]
    assert {(f.rule, f.place) for f in breaking} == set(EXPECTED.values())
    assert {finding.note for finding in breaking} == {SAME}


def test_safe_changes_are_those_of_oasdiff_but_tags(found: Comparison) -> None:
    # Of its 29 further changes 16 say that an operation got a tag, which changes nothing for a
    # client and is no rule here; `anyOf` added is in the seven; `entityRef` stands once in our
    # findings, as the property of the schema Location, and four times in its.
    said = json.loads((SHARED / "oasdiff-1.15.0-changelog.json").read_text())
    info = [one["id"] for one in said if one["level"] == 1 and one["id"] != "api-tag-added"]
    safe = [f.rule for f in found.findings if f.severity is Severity.SAFE]
    assert info.count("endpoint-added") == safe.count("operation-added") == 4
    assert info.count("new-optional-request-parameter") == 3
    assert safe.count("optional-parameter-added") == 3
    assert info.count("new-optional-request-property") == 1
    assert safe.count("request-optional-property-added") == 1
    [added] = [f for f in found.findings if f.rule == "response-property-added"]
    assert info.count("response-required-property-added") == added.touched == 4
    assert len(safe) == 9
    assert found.count(Severity.WARNING) == 0


def test_the_way_back_breaks_what_was_added() -> None:
    back = compare(_contract("4.0.0"), _contract("1.24.0"))
    broken = {finding.rule for finding in back.findings if finding.severity is Severity.BREAKING}
    assert {"path-removed", "operation-removed", "parameter-removed"} <= broken
