"""From a catalog that changes to what stands on the pages: references, changes, events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select
from tests.apis.definitions import asking, giving, openapi
from tests.apis.following import API, Portal, api, followed
from tests.catalog.following import component, group

from pilothouse.apis import jobs
from pilothouse.apis.service import changes, following, references
from pilothouse.apis.store.tables import definitions, operations
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.search import store as found_documents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OLD = giving({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}})
NEW = giving({"type": "object", "properties": {"a": {"type": "string"}}})
AROUND = (
    group("makers"),
    group("users"),
    component("maker", "makers", providesApis=["things"]),
    component("shop", "users", consumesApis=["things"]),
    component("lonely", "nobody", consumesApis=["things"]),
)


@pytest.fixture
def portal(database_url: str, tmp_path: Path) -> Iterator[Portal]:
    with followed(database_url, tmp_path) as found:
        yield found


def count(portal: Portal, table: Any) -> int:
    with portal.program.db.read() as tx:
        return tx.conn.execute(select(func.count()).select_from(table)).scalar_one()


def documents(portal: Portal) -> list[tuple[str, str, str]]:
    table = found_documents.documents
    query = select(table.c.title, table.c.href, table.c.owner).where(table.c.kind == "operation")
    with portal.program.db.read() as tx:
        return [tuple(row) for row in tx.conn.execute(query.order_by(table.c.title))]


def test_a_breaking_change_is_told_to_everyone_it_concerns(portal: Portal) -> None:
    portal.say(api("things", OLD), *AROUND)
    assert not portal.changes()
    portal.say(api("things", NEW), *AROUND)
    [line] = portal.changes()
    assert (line.change.worst, line.change.breaking, line.change.safe) == ("breaking", 1, 0)
    assert {item.ref for item in line.consumers} == {
        "component:default/shop",
        "component:default/lonely",
    }
    [event] = portal.told()
    assert set(event.entities) == {
        API,
        "component:default/maker",
        "component:default/shop",
        "component:default/lonely",
    }
    assert event.data["breaking"] == 1
    assert {(one["ref"], one["owner"]) for one in event.data["consumers"]} == {
        ("component:default/shop", "group:default/users"),
        ("component:default/lonely", "group:default/nobody"),
    }
    for ref in (*event.entities, "group:default/users", "group:default/makers"):
        assert len(portal.changes(ref)) == 1, ref
    with portal.program.db.read() as tx:
        page = changes.one(tx, line.change.id)
    assert [item.named.ref for item in page.providers] == ["component:default/maker"]
    assert page.owner is not None
    assert page.owner.ref == "group:default/makers"


def test_the_same_change_is_told_once_however_often_it_is_looked_at(portal: Portal) -> None:
    portal.say(api("things", OLD), *AROUND)
    with portal.program.db.read() as tx:
        before = following.plan(tx, API)
    assert before is None
    portal.say(api("things", NEW), *AROUND)
    assert not jobs.bring(portal.program.db, API)
    assert len(portal.told()) == len(portal.changes()) == 1


def test_two_workers_that_look_at_the_same_time_tell_it_once(portal: Portal) -> None:
    portal.say(api("things", OLD))
    db = portal.program.db
    with db.read() as tx:
        state = following.store.state_of_ref(tx.conn, API)
    portal.say(api("things", NEW))
    assert state is not None
    with db.begin() as tx:  # as it was before either of them had written
        tx.conn.execute(
            following.store.states.update().values(
                version_id=state.version_id, digest=state.digest, base=state.base
            )
        )
    with db.read() as tx:
        plan = following.plan(tx, API)
        assert plan is not None
        texts = {one: following.text(tx, one) for one in following.digests_of(plan)}
    outcome = following.decide(plan, {one: following.read(text) for one, text in texts.items()})
    assert outcome.compared
    for _ in range(2):
        with db.begin() as tx:
            following.settle(tx, plan, outcome)
    assert len(portal.told()) == len(portal.changes()) == 1


def test_every_version_that_came_meanwhile_is_compared_with_the_one_before(portal: Portal) -> None:
    portal.say(api("things", OLD))
    with portal.program.db.begin() as tx:
        tx.conn.execute(following.store.states.delete())
    portal.say(api("things", NEW))
    [line] = portal.changes()
    assert line.change.breaking == 1


def test_what_changes_nothing_for_clients_is_no_change(portal: Portal) -> None:
    portal.say(api("things", OLD))
    described = {**OLD, "info": {"title": "Things", "version": "2", "description": "Better."}}
    portal.say(api("things", described))
    assert not portal.changes()
    assert portal.index().kept.overview.release == "2"


def test_a_definition_that_breaks_off_keeps_what_it_is_compared_with(portal: Portal) -> None:
    portal.say(api("things", OLD))
    portal.say(api("things", "openapi: 3.1.0\npaths: ["))
    assert "line 3" in (portal.index().kept.problem or "")
    assert [line.change.worst for line in portal.changes()] == ["warning"]
    portal.say(api("things", NEW))
    assert [line.change.worst for line in portal.changes()] == ["breaking", "warning"]
    assert portal.index().kept.problem is None


def test_an_api_that_leaves_breaks_its_consumers(portal: Portal) -> None:
    portal.say(api("things", OLD), *AROUND)
    assert documents(portal)
    portal.say(*AROUND)
    [line] = portal.changes("component:default/shop")
    assert line.change.breaking == 1
    assert not documents(portal)
    assert count(portal, definitions) == count(portal, operations) == 0
    with portal.program.db.read() as tx:
        assert not following.stale(tx)
    portal.say(api("things", NEW), *AROUND)
    assert len(portal.changes()) == 1
    assert portal.index().found == 1


def test_an_api_with_another_name_keeps_its_history_and_its_pages(portal: Portal) -> None:
    portal.say(api("things", OLD))
    portal.say(api("articles", OLD).replace("Articles API", "Things API"))
    assert not portal.changes()
    assert portal.index("api:default/articles").found == 1
    with portal.program.db.read() as tx, pytest.raises(NotFound):
        references.index(tx, API)
    assert [href for _, href, _ in documents(portal)] == [
        "/catalog/api/default/articles/reference/operations/get-things"
    ]
    portal.say(api("articles", NEW).replace("Articles API", "Things API"))
    assert [line.change.ref for line in portal.changes()] == ["api:default/articles"]


def test_what_is_kept_is_kept_once_and_only_while_it_is_needed(portal: Portal) -> None:
    portal.say(api("things", OLD), api("others", OLD))
    assert count(portal, definitions) == 1
    portal.say(api("things", NEW), api("others", OLD))
    assert count(portal, definitions) == 2
    portal.say(api("things", NEW), api("others", NEW))
    assert count(portal, definitions) == 1


def test_operations_are_found_by_path_parameter_and_schema(portal: Portal) -> None:
    query = {"name": "limit", "in": "query", "description": "How many."}
    portal.say(api("things", asking(query)))
    assert documents(portal) == [
        (
            "GET /things",
            "/catalog/api/default/things/reference/operations/get-things",
            "group:default/makers",
        )
    ]
    assert portal.index(sought="LIMIT things").found == 1
    assert portal.index(sought="limit%").found == 0
    portal.say(api("things", asking(query), owner="users"))
    assert [owner for _, _, owner in documents(portal)] == ["group:default/users"]


def test_what_was_missed_is_caught_up_with(portal: Portal) -> None:
    portal.say(api("things", OLD))
    with portal.program.db.begin() as tx:
        tx.conn.execute(following.store.states.delete())
        tx.conn.execute(definitions.delete())
    with portal.program.db.read() as tx:
        stale = following.stale(tx)
    assert stale == [API]
    assert jobs.bring(portal.program.db, API)
    assert portal.index().found == 1
    with portal.program.db.read() as tx:
        assert not following.stale(tx)


def test_texts_in_no_known_format_have_no_reference(portal: Portal) -> None:
    portal.say(api("things", "apiVersion: x\nkind: CustomResourceDefinition\n", kind="crd"))
    with portal.program.db.read() as tx:
        assert references.shown_digest(tx, API) is None
        with pytest.raises(NotFound):
            references.index(tx, API)


def test_a_text_that_is_not_what_it_is_said_to_be_is_told(portal: Portal) -> None:
    portal.say(api("things", "just: words"))
    assert "in no format that is known here" in (portal.index().kept.problem or "")
    portal.say(api("things", openapi({}), kind="grpc"))
    assert portal.index().kept.overview.notices == (
        "spec.type says grpc, but the definition is openapi",
    )


def test_a_definition_in_another_format_is_told(portal: Portal) -> None:
    portal.say(api("things", openapi({})))
    portal.say(api("things", "type Query { a: Int }", kind="graphql"))
    [line] = portal.changes()
    assert line.change.warnings == 1


def test_odd_letters_and_endless_names_are_kept_on_either_database(portal: Portal) -> None:
    odd, long = "a\0b\u2028\U0001f600 '%_/", "x" * 5000
    document = giving({"$ref": f"#/components/schemas/{long}"})
    document["components"] = {"schemas": {long: {"type": "string"}, odd: {"title": odd}}}
    operation = document["paths"]["/things"]["get"] | {"tags": [long], "summary": odd}
    document["paths"] = {f"/{odd}": {"get": operation}, f"/{long}": {"get": operation}}
    document["info"] = {"title": odd, "version": long}
    portal.say(api("things", document))
    found = portal.index(sought="\U0001f600")
    assert found.found == 2
    assert found.kept.problem is None
    with portal.program.db.read() as tx:
        for line in found.sections[0].lines:
            references.operation(tx, API, line.slug)
        for slug, _ in portal.index().schemas:
            references.schema(tx, API, slug)
    portal.say(
        api(
            "words",
            f'"""a\\u0000b""" type Query {{ {"y" * 3000}: {"Z" * 3000} }} scalar {"Z" * 3000}',
            kind="graphql",
        )
    )
    assert portal.index("api:default/words").found == 1
