"""What definitions of each format say, and what happens to those that say nonsense."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apis.definitions import SHARED, giving, openapi

from pilothouse.apis.formats import style
from pilothouse.apis.model import Place, Style, Unreadable
from pilothouse.apis.service.reading import checked, contract_of

SWAGGER = """
swagger: '2.0'
info: {title: Pets, version: '3'}
host: api.example.com
basePath: /v1
schemes: [https]
consumes: [application/json]
produces: [application/json]
securityDefinitions: {key: {type: apiKey, in: header, name: X-Key}}
security: [{key: []}]
paths:
  /pets/{id}:
    parameters: [{$ref: '#/parameters/id'}]
    get:
      tags: [pets]
      responses: {200: {description: a pet, schema: {$ref: '#/definitions/Pet'}}}
    post:
      consumes: [multipart/form-data]
      parameters:
        - {in: formData, name: picture, type: file, required: true}
      responses: {default: {description: fine}}
parameters: {id: {name: id, in: path, type: integer, format: int64}}
definitions:
  Pet:
    type: object
    required: [name]
    properties: {name: {type: string, x-nullable: true}, mother: {$ref: '#/definitions/Pet'}}
"""

ASYNCAPI_2 = """
asyncapi: 2.6.0
info: {title: Stream, version: '1'}
channels:
  orders/{region}:
    parameters: {region: {schema: {type: string}}}
    subscribe:
      summary: An order was placed
      message:
        oneOf: [{$ref: '#/components/messages/placed'}, {$ref: '#/components/messages/paid'}]
    publish: {message: {name: Ask, payload: {type: object}}}
components:
  messages:
    placed: {payload: {$ref: '#/components/schemas/Order'}, examples: [{payload: {id: 1}}]}
    paid: {schemaFormat: application/vnd.apache.avro, payload: {type: record}}
  schemas: {Order: {type: object, properties: {id: {type: integer}}}}
"""

PROTO = """
syntax = "proto3";
package ledger.v1;
import "google/protobuf/timestamp.proto";
option go_package = "x";
// Books money.
service Ledger {
  // Books one entry.
  rpc Book(BookRequest) returns (ledger.v1.Entry) {
    option (google.api.http) = { post: "/v1/book" body: "*" };
  }
  rpc Watch(stream BookRequest) returns (stream Entry);
  rpc Old(BookRequest) returns (Entry) { option deprecated = true; }
}
message BookRequest {
  reserved 9, 10 to 12;
  string account = 1; // whose
  map<string, Entry> labels = 3;
  oneof how { string card = 4; string iban = 5 [deprecated = true]; }
  repeated Line lines = 6;
  message Line { string text = 1; }
}
message Entry {
  enum State { option allow_alias = true; OPEN = 0; BOOKED = 1; }
  State state = 2;
  google.protobuf.Timestamp at = 4;
}
"""

GRAPHQL = '''
"""A shop."""
schema { query: Root }
type Root { "One." product(id: ID!, first: Int = 10): Product! old: Int @deprecated(reason: "x") }
type Product implements Named { name: String tags: [String!]! kind: Kind }
interface Named { name: String }
enum Kind { BOOK RECORD }
union Thing = Product
scalar Date
'''


def test_swagger_reads_as_the_same_contract_as_openapi() -> None:
    found = contract_of(SWAGGER)
    assert (found.style, found.version, found.title) == (Style.SWAGGER, "2.0", "Pets")
    assert [server.url for server in found.servers] == ["https://api.example.com/v1"]
    get, post = found.operations
    assert get.key == "GET /pets/{id}"
    assert get.groups == ("pets",)
    [parameter] = get.parameters
    assert (parameter.name, parameter.place, parameter.required) == ("id", Place.PATH, True)
    assert (parameter.schema.types, parameter.schema.format) == (("integer",), "int64")
    assert get.answers[0].contents[0].schema.ref == "Pet"
    assert post.body is not None
    assert post.body.contents[0].media == "multipart/form-data"
    assert [item.name for item in post.body.contents[0].schema.properties] == ["picture"]
    [pet] = found.schemas
    assert {item.name: item.required for item in pet.schema.properties} == {
        "name": True,
        "mother": False,
    }
    assert pet.schema.properties[0].schema.types == ("string", "null")
    assert get.needs[0].schemes == (("key", ()),)


@pytest.mark.parametrize(("version", "total"), [("1.24.0", 16), ("4.0.0", 20)])
def test_a_real_definition_is_read_whole(version: str, total: int) -> None:
    path = SHARED / f"catalog-{version}.json"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    found = contract_of(path.read_text())
    assert len(found.operations) == total
    assert not found.notices


def test_asyncapi_two_says_what_is_taken_and_what_is_sent() -> None:
    found = contract_of(ASYNCAPI_2)
    taken, sent = found.operations
    assert (taken.verb, sent.verb) == ("PUBLISH", "SUBSCRIBE")
    assert taken.body is not None
    assert taken.body.contents[0].media == "Ask"
    assert [content.media for content in sent.answers[0].contents] == ["placed", "paid"]
    placed, paid = sent.answers[0].contents
    assert placed.schema.ref == "Order"
    assert json.loads(placed.examples[0].text) == {"id": 1}
    assert paid.schema.description == "in application/vnd.apache.avro"
    assert sent.parameters[0].name == "region"


def test_a_proto_file_says_services_messages_and_streams() -> None:
    found = contract_of(PROTO)
    assert (found.style, found.version, found.title) == (Style.GRPC, "proto3", "ledger.v1")
    book, watch, old = found.operations
    assert book.key == "RPC /ledger.v1.Ledger/Book"
    assert book.description == "Books one entry."
    assert watch.notes == ("takes a stream", "answers a stream")
    assert old.deprecated
    assert book.answers[0].contents[0].schema.ref == "Entry"
    schemas = {item.name: item.schema for item in found.schemas}
    assert set(schemas) == {"BookRequest", "BookRequest.Line", "Entry", "Entry.State"}
    fields = {item.name: item.schema for item in schemas["BookRequest"].properties}
    assert set(fields) == {"account", "labels", "card", "iban", "lines"}
    assert fields["iban"].deprecated
    assert fields["lines"].items is not None
    assert fields["lines"].items.ref == "BookRequest.Line"
    assert schemas["Entry.State"].choices == ('"OPEN"', '"BOOKED"')
    assert schemas["Entry"].properties[1].schema.ref == "google.protobuf.Timestamp"


def test_graphql_says_fields_arguments_and_types() -> None:
    found = contract_of(GRAPHQL)
    product, old = found.operations
    assert product.key == "QUERY product"
    assert [(p.name, p.required, p.schema.default) for p in product.parameters] == [
        ("id", True, ""),
        ("first", False, "10"),
    ]
    assert product.answers[0].contents[0].schema.ref == "Product"
    assert old.deprecated
    assert {item.name for item in found.schemas} == {"Product", "Named", "Kind", "Thing", "Date"}


def test_the_answer_of_an_introspection_is_graphql_too() -> None:
    import graphql

    answer = graphql.introspection_from_schema(graphql.build_schema(GRAPHQL))
    found = contract_of(json.dumps({"data": answer}))
    assert [operation.key for operation in found.operations] == ["QUERY product", "QUERY old"]


def test_references_in_a_circle_end() -> None:
    circle = openapi(
        {"requestBody": {"$ref": "#/components/requestBodies/A"}},
        components={
            "requestBodies": {
                "A": {"$ref": "#/components/requestBodies/B"},
                "B": {"$ref": "#/components/requestBodies/A"},
            },
            "schemas": {"Me": {"$ref": "#/components/schemas/Me"}},
        },
    )
    found = contract_of(json.dumps(circle))
    assert any("refers to itself" in notice for notice in found.notices)
    assert found.schemas[0].schema.ref == "Me"


def test_what_lies_elsewhere_is_a_link_and_is_not_read() -> None:
    address = "https://schemas.example.com/pet.json#/Pet"
    found = contract_of(json.dumps(giving({"$ref": address})))
    [operation] = found.operations
    assert operation.answers[0].contents[0].schema.remote == address
    assert found.notices == (f"{address} lies elsewhere and is not read",)


def test_a_reference_to_nothing_is_told() -> None:
    found = contract_of(json.dumps(giving({"$ref": "#/components/schemas/Gone"})))
    assert found.notices == ("#/components/schemas/Gone is referred to, but is not there",)


BOMB = "openapi: 3.0.0\na: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(8)
)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("openapi: 3.0.0\npaths: [\n", 3, ""),
        ('{"openapi": "3.0.0",\n "paths": {"/a" "b"}\n}', 2, ""),
        ("info: {}\nopenapi: 4.0.0\n", 2, "versions 3.x can be read"),
        ("openapi: 3.0.0\npaths:\n  - /a\n", 2, "paths must be a mapping"),
        ("asyncapi: 3.0.0\nchannels: [a]\n", 2, "channels must be a mapping"),
        ("type Query {\n  a: \n}\n", 3, ""),
        ("type Query { a: Gone }", 0, "Gone"),
        ('syntax = "proto3";\nservice A {\n  rpc B C\n}', 3, "expected '('"),
        ('syntax = "proto3";\nmessage A {\n', 2, "ends in the middle"),
        (BOMB, 0, "alias"),
        ("openapi: 3.0.0\nopenapi: 3.0.1\n", 2, "second time"),
        ("", 0, "empty"),
        ('{"openapi": "3.0.0",\n"a": "' + "x" * 600_000 + '",\n"b" 1}', 3, "malformed"),
        ('{"openapi": "3.0.0", "a": ' + "[" * 5000 + "]" * 5000 + "}", 0, "level"),
        ("type Query { a(x: " + "[" * 100_000 + "Int" + "]" * 100_000 + "): Int }", 0, "deep"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, line: int, said: str) -> None:
    with pytest.raises(Unreadable) as caught:
        contract_of(text)
    if line:
        assert caught.value.line == line
    assert said.lower() in str(caught.value).lower()


@pytest.mark.parametrize("text", ["just words", "a: 1", "[1, 2]", "<wsdl/>", "null", '{"a": {}}'])
def test_other_texts_are_of_no_known_style(text: str) -> None:
    try:
        found = contract_of(text)
    except Unreadable:
        return
    assert found.style is Style.OTHER


def test_a_declared_type_that_the_text_contradicts_is_told() -> None:
    found = checked(contract_of(PROTO), "openapi")
    assert found.notices == ("spec.type says openapi, but the definition is grpc",)
    assert not checked(contract_of(SWAGGER), "openapi").notices


junk: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["paths", "/a", "get", "$ref", "#/paths", "schema", "properties", "type", "items",
             "parameters", "name", "in", "responses", "200", "content", "a/b", "components",
             "schemas", "channels", "messages", "payload", "security", "tags", "enum", "required",
             "allOf", "oneOf", "examples", "servers", "headers", "operations", "minimum"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@given(
    st.sampled_from(
        [("openapi", "3.1.0"), ("swagger", "2.0"), ("asyncapi", "2.0.0"), ("asyncapi", "3.0.0")]
    ),
    junk,
)
def test_nonsense_within_a_definition_is_passed_over_or_told(kind: Any, value: Any) -> None:
    document = {**value, kind[0]: kind[1]} if isinstance(value, dict) else {kind[0]: kind[1]}
    with contextlib.suppress(Unreadable):
        contract_of(json.dumps(document))


@given(st.text(alphabet='abc{}()[];="\n/*= servicmog1rpunt.', max_size=200))
def test_any_text_is_read_or_told(text: str) -> None:
    for begin in ("", 'syntax = "proto3";\n', "type Query {", "message A {"):
        with contextlib.suppress(Unreadable):
            contract_of(begin + text)


def test_a_text_tells_its_own_style() -> None:
    assert style.of_text(PROTO) is Style.GRPC
    assert style.of_text(GRAPHQL) is Style.GRAPHQL
    assert style.of_text(SWAGGER) is Style.OTHER  # it is YAML, and tells there
    quoting = f"{SWAGGER}x-example: |\n  type Query {{ a: Int }}\n  message A {{ }}\n"
    assert contract_of(quoting).style is Style.SWAGGER
