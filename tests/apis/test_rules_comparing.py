"""Each rule finds what it is for; what is alike has no differences; what is taken away breaks."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apis.definitions import asking, compared, giving, openapi, rules, taking

from pilothouse.apis.model import Severity
from pilothouse.apis.rules.comparing import SAME
from pilothouse.apis.rules.registry import RULES

Q = {"name": "q", "in": "query", "schema": {"type": "string"}}
MUST = {**Q, "required": True}
TEXT = {"type": "string"}


def thing(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def paths(*keys: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in keys:
        verb, path = key.split()
        found.setdefault(path, {})[verb] = {"responses": {"200": {"description": "fine"}}}
    return {"openapi": "3.0.3", "info": {}, "paths": found}


def answering(**statuses: Any) -> dict[str, Any]:
    return openapi({"responses": {key[1:]: value for key, value in statuses.items()}})


def secured(*needs: dict[str, list[str]]) -> dict[str, Any]:
    return openapi({"security": list(needs)})


def media(*names: str) -> dict[str, Any]:
    return openapi({"requestBody": {"content": {name: {"schema": TEXT} for name in names}}})


def scheme(kind: str) -> dict[str, Any]:
    return openapi({}, components={"securitySchemes": {"it": {"type": "http", "scheme": kind}}})


def header(name: str, *, required: bool = False) -> dict[str, Any]:
    return answering(_200={"headers": {name: {"schema": TEXT, "required": required}}})


def proto(number: int) -> str:
    return (
        f'syntax = "proto3";\nmessage M {{ string name = {number}; }}\n'
        "service S { rpc Ask(M) returns (M); }\n"
    )


FINE = {"description": "fine"}
CASES: dict[str, tuple[Any, Any]] = {
    "path-removed": (paths("get /a", "get /b"), paths("get /a")),
    "operation-removed": (paths("get /a", "put /a"), paths("get /a")),
    "operation-added": (paths("get /a"), paths("get /a", "put /a")),
    "server-removed": (
        openapi({}, servers=[{"url": "https://a"}, {"url": "https://b"}]),
        openapi({}, servers=[{"url": "https://a"}]),
    ),
    "server-added": (openapi({}), openapi({}, servers=[{"url": "https://a"}])),
    "security-scheme-changed": (scheme("basic"), scheme("bearer")),
    "operation-deprecated": (openapi({}), openapi({"deprecated": True})),
    "operation-reinstated": (openapi({"deprecated": True}), openapi({})),
    "operation-id-changed": (openapi({"operationId": "a"}), openapi({"operationId": "b"})),
    "parameter-removed": (asking(Q), asking()),
    "required-parameter-added": (asking(), asking(MUST)),
    "optional-parameter-added": (asking(), asking(Q)),
    "body-removed": (taking(TEXT), openapi({})),
    "required-body-added": (
        openapi({}),
        openapi({"requestBody": {"required": True, "content": {"a/b": {}}}}),
    ),
    "optional-body-added": (openapi({}), taking(TEXT)),
    "answer-removed": (answering(_200=FINE, _201=FINE), answering(_200=FINE)),
    "error-answer-removed": (answering(_200=FINE, _404=FINE), answering(_200=FINE)),
    "answer-added": (answering(_200=FINE), answering(_200=FINE, _404=FINE)),
    "security-added": (openapi({}), secured({"it": []})),
    "security-removed": (secured({"it": ["a"]}), secured({"it": ["a"]}, {})),
    "parameter-became-required": (asking(Q), asking(MUST)),
    "parameter-became-optional": (asking(MUST), asking(Q)),
    "parameter-style-changed": (
        asking({**Q, "style": "form"}),
        asking({**Q, "style": "spaceDelimited"}),
    ),
    "parameter-deprecated": (asking(Q), asking({**Q, "deprecated": True})),
    "body-became-required": (
        taking(TEXT),
        openapi({"requestBody": {"required": True, "content": {"application/json": {}}}}),
    ),
    "body-became-optional": (
        openapi({"requestBody": {"required": True, "content": {"application/json": {}}}}),
        taking(TEXT),
    ),
    "media-type-removed": (media("a/b", "c/d"), media("a/b")),
    "media-type-added": (media("a/b"), media("a/b", "c/d")),
    "answer-header-removed": (header("X-A"), header("X-B")),
    "answer-header-added": (header("X-A"), header("X-B")),
    "answer-header-became-optional": (header("X-A", required=True), header("X-A")),
    "type-changed": (taking(TEXT), taking({"type": "integer"})),
    "request-type-narrowed": (taking({"type": ["string", "null"]}), taking(TEXT)),
    "request-type-widened": (taking({"type": "integer"}), taking({"type": "number"})),
    "response-type-widened": (giving(TEXT), giving({"type": ["string", "null"]})),
    "response-type-narrowed": (giving({"type": "number"}), giving({"type": "integer"})),
    "request-format-narrowed": (taking(TEXT), taking({"type": "string", "format": "uuid"})),
    "response-format-changed": (
        giving({"type": "string", "format": "date"}),
        giving({"type": "string", "format": "uuid"}),
    ),
    "format-eased": (
        taking({"type": "integer", "format": "int32"}),
        taking({"type": "integer", "format": "int64"}),
    ),
    "request-enum-narrowed": (taking({"enum": ["a", "b"]}), taking({"enum": ["a"]})),
    "request-enum-widened": (taking({"enum": ["a"]}), taking({"enum": ["a", "b"]})),
    "response-enum-widened": (giving({"enum": ["a"]}), giving({"enum": ["a", "b"]})),
    "response-enum-narrowed": (giving({"enum": ["a", "b"]}), giving({"enum": ["a"]})),
    "request-bound-narrowed": (taking(TEXT), taking({"type": "string", "maxLength": 5})),
    "request-bound-eased": (
        taking({"type": "string", "minLength": 5}),
        taking({"type": "string", "minLength": 2}),
    ),
    "response-bound-eased": (giving({"type": "string", "maxLength": 5}), giving(TEXT)),
    "response-bound-narrowed": (giving(TEXT), giving({"type": "string", "maxLength": 5})),
    "request-pattern-changed": (taking(TEXT), taking({"type": "string", "pattern": "^a"})),
    "response-pattern-changed": (giving({"type": "string", "pattern": "^a"}), giving(TEXT)),
    "request-alternative-removed": (
        taking({"oneOf": [{"title": "A"}, {"title": "B"}]}),
        taking({"oneOf": [{"title": "A"}]}),
    ),
    "request-alternative-added": (
        taking({"oneOf": [{"title": "A"}]}),
        taking({"oneOf": [{"title": "A"}, {"title": "B"}]}),
    ),
    "response-alternative-added": (
        giving({"oneOf": [{"title": "A"}]}),
        giving({"oneOf": [{"title": "A"}, {"title": "B"}]}),
    ),
    "response-alternative-removed": (
        giving({"oneOf": [{"title": "A"}, {"title": "B"}]}),
        giving({"oneOf": [{"title": "A"}]}),
    ),
    "default-changed": (
        taking({"type": "integer", "default": 1}),
        taking({"type": "integer", "default": 2}),
    ),
    "request-property-removed": (taking(thing(a=TEXT)), taking(thing())),
    "request-required-property-added": (taking(thing()), taking(thing("a", a=TEXT))),
    "request-optional-property-added": (taking(thing()), taking(thing(a=TEXT))),
    "request-property-became-required": (taking(thing(a=TEXT)), taking(thing("a", a=TEXT))),
    "request-property-became-optional": (taking(thing("a", a=TEXT)), taking(thing(a=TEXT))),
    "response-property-removed": (giving(thing(a=TEXT)), giving(thing())),
    "response-property-became-optional": (giving(thing("a", a=TEXT)), giving(thing(a=TEXT))),
    "response-property-added": (giving(thing()), giving(thing(a=TEXT))),
    "response-property-became-required": (giving(thing(a=TEXT)), giving(thing("a", a=TEXT))),
    "property-direction-changed": (
        taking(thing(a=TEXT)),
        taking(thing(a={**TEXT, "readOnly": True})),
    ),
    "property-deprecated": (giving(thing(a=TEXT)), giving(thing(a={**TEXT, "deprecated": True}))),
    "request-object-closed": (
        taking(thing()),
        taking({**thing(), "additionalProperties": False}),
    ),
    "request-object-opened": (
        taking({**thing(), "additionalProperties": False}),
        taking(thing()),
    ),
    "field-number-changed": (proto(1), proto(2)),
}


@pytest.mark.parametrize("code", sorted(RULES))
def test_a_rule_finds_what_it_is_for_and_nothing_in_what_is_alike(code: str) -> None:
    old, new = CASES[code]
    assert code in rules(old, new)
    assert not rules(old, old)
    assert not rules(new, new)


def test_every_case_is_of_a_rule() -> None:
    assert set(CASES) == set(RULES)


def test_a_shared_schema_is_told_once_with_all_operations_that_use_it() -> None:
    def document(extra: dict[str, Any]) -> dict[str, Any]:
        answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}
        one = {"get": {"responses": {"200": answer}}}
        schemas = {
            "A": thing(b={"$ref": "#/components/schemas/B"}),
            "B": thing(a={"$ref": "#/components/schemas/A"}, **extra),
        }
        return {
            "openapi": "3.0.3",
            "paths": {"/x": one, "/y": one},
            "components": {"schemas": schemas},
        }

    [finding] = compared(document({"name": TEXT}), document({})).findings
    assert finding.rule == "response-property-removed"
    assert finding.place == "B.name"
    assert finding.operations == ("GET /x", "GET /y")
    assert finding.touched == 2


def test_a_property_that_moves_into_a_part_of_all_of_has_not_moved_for_clients() -> None:
    parts = {"components": {"schemas": {"Base": thing("a", a=TEXT)}}}
    whole = giving(thing("a", a=TEXT, b=TEXT), **parts)
    divided = giving({"allOf": [{"$ref": "#/components/schemas/Base"}, thing(b=TEXT)]}, **parts)
    assert not rules(whole, divided)
    assert not rules(divided, whole)


def test_null_written_in_another_way_is_told_as_such() -> None:
    found = compared(
        giving(thing(a={"type": "string", "nullable": True})),
        giving(thing(a={"anyOf": [{"type": "string"}, {"type": "null"}]})),
    )
    assert [(f.rule, f.note) for f in found.findings] == [("response-type-widened", SAME)]


def test_a_parameter_of_the_path_that_is_called_otherwise_is_another_path() -> None:
    assert rules(paths("get /a/{id}"), paths("get /a/{key}")) == {"path-removed", "operation-added"}


def test_swagger_two_and_openapi_three_can_be_compared() -> None:
    old = {
        "swagger": "2.0",
        "paths": {
            "/a": {
                "post": {
                    "parameters": [{"in": "body", "name": "x", "schema": thing(a=TEXT)}],
                    "responses": {"200": {"schema": thing(b=TEXT)}},
                }
            }
        },
    }
    content = {"application/json": {"schema": thing(a=TEXT)}}
    answer = {"application/json": {"schema": thing()}}
    new = {
        "openapi": "3.0.3",
        "paths": {
            "/a": {
                "post": {
                    "requestBody": {"content": content},
                    "responses": {"200": {"content": answer}},
                }
            }
        },
    }
    assert rules(old, new) == {"response-property-removed"}


def test_graphql_is_compared_by_graphql_core() -> None:
    old = "type Query { a(x: Int): String b: Int }"
    new = "type Query { a(x: Int, y: Int!): String c: Int }"
    found = {(f.severity, f.rule, f.place) for f in compared(old, new).findings}
    assert (Severity.BREAKING, "graphql-field-removed", "Query.b") in found
    assert any(rule == "graphql-required-arg-added" for _, rule, _ in found)
    assert (Severity.SAFE, "graphql-field-added", "Query.c") in found
    assert not compared(old, old).findings


def test_a_message_that_is_no_longer_sent_breaks_its_readers() -> None:
    def stream(**messages: Any) -> dict[str, Any]:
        return {
            "asyncapi": "3.0.0",
            "channels": {"c": {"address": "c", "messages": messages}},
            "operations": {"o": {"action": "send", "channel": {"$ref": "#/channels/c"}}},
        }

    payload = thing(a=TEXT)
    old = stream(made={"payload": payload}, gone={"payload": payload})
    assert rules(old, stream(made={"payload": payload})) == {"media-type-removed"}
    assert rules(old, stream(made={"payload": thing()}, gone={"payload": payload})) == {
        "response-property-removed"
    }


names = st.sampled_from("abcdef")
scalars = st.sampled_from(
    [
        {"type": "string"},
        {"type": "integer"},
        {"type": "boolean"},
        {"type": "string", "maxLength": 9},
        {"enum": ["x", "y"]},
        {"$ref": "#/components/schemas/A"},
    ]
)
schemas = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(
            lambda properties, required: {
                "type": "object",
                "properties": properties,
                "required": [name for name in properties if name in required],
            },
            st.dictionaries(names, inner, max_size=4),
            st.sets(names),
        ),
        st.builds(lambda parts: {"oneOf": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"allOf": parts}, st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=8,
)
both = st.sampled_from([taking, giving])


@given(both, schemas, schemas)
def test_what_is_alike_has_no_differences(make: Any, schema: Any, other: Any) -> None:
    document = make(schema, components={"schemas": {"A": other}})
    assert not compared(document, copy.deepcopy(document)).findings


@given(both, st.dictionaries(names, scalars, max_size=4), schemas)
def test_what_is_added_and_may_be_left_out_never_breaks(
    make: Any, properties: Any, added: Any
) -> None:
    more = {"components": {"schemas": {"A": thing(z=TEXT)}}}
    old = make(thing(**properties), **more)
    new = make(thing(**properties, new=added), **more)
    found = compared(old, new)
    assert found.findings
    assert found.worst is Severity.SAFE


@given(both, st.dictionaries(names, scalars, min_size=1, max_size=4), st.data())
def test_what_is_taken_away_breaks(make: Any, properties: Any, data: Any) -> None:
    gone = data.draw(st.sampled_from(sorted(properties)))
    more = {"components": {"schemas": {"A": thing(z=TEXT)}}}
    rest = {name: schema for name, schema in properties.items() if name != gone}
    found = compared(make(thing(**properties), **more), make(thing(**rest), **more))
    assert found.worst is Severity.BREAKING
    assert any(finding.place.endswith(f".{gone}") for finding in found.findings)


@given(schemas, schemas)
def test_any_two_versions_can_be_compared(old: Any, new: Any) -> None:
    for make in (taking, giving):
        found = compared(
            make(old, components={"schemas": {"A": new}}),
            make(new, components={"schemas": {"A": old}}),
        )
        weights = [list(Severity).index(finding.severity) for finding in found.findings]
        assert weights == sorted(weights)
