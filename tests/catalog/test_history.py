"""The catalog as it was at an instant, and who changed it since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from litestar.testing import TestClient
from tests.catalog.following import (
    Following,
    Repository,
    component,
    following,
    group,
    several,
    write,
)

from pilothouse.kernel.web.build import build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

FILE = "catalog-info.yaml"
NAMED = "/api/catalog/entities/by-name/component/default"


@pytest.fixture
def catalog(database_url: str, tmp_path: Path) -> Iterator[Following]:
    with following(database_url, tmp_path / "data") as found:
        yield found


@pytest.fixture
def client(catalog: Following) -> Iterator[TestClient[Any]]:
    web, stream = build(catalog.program)
    with TestClient(web, base_url="http://127.0.0.1:8400") as found:
        yield found
    stream.close()


def now(catalog: Following) -> datetime:
    with catalog.program.db.read() as tx:
        return tx.now


def as_of(client: TestClient[Any], path: str, at: datetime, **more: str) -> Any:
    return client.get(path, params={"at": at.isoformat(), **more})


def test_an_entity_and_the_list_can_be_seen_as_they_were(
    catalog: Following, client: TestClient[Any], tmp_path: Path
) -> None:
    folder = tmp_path / "source"
    instants = []
    for text in (
        several(group("team-a"), component("checkout", type="service")),
        several(group("team-a"), component("checkout", type="website"), component("other")),
        group("team-a"),
    ):
        instants.append(now(catalog))
        write(folder, FILE, text)
        catalog.follow(folder)
    instants.append(now(catalog))
    before, first, second, last = instants

    assert as_of(client, f"{NAMED}/checkout", before).status_code == 404
    assert as_of(client, f"{NAMED}/checkout", first).json()["spec"]["type"] == "service"
    assert as_of(client, f"{NAMED}/checkout", second).json()["spec"]["type"] == "website"
    assert as_of(client, f"{NAMED}/checkout", last).status_code == 404

    def listed(at: datetime) -> list[str]:
        found = as_of(client, "/api/catalog/entities", at, filter="kind=component").json()
        return sorted(entity["metadata"]["name"] for entity in found)

    assert [listed(at) for at in instants] == [[], ["checkout"], ["checkout", "other"], []]
    page = as_of(client, "/catalog", second).text
    assert "checkout" in page
    assert "other" in page
    assert "website" in as_of(client, "/catalog/component/default/checkout", second).text


def test_the_page_of_what_is_gone_tells_its_history(
    catalog: Following, client: TestClient[Any], tmp_path: Path
) -> None:
    folder = tmp_path / "source"
    write(folder, FILE, several(group("team-a"), component("checkout")))
    catalog.follow(folder)
    write(folder, FILE, group("team-a"))
    catalog.look(folder)
    answer = client.get("/catalog/component/default/checkout")
    assert answer.status_code == 404
    assert FILE in answer.text
    assert "emoved" in answer.text


def test_the_page_of_a_former_name_leads_to_the_new_one(
    catalog: Following, client: TestClient[Any], tmp_path: Path
) -> None:
    folder = tmp_path / "source"
    write(folder, FILE, several(group("team-a"), component("checkout")))
    catalog.follow(folder)
    write(folder, FILE, several(group("team-a"), component("payments")))
    catalog.look(folder)
    answer = client.get("/catalog/component/default/checkout", follow_redirects=False)
    assert answer.status_code in (301, 302, 303, 307, 308)
    assert answer.headers["location"] == "/catalog/component/default/payments"


def test_an_instant_before_a_rename_shows_the_old_name_only(
    catalog: Following, client: TestClient[Any], tmp_path: Path
) -> None:
    folder = tmp_path / "source"
    write(folder, FILE, several(group("team-a"), component("checkout")))
    catalog.follow(folder)
    before = now(catalog)
    write(folder, FILE, several(group("team-a"), component("payments")))
    catalog.look(folder)
    after = now(catalog)

    def names(at: datetime) -> set[str]:
        return {
            one["metadata"]["name"] for one in as_of(client, "/api/catalog/entities", at).json()
        }

    assert names(before) == {"team-a", "checkout"}
    assert names(after) == {"team-a", "payments"}


def test_versions_from_a_repository_show_their_commits(
    catalog: Following, client: TestClient[Any], tmp_path: Path
) -> None:
    (tmp_path / "remote").mkdir()
    repository = Repository(tmp_path / "remote")
    repository.commit("ann", "Begin", catalog_info=several(group("team-a"), component("checkout")))
    catalog.follow(repository.url)
    commit = repository.commit(
        "bob",
        "Retire it",
        catalog_info=several(group("team-a"), component("checkout", lifecycle="deprecated")),
    )
    catalog.look(repository.url)
    page = client.get("/catalog/component/default/checkout/changes").text
    assert commit[:7] in page
    assert "bob" in page
    assert "Retire it" in page
    newest, oldest = catalog.versions("component:default/checkout")
    assert [change.field for change in newest.changes] == ["spec.lifecycle"]
    assert newest.commit is not None
    assert newest.commit.id == commit
    assert oldest.until == newest.at
