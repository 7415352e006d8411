"""The pages of apis over HTTP: complete without scripts, safe, and what they say when it fails."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest
from tests.apis.definitions import asking, giving, openapi, taking
from tests.apis.following import Portal, api, followed
from tests.catalog.following import component, group
from tests.kernel.portal import PAGE

from pilothouse.apis import module as apis
from pilothouse.apis.model import Finding, Party, Role, Severity
from pilothouse.apis.store import changes as store
from pilothouse.export.rules.names import address
from pilothouse.kernel.web.build import build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from litestar.testing import TestClient

HOSTILE = "<script>alert(1)</script> [press](javascript:alert(1)) <b>bold</b>"
REFERENCE = "/catalog/api/default/things/reference"


def pet(**more: object) -> dict[str, object]:
    return {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "maxLength": 40, "description": "What it is *called*."},
            "mother": {"$ref": "#/components/schemas/Pet"},
            "tags": {"type": "array", "items": {"$ref": "#/components/schemas/Tag"}},
            **more,
        },
    }


def shop(**more: object) -> dict[str, object]:
    schemas = {
        "Pet": pet(**more),
        "Tag": {"type": "object", "properties": {"word": {"type": "string"}}},
    }
    document = taking({"$ref": "#/components/schemas/Pet"}, components={"schemas": schemas})
    document["servers"] = [{"url": "https://api.example.com/v1"}]
    document["paths"]["/pets/{id}"] = {
        "get": {
            "tags": ["Pets"],
            "summary": "One pet",
            "parameters": [{"name": "id", "in": "path", "schema": {"type": "integer"}}],
            "responses": {
                "200": giving({"$ref": "#/components/schemas/Pet"})["paths"]["/things"]["get"][
                    "responses"
                ]["200"]
            },
        }
    }
    return document


@pytest.fixture
def portal(database_url: str, tmp_path: Path) -> Iterator[Portal]:
    with followed(database_url, tmp_path) as found:
        yield found


@pytest.fixture
def client(portal: Portal) -> Iterator[TestClient]:
    from litestar.testing import TestClient

    application, _live = build(portal.program)
    with TestClient(application, base_url="http://127.0.0.1") as found:
        yield found


def page(client: TestClient, path: str, status: int = 200) -> str:
    answer = client.get(path, headers=PAGE)
    assert answer.status_code == status, answer.text[:2000]
    return answer.text


def test_the_index_names_every_operation_by_group_and_every_schema(
    portal: Portal, client: TestClient
) -> None:
    portal.say(api("things", shop()), group("makers"))
    found = page(client, REFERENCE)
    assert "Pets" in found
    assert "Other operations" in found
    assert f'href="{REFERENCE}/operations/get-pets-id"' in found
    assert f'href="{REFERENCE}/schemas/pet"' in found
    assert "https://api.example.com/v1" in found
    assert f'href="{REFERENCE}"' in page(client, "/catalog/api/default/things")


def test_the_search_form_narrows_it(portal: Portal, client: TestClient) -> None:
    portal.say(api("things", shop()), group("makers"))
    found = page(client, f"{REFERENCE}?operation=one+pet")
    assert "get-pets-id" in found
    assert "get-things" not in found
    assert "No operation fits" in page(client, f"{REFERENCE}?operation=nothing-has-this")


def test_an_operation_shows_parameters_fields_and_an_example(
    portal: Portal, client: TestClient
) -> None:
    portal.say(api("things", shop()), group("makers"))
    found = page(client, f"{REFERENCE}/operations/get-pets-id")
    for words in ("One pet", "integer", "tags[].word", "at most 40 characters", "<em>called</em>"):
        assert words in found
    assert "https://api.example.com/v1/pets/1" in found
    assert "mother.mother" not in found  # it is its own mother's type: cut where it begins again
    schema = page(client, f"{REFERENCE}/schemas/tag")
    assert f'href="{REFERENCE}/operations/get-pets-id"' in schema


def test_what_others_wrote_runs_nothing(portal: Portal, client: TestClient) -> None:
    document = shop(**{"<b>x</b>": {"type": "string", "description": HOSTILE}})
    document["info"] = {"title": HOSTILE, "description": HOSTILE, "version": HOSTILE}
    document["servers"] = [{"url": "javascript:alert(1)"}]
    document["tags"] = [{"name": HOSTILE, "description": HOSTILE}]
    document["components"]["schemas"][HOSTILE] = {"$ref": "javascript:alert(1)"}
    portal.say(api("things", document), group("makers"))
    for path in (REFERENCE, f"{REFERENCE}/operations/get-pets-id", f"{REFERENCE}/schemas/pet"):
        found = page(client, path)
        assert "<script>alert" not in found
        assert 'href="javascript:' not in found
        assert "<b>x</b>" not in found


def test_a_definition_that_cannot_be_read_says_where_and_keeps_its_text(
    portal: Portal, client: TestClient
) -> None:
    portal.say(api("things", "openapi: 3.1.0\npaths:\n  - a\n"), group("makers"))
    found = page(client, REFERENCE)
    assert "The definition cannot be read." in found
    assert "Line 2" in found
    assert "paths" in page(client, "/catalog/api/default/things/definition")
    assert "cannot be read" in page(client, "/catalog/api/default/things")


def test_what_is_not_there_is_said(portal: Portal, client: TestClient) -> None:
    portal.say(api("things", shop()), group("makers"))
    for path in ("operations/gone", "schemas/gone"):
        assert "lists those there are" in page(client, f"{REFERENCE}/{path}", 404)
    assert "no reference" in page(client, "/catalog/group/default/makers/reference", 404)
    page(client, "/catalog/api/default/never/reference", 404)
    assert "lists them" in page(client, "/apis/changes/99", 404)
    page(client, "/apis/changes?severity=dreadful", 400)
    page(client, "/apis/changes?before=x", 400)
    page(client, "/apis/changes?entity=:", 400)


def test_a_breaking_change_stands_on_every_page_that_it_concerns(
    portal: Portal, client: TestClient
) -> None:
    around = (
        group("makers"),
        group("users"),
        component("maker", "makers", providesApis=["things"]),
        component("shop", "users", consumesApis=["things"]),
    )
    assert "No API changes" in page(client, "/apis/changes")
    portal.say(api("things", asking({"name": "q", "in": "query"})), *around)
    portal.say(api("things", openapi({})), *around)
    for path in (
        "/",
        "/apis/changes",
        "/catalog/api/default/things",
        "/catalog/component/default/maker",
        "/catalog/component/default/shop",
        "/catalog/group/default/users",
        "/apis/changes?severity=breaking",
        "/apis/changes?entity=component:default/shop",
    ):
        assert "/apis/changes/1" in page(client, path), path
    assert "/apis/changes/1" not in page(client, "/apis/changes?severity=safe")
    found = page(client, "/apis/changes/1")
    assert "The query parameter q is gone" in found
    assert "/catalog/component/default/shop" in found
    assert "/catalog/group/default/users" in found


def changed(portal: Portal, number: int) -> None:
    """So many changes of things: every second one breaks, every third one concerns the shop."""
    with portal.program.db.begin() as tx:
        for at in range(1, number + 1):
            severity = Severity.SAFE if at % 2 else Severity.BREAKING
            parties = [Party("api:default/things", Role.API)]
            if at % 3 == 0:
                parties.append(Party("component:default/shop", Role.CONSUMER))
            store.add(
                tx.conn,
                store.NewChange(
                    uid="things",
                    version_id=at,
                    ref="api:default/things",
                    at=tx.now,
                    author="",
                    commit="",
                    subject="",
                    findings=(Finding("x", severity, "Changed.", "GET /"),),
                    parties=tuple(parties),
                ),
            )


def parts(client: TestClient, path: str) -> Iterator[tuple[str, list[int]]]:
    """All parts of a list of changes: their addresses, and the changes on them."""
    while path:
        found = page(client, path)
        yield path, sorted({int(one) for one in re.findall(r'href="/apis/changes/(\d+)"', found)})
        older = re.search(r'rel="next" href="([^"]*)"', found)
        path = unescape(older[1]) if older else ""


def test_changes_of_an_entity_are_narrowed_before_they_are_counted_and_cut(
    portal: Portal, client: TestClient
) -> None:
    portal.say(api("things", shop()))
    changed(portal, 400)
    concerned = {at for at in range(1, 401) if at % 3 == 0}
    breaking = {at for at in concerned if at % 2 == 0}
    whole = "/apis/changes?entity=component:default/shop"
    assert [len(shown) for _, shown in parts(client, whole)] == [50, 50, 33]
    found = [shown for _, shown in parts(client, f"{whole}&severity=breaking")]
    assert [len(shown) for shown in found] == [50, 16]
    assert {at for shown in found for at in shown} == breaking
    numbers = re.findall(r'<span class="n">(\d+)</span>', page(client, whole))
    assert numbers[-3:] == [str(len(breaking)), "0", str(len(concerned - breaking))]


def test_a_list_that_ends_with_its_part_leads_nowhere_on(
    portal: Portal, client: TestClient
) -> None:
    portal.say(api("things", shop()))
    changed(portal, 100)
    assert [len(shown) for _, shown in parts(client, "/apis/changes")] == [50, 50]
    assert [len(shown) for _, shown in parts(client, "/apis/changes?severity=safe")] == [50]


def test_every_part_of_the_list_of_changes_is_in_the_copy(
    portal: Portal, client: TestClient
) -> None:
    portal.say(api("things", shop()))
    changed(portal, 101)
    assert apis.module.exported is not None
    with portal.program.db.read() as tx:
        copied = {address(one.path) for one in apis.module.exported(tx)}
    for start in ("/apis/changes", "/apis/changes?severity=safe", "/apis/changes?severity=warning"):
        assert {address(path) for path, _ in parts(client, start)} <= copied
    assert len([path for path in copied if path.startswith("/apis/changes?")]) == 6


def test_every_exported_page_is_there(portal: Portal, client: TestClient) -> None:
    portal.say(api("things", shop()), api("words", "type Query { a: Int }", kind="graphql"))
    portal.say(api("things", openapi({})))
    assert apis.module.exported is not None
    with portal.program.db.read() as tx:
        exported = list(apis.module.exported(tx))
    paths = [one.path for one in exported]
    assert REFERENCE in paths
    assert f"{REFERENCE}/operations/get-things" in paths
    assert "/apis/changes/1" in paths
    assert len(paths) == len(set(paths))
    for path in paths:
        page(client, path)


def test_the_page_to_try_it_out_may_speak_to_the_servers_of_the_api_alone(
    portal: Portal, client: TestClient
) -> None:
    document = shop()
    document["info"] = {"title": "</script><script>alert(1)</script>", "version": "1"}
    document["servers"] += [
        {"url": "https://two.example:8443/a b"},
        {"url": "https://{host}.example"},
        {"url": "https://x; script-src *"},
        {"url": "javascript:alert(1)"},
        {"url": "/here"},
    ]
    portal.say(api("things", document), api("words", "type Query { a: Int }", kind="graphql"))
    answer = client.get(f"{REFERENCE}/try", headers=PAGE)
    assert answer.status_code == 200
    policies = answer.headers.get_list("content-security-policy")
    assert len(policies) == 1
    allowed = dict(part.strip().partition(" ")[::2] for part in policies[0].split(";"))
    assert allowed["connect-src"] == "https://api.example.com https://two.example:8443"
    assert allowed["script-src"] == "'self'"
    assert "<script>alert" not in answer.text
    assert f'href="{REFERENCE}/try"' in page(client, REFERENCE)
    words = "/catalog/api/default/words/reference"
    assert f"{words}/try" not in page(client, words)
    page(client, f"{words}/try", 404)


def test_all_other_pages_keep_the_policy_of_the_portal(portal: Portal, client: TestClient) -> None:
    portal.say(api("things", shop()))
    for path in (REFERENCE, f"{REFERENCE}/operations/get-pets-id", "/apis/changes"):
        [policy] = client.get(path, headers=PAGE).headers.get_list("content-security-policy")
        assert "unsafe-inline" not in policy
