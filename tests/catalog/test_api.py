"""The catalog's HTTP API, from request to database and back."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from litestar.testing import TestClient

from pilothouse import app
from pilothouse.catalog import jobs
from pilothouse.catalog.service import passes
from pilothouse.kernel.program import Program, open_program
from pilothouse.kernel.settings import Settings
from pilothouse.kernel.web.build import build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALL = "apiVersion: backstage.io/v1alpha1\n"
FILES = {
    "catalog-info.yaml": """\
kind: Location
metadata: {name: root}
spec: {targets: [./teams/*.yaml, ./shop.yaml]}
""",
    "teams/payments.yaml": """\
kind: Group
metadata: {name: payments, title: The Payments Team}
spec: {type: team, children: [], profile: {displayName: Payments}}
---
kind: User
metadata: {name: ada}
spec: {memberOf: [payments]}
""",
    "shop.yaml": """\
kind: Component
metadata:
  name: Checkout
  title: Pay for a basket
  description: takes money_100%
  tags: [java, pci]
  annotations: {example.com/tier: Gold}
spec: {type: Service, lifecycle: production, owner: payments, system: shop, providesApis: [pay]}
---
kind: Component
metadata: {name: basket, tags: [go]}
spec: {type: service, lifecycle: experimental, owner: payments, dependsOn: [component:checkout]}
---
kind: Component
metadata: {name: pages, annotations: {example.com/tier: silver}}
spec: {type: website, lifecycle: production, owner: nobody}
---
kind: System
metadata: {name: shop}
spec: {owner: payments}
---
kind: API
metadata: {name: pay}
spec: {type: openapi, lifecycle: production, owner: payments, definition: "openapi: 3.1.0"}
""",
}
EVERYTHING = 8


@dataclass
class Api:
    """A running catalog and the folder that it is read from."""

    program: Program
    folder: Path
    client: TestClient[Any]

    def get(self, path: str, *pairs: tuple[str, str], status: int = 200) -> Any:
        answer = self.client.get(f"/api/catalog/{path}", params=list(pairs))
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, path: str, body: Any, *pairs: tuple[str, str], status: int = 200) -> Any:
        answer = self.client.post(f"/api/catalog/{path}", json=body, params=list(pairs))
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def names(self, *filters: str) -> list[str]:
        found = self.get("entities", *(("filter", text) for text in filters))
        return [item["metadata"]["name"] for item in found]

    def asked(self, query: Any) -> list[str]:
        found = self.post("entities/by-query", {"query": query, "fields": ["metadata.name"]})
        return [item["metadata"]["name"] for item in found["items"]]

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("---\n".join(ALL + part for part in text.split("---\n")))

    def look(self) -> None:
        done = jobs.look(self.program, str(self.folder))
        assert done.failed is None


@contextmanager
def running(folder: Path, database_url: str) -> Iterator[Api]:
    home = "http://testserver.local"
    settings = Settings(data=str(folder), database_url=database_url, public_url=home)
    program = open_program(settings, app.modules())
    web, stream = build(program)
    with TestClient(web, base_url=home) as client:
        api = Api(program, folder / "files", client)
        for path, text in FILES.items():
            api.write(path, text)
        with program.db.begin() as tx:
            passes.register(tx, [str(api.folder)])
        api.look()
        yield api
    stream.close()
    program.db.engine.dispose()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, shared_database_url: str) -> Iterator[Api]:
    """A catalog that is only read."""
    with running(tmp_path_factory.mktemp("api"), shared_database_url) as found:
        yield found


@pytest.fixture
def changing(tmp_path: Path, database_url: str) -> Iterator[Api]:
    """A catalog that a test has for itself, to change it."""
    with running(tmp_path, database_url) as found:
        yield found


def test_an_entity_by_name_is_what_its_file_says_and_what_the_catalog_knows(api):
    found = api.get("entities/by-name/Component/DEFAULT/checkout")
    assert found["spec"]["type"] == "Service"
    assert found["metadata"]["namespace"] == "default"
    assert found["metadata"]["uid"]
    assert found["metadata"]["etag"]
    said = found["metadata"]["annotations"]
    assert said["example.com/tier"] == "Gold"
    assert said["backstage.io/managed-by-location"] == f"file:{api.folder}/shop.yaml"
    assert said["backstage.io/managed-by-origin-location"] == f"file:{api.folder}"
    assert found["relations"] == [
        {"type": "dependencyOf", "targetRef": "component:default/basket"},
        {"type": "ownedBy", "targetRef": "group:default/payments"},
        {"type": "partOf", "targetRef": "system:default/shop"},
        {"type": "providesApi", "targetRef": "api:default/pay"},
    ]
    assert api.get(f"entities/by-uid/{found['metadata']['uid']}") == found


def test_an_absent_entity_is_answered_as_backstage_does(api):
    for path in ("by-name/component/default/none", "by-uid/none", "by-name/a/b/c/ancestry"):
        found = api.get(f"entities/{path}", status=404)
        assert found["error"]["name"] == "NotFoundError"
        assert found["response"] == {"statusCode": 404}


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (["kind=component"], {"Checkout", "basket", "pages"}),
        (["kind=COMPONENT,spec.type=SERVICE"], {"Checkout", "basket"}),
        (["kind=system", "kind=api"], {"shop", "pay"}),
        (["kind=system,kind=api"], {"shop", "pay"}),
        (["metadata.annotations.example.com/tier"], {"Checkout", "pages"}),
        (["metadata.annotations.example.com/tier=gold"], {"Checkout"}),
        (["metadata.tags=pci"], {"Checkout"}),
        (["metadata.tags.go=true"], {"basket"}),
        (["relations.ownedBy=group:default/payments,kind=component"], {"Checkout", "basket"}),
        (["relations.hasMember=user:default/ada"], {"payments"}),
        (["relations.partOf"], {"Checkout"}),
        (["spec.nothing=x"], set()),
        (["metadata.description=takes money_100%"], {"Checkout"}),
    ],
)
def test_filters_choose_entities(api, filters, names):
    assert set(api.names(*filters)) == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"kind": "component", "spec.type": "website"}, {"pages"}),
        ({"$all": [{"kind": "component"}, {"$not": {"spec.lifecycle": "production"}}]}, {"basket"}),
        ({"$any": [{"kind": "api"}, {"metadata.tags": {"$contains": "go"}}]}, {"pay", "basket"}),
        ({"kind": {"$in": ["API", "User"]}}, {"pay", "ada"}),
        ({"kind": "component", "metadata.tags": {"$exists": False}}, {"pages"}),
        ({"metadata.name": {"$hasPrefix": "Pa"}}, {"pages", "pay", "payments"}),
        ({"metadata.annotations.example.com/tier": {"$hasPrefix": "g"}}, {"Checkout"}),
        (
            {"relations": {"$contains": {"type": "ownedBy", "targetRef": "group:default/nobody"}}},
            {"pages"},
        ),
        ({"$not": {"relations.ownedBy": {"$exists": True}}}, {"ada", "payments", "root"}),
        ({"$any": []}, set()),
        (
            {"$not": {"$any": [{"kind": "component"}, {"kind": "user"}]}},
            {"payments", "root", "shop", "pay"},
        ),
    ],
)  # fmt: skip
def test_predicates_choose_entities(api, query, names):
    assert set(api.asked(query)) == names


@pytest.mark.parametrize(
    "query",
    ["text", [], {"$all": 1}, {"$some": []}, {"kind": None}, {"kind": {"$in": [{}]}}, {"a": []},
     {"$not": {"$not": "component"}}, {"kind": {"$exists": True, "$in": ["a"]}},
     {"kind": "a\0b"}],
)  # fmt: skip
def test_a_query_that_is_no_predicate_is_refused(api, query):
    found = api.post("entities/by-query", {"query": query}, status=400)
    assert found["error"]["name"] == "InputError"


def test_a_deep_or_long_query_is_refused(api):
    deep: Any = {"kind": "component"}
    for _ in range(50):
        deep = {"$not": deep}
    api.post("entities/by-query", {"query": deep}, status=400)
    long = {"$any": [{"kind": "component"}] * 500}
    api.post("entities/by-query", {"query": long}, status=400)


@pytest.mark.parametrize(
    ("path", "pairs"),
    [
        ("entities", [("limit", "0")]),
        ("entities", [("offset", "-1")]),
        ("entities", [("order", "metadata.name")]),
        ("entities", [("filter", "=x")]),
        ("entities", [("filter", "kind=a\0")]),
        ("entities", [("fields", "metadata.tags[0]")]),
        ("entities", [("after", "%%%")]),
        ("entities", [("at", "yesterday")]),
        ("entities/by-query", [("limit", "many")]),
        ("entities/by-query", [("totalItems", "perhaps")]),
        ("entities/by-query", [("orderField", "metadata.name,up")]),
        ("entities/by-query", [("cursor", "bm90aGluZw==")]),
        ("entity-facets", []),
    ],
)
def test_what_cannot_be_understood_is_refused(api, path, pairs):
    found = api.get(path, *pairs, status=400)
    assert found["error"]["name"] == "InputError"
    assert found["request"]["url"] == f"/api/catalog/{path}"


def test_a_list_has_the_fields_that_are_asked_for(api):
    found = api.get("entities", ("filter", "kind=api"), ("fields", "kind,metadata.name"))
    assert found == [{"kind": "API", "metadata": {"name": "pay"}}]


def test_definitions_come_when_they_are_asked_for(api):
    pay, definition = ("filter", "kind=api"), "openapi: 3.1.0"
    assert "definition" not in api.get("entities", pay)[0]["spec"]
    asked = api.get("entities", pay, ("fields", "spec.definition"))
    assert asked == [{"spec": {"definition": definition}}]
    assert api.get("entities/by-name/api/default/pay")["spec"]["definition"] == definition
    found = api.post("entities/by-refs", {"entityRefs": ["api:default/pay"]})
    assert found["items"][0]["spec"]["definition"] == definition


def test_entities_are_given_in_parts_with_a_link_to_the_next(api):
    found, path = [], "/api/catalog/entities?limit=3&order=desc:metadata.name"
    while path:
        answer = api.client.get(path)
        found += [item["metadata"]["name"].lower() for item in answer.json()]
        path = answer.links.get("next", {}).get("url")
    assert len(found) == EVERYTHING
    assert found == sorted(found, reverse=True)


def test_entities_without_the_key_of_the_order_come_last(api):
    for direction in ("asc", "desc"):
        found = api.get("entities", ("order", f"{direction}:metadata.title"))
        titles = [item["metadata"].get("title") for item in found]
        assert titles[:2] == sorted(filter(None, titles), reverse=direction == "desc")
        assert titles[2:] == [None] * (EVERYTHING - 2)


@pytest.mark.parametrize(
    ("pairs", "count"),
    [
        ([], EVERYTHING),
        ([("orderField", "metadata.name,desc")], EVERYTHING),
        ([("orderField", "spec.type,asc")], 5),
        ([("orderField", "spec.owner,desc")], 5),
        ([("orderField", "relations.ownedBy")], 5),
        ([("orderField", "ref")], 0),
        ([("filter", "kind=component")], 3),
        ([("filter", "metadata.name"), ("orderField", "metadata.uid,desc")], EVERYTHING),
        ([("fullTextFilterTerm", "pay")], 6),
    ],
)
def test_cursors_lead_through_all_pages_and_back(api, pairs, count):
    pages, asked = [], [*pairs, ("limit", "2")]
    while True:
        found = api.get("entities/by-query", *asked)
        pages.append([item["metadata"]["uid"] for item in found["items"]])
        assert found["totalItems"] == count
        if "nextCursor" not in found["pageInfo"]:
            break
        asked = [("cursor", found["pageInfo"]["nextCursor"]), ("limit", "2")]
    uids = [uid for page in pages for uid in page]
    assert len(uids) == len(set(uids)) == count
    for page in reversed(pages[:-1]):
        found = api.get(
            "entities/by-query", ("cursor", found["pageInfo"]["prevCursor"]), ("limit", "2")
        )
        assert [item["metadata"]["uid"] for item in found["items"]] == page
    assert "prevCursor" not in found["pageInfo"]


def test_a_page_goes_on_where_it_was_whatever_comes_in_between(changing):
    first = changing.get("entities/by-query", ("filter", "kind=component"), ("limit", "2"))
    assert [item["metadata"]["name"] for item in first["items"]] == ["basket", "Checkout"]
    changing.write(
        "more.yaml",
        "kind: Component\nmetadata: {name: aaa}\nspec: {type: a, lifecycle: b, owner: payments}\n",
    )
    changing.write(
        "catalog-info.yaml",
        "kind: Location\nmetadata: {name: root}\nspec: {targets: [./teams/*.yaml, ./*.yaml]}\n",
    )
    changing.look()
    assert "aaa" in changing.names("kind=component")
    second = changing.get("entities/by-query", ("cursor", first["pageInfo"]["nextCursor"]))
    assert [item["metadata"]["name"] for item in second["items"]] == ["pages"]


def test_counts_follow_the_catalog(changing):
    assert changing.get("entities/by-query", ("limit", "1"))["totalItems"] == EVERYTHING
    before = changing.get("entity-facets", ("facet", "spec.type"))
    changing.write("shop.yaml", FILES["shop.yaml"].replace("type: website", "type: job"))
    changing.look()
    after = changing.get("entity-facets", ("facet", "spec.type"))
    assert {"value": "website", "count": 1} in before["facets"]["spec.type"]
    assert {"value": "job", "count": 1} in after["facets"]["spec.type"]
    changing.write("shop.yaml", "kind: System\nmetadata: {name: shop}\nspec: {owner: payments}\n")
    changing.look()
    assert changing.get("entities/by-query", ("limit", "1"))["totalItems"] == EVERYTHING - 4


def test_a_count_may_be_left_out_and_a_page_may_be_empty(api):
    assert api.get("entities/by-query", ("totalItems", "exclude"))["totalItems"] == 0
    found = api.get("entities/by-query", ("limit", "0"))
    assert found == {"items": [], "totalItems": EVERYTHING, "pageInfo": {}}
    found = api.get("entities/by-query", ("offset", "7"))
    assert len(found["items"]) == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [({"place": ["a"]}, 400), ({"place": [1, 2, 3, 4]}, 400), ({"place": [7, 7, "x"]}, 400),
     ({"asked": {"filter": ["="]}}, 400), ({"asked": {"query": 7}}, 400), ({"asked": 7}, 400)],
)  # fmt: skip
def test_a_cursor_that_was_made_up_is_refused(api, change, status):
    found = api.get("entities/by-query", ("filter", "kind=component"), ("limit", "1"))
    cursor = json.loads(base64.b64decode(found["pageInfo"]["nextCursor"])) | change
    said = base64.b64encode(json.dumps(cursor).encode()).decode()
    api.get("entities/by-query", ("cursor", said), status=status)


@pytest.mark.parametrize(
    ("term", "fields", "names"),
    [
        ("BASKET", "", {"Checkout", "basket"}),
        ("money_1", "", {"Checkout"}),
        ("moneyX1", "", set()),
        ("0%", "", set()),
        ("00%", "", {"Checkout"}),
        ('"; DROP', "", set()),
        ("ch", "", {"Checkout"}),
        ("basket", "metadata.name", {"basket"}),
        ("basket", "metadata.name,metadata.title", {"Checkout", "basket"}),
        ("asket", "metadata.title", {"Checkout"}),
        ("old", "metadata.annotations.example.com/tier", {"Checkout"}),
    ],
)
def test_full_text_finds_what_people_type(api, term, fields, names):
    pairs = [("fullTextFilterTerm", term), ("filter", "kind=component")]
    pairs += [("fullTextFilterFields", fields)] if fields else []
    found = api.get("entities/by-query", *pairs)
    assert {item["metadata"]["name"] for item in found["items"]} == names
    assert found["totalItems"] == len(names)


def test_by_refs_answers_in_the_order_asked(api):
    refs = ["component:default/none", "System:Default/Shop", "rubbish", "user:ada", "system:shop"]
    found = api.post("entities/by-refs", {"entityRefs": refs, "fields": ["metadata.name"]})
    shop, ada = {"metadata": {"name": "shop"}}, {"metadata": {"name": "ada"}}
    assert found == {"items": [None, shop, None, ada, shop]}


def test_by_refs_leaves_out_what_does_not_match(api):
    body = {"entityRefs": ["system:shop", "user:ada"], "fields": ["kind"]}
    found = api.post("entities/by-refs", body, ("filter", "kind=user"))
    assert found == {"items": [None, {"kind": "User"}]}
    found = api.post("entities/by-refs", body | {"query": {"$not": {"kind": "user"}}})
    assert found == {"items": [{"kind": "System"}, None]}


@pytest.mark.parametrize("body", [{}, {"entityRefs": "x"}, {"entityRefs": [1]}, [], None])
def test_a_body_of_another_shape_is_refused(api, body):
    found = api.post("entities/by-refs", body, status=400)
    assert found["error"]["name"] == "InputError"


@pytest.mark.parametrize(
    ("facet", "filters", "counts"),
    [
        ("kind", [], {"API": 1, "Component": 3, "Group": 1, "Location": 1, "System": 1, "User": 1}),
        ("spec.type", [], {"Service": 1, "openapi": 1, "service": 1, "team": 1, "website": 1}),
        ("spec.lifecycle", ["kind=component"], {"production": 2, "experimental": 1}),
        ("metadata.tags", ["spec.type=service"], {"java": 1, "pci": 1, "go": 1}),
        ("metadata.name", ["kind=component"], {"Checkout": 1, "basket": 1, "pages": 1}),
        ("metadata.namespace", [], {"default": EVERYTHING}),
        ("relations.ownedBy", [], {"group:default/payments": 4, "group:default/nobody": 1}),
        ("spec.nothing", [], {}),
    ],
)
def test_facets_count_values_as_they_are_written(api, facet, filters, counts):
    found = api.get("entity-facets", ("facet", facet), *(("filter", text) for text in filters))
    assert found["facets"].keys() == {facet}
    assert {item["value"]: item["count"] for item in found["facets"][facet]} == counts


def test_facets_can_be_asked_with_a_predicate(api):
    body = {
        "facets": ["kind"],
        "query": {
            "$not": {"kind": "component"},
        },
    }
    found = api.post("entity-facets", body)
    assert "Component" not in {item["value"] for item in found["facets"]["kind"]}


def test_ancestry_leads_to_the_location_that_named_the_file(api):
    found = api.get("entities/by-name/user/default/ada/ancestry")
    assert found["rootEntityRef"] == "user:default/ada"
    steps = [
        (item["entity"]["metadata"]["name"], item["parentEntityRefs"]) for item in found["items"]
    ]
    assert steps == [("ada", ["location:default/root"]), ("root", [])]


def test_sources_are_locations_that_cannot_be_changed(api):
    [found] = api.get("locations")
    location = found["data"]
    assert (location["type"], location["target"]) == ("file", str(api.folder))
    assert location["entityRef"].startswith("location:default/generated-")
    assert api.get(f"locations/{location['id']}") == location
    assert api.get("locations/by-entity/user/default/ada") == location
    assert api.post("locations/by-query", {"query": {"type": "file"}})["items"] == [location]
    assert api.post("locations/by-query", {"query": {"type": "url"}})["items"] == []
    api.get("locations/none", status=404)
    refused = api.post("locations", {"type": "url", "target": "x"}, status=403)
    assert "sources" in refused["error"]["message"]
    assert api.client.delete(f"/api/catalog/locations/{location['id']}").status_code == 403
    assert api.client.delete("/api/catalog/entities/by-uid/x").status_code == 403


def test_a_document_is_judged_without_being_kept(api):
    entity = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": "new"},
        "spec": {"type": "service", "lifecycle": "production", "owner": "payments"},
    }
    body = {"entity": entity, "location": "url:https://example.com/catalog-info.yaml"}
    assert api.post("validate-entity", body) is None
    assert "new" not in api.names()
    del entity["spec"]["owner"]
    [error] = api.post("validate-entity", body, status=400)["errors"]
    assert "owner" in error["message"]
    for wrong in ({"entity": entity}, body | {"location": "file:x"}, body | {"entity": 7}, []):
        assert api.post("validate-entity", wrong, status=400)["errors"]


def test_refresh_has_the_source_looked_at(changing):
    known = _waiting(changing)
    changing.post("refresh", {"entityRef": "component:default/checkout"})
    assert _waiting(changing) == known | {str(changing.folder)}
    changing.post("refresh", {"source": str(changing.folder)})
    assert _waiting(changing) == known | {str(changing.folder)}
    changing.post("refresh", {"entityRef": "component:default/none"}, status=404)
    changing.post("refresh", {"source": "elsewhere"}, status=404)
    changing.post("refresh", {}, status=400)


def _waiting(api: Api) -> set[str]:
    with api.program.db.read() as tx:
        rows = tx.conn.exec_driver_sql("SELECT payload FROM jobs WHERE kind = 'catalog.sync'")
        return {json.loads(row[0])["source"] for row in rows}


def test_the_catalog_can_be_asked_as_of_an_instant(changing):
    then = datetime.now(UTC)
    shop = FILES["shop.yaml"].replace("name: basket", "name: trolley, title: was basket")
    shop = shop.replace("system: shop, ", "").replace("type: website", "type: job")
    changing.write("shop.yaml", shop)
    changing.look()
    at = ("at", then.isoformat())
    was = changing.get("entities/by-name/component/default/checkout", at)
    assert {"type": "partOf", "targetRef": "system:default/shop"} in was["relations"]
    assert {"type": "dependencyOf", "targetRef": "component:default/basket"} in was["relations"]
    now = changing.get("entities/by-name/component/default/checkout")
    assert {"type": "partOf", "targetRef": "system:default/shop"} not in now["relations"]
    assert changing.names("metadata.name=basket") == []
    found = changing.get("entities", at, ("filter", "kind=component"), ("fields", "metadata.name"))
    assert [item["metadata"]["name"] for item in found] == ["basket", "Checkout", "pages"]
    assert len(changing.get("entities", at, ("filter", "spec.type=website"))) == 1
    changing.get("entities/by-name/component/default/trolley", at, status=404)


def test_pages_of_another_time_have_cursors_too(changing):
    then = datetime.now(UTC)
    changing.write(
        "teams/payments.yaml", "kind: User\nmetadata: {name: eve}\nspec: {memberOf: []}\n"
    )
    changing.look()
    asked: list[tuple[str, str]] = [("at", then.isoformat()), ("orderField", "metadata.name,asc")]
    names: list[str] = []
    while asked:
        found = changing.get("entities/by-query", *asked, ("limit", "3"))
        assert found["totalItems"] == EVERYTHING
        names += [item["metadata"]["name"].lower() for item in found["items"]]
        following = found["pageInfo"].get("nextCursor")
        asked = [("cursor", following)] if following else []
    assert names == sorted(names)
    assert {"ada", "payments"} < set(names)
    assert "eve" not in names


def test_an_instant_before_the_catalog_has_nothing_and_one_to_come_is_refused(api):
    now = datetime.now(UTC)
    assert api.get("entities", ("at", (now - timedelta(days=1)).isoformat())) == []
    api.get("entities", ("at", (now + timedelta(days=1)).isoformat()), status=400)
