"""The whole program follows its sources: a saved file is on its page, a commit after a refresh."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from tests import servers
from tests.catalog.following import Repository, component, group, several, write
from tests.programs import get
from tests.system.http import post

if TYPE_CHECKING:
    from pathlib import Path

    from tests.programs import Program, Programs

FILE = "catalog-info.yaml"
AT_ONCE = 5.0  # seconds; a second on a machine that does nothing else
TEAM = group("team-a")


def page(port: int, name: str) -> bytes:
    answer = get(port, f"/catalog/component/default/{name}")
    return answer[1] if answer and answer[0] == 200 else b""


def up(program: Programs, data: Path, port: int, url: str, *sources: object) -> Program:
    started = program(
        "up", *map(str, sources), "--data", str(data), "--port", str(port),
        env={"PILOTHOUSE_DATABASE_URL": url},
    )  # fmt: skip
    started.wait_for_http(port, "/readyz")
    return started


def entities(port: int) -> dict[str, str]:
    """Every entity with its etag, which changes with it."""
    answer = get(port, "/api/catalog/entities")
    assert answer
    return {one["metadata"]["name"]: one["metadata"]["etag"] for one in json.loads(answer[1])}


def test_a_saved_file_is_on_its_page_at_once(
    program: Programs, tmp_path: Path, database_url: str
) -> None:
    folder, port = tmp_path / "source", servers.free_port()
    write(folder, FILE, several(TEAM, component("checkout")))
    running = up(program, tmp_path / "data", port, database_url, folder)
    running.wait_for_http(port, "/catalog/component/default/checkout")
    running.wait_for_log("2 entities in the catalog (2 added, 0 changed, 0 removed)")
    for number in range(3):
        time.sleep(0.3)  # the watcher may have begun after the first page was there
        began = time.monotonic()
        write(folder, FILE, several(TEAM, component("checkout", type=f"kind-{number}")))
        assert servers.wait_until(lambda n=number: f"kind-{n}".encode() in page(port, "checkout"))
        assert time.monotonic() - began < AT_ONCE, running.output()
    write(folder, "new/catalog-info.yaml", component("payments"))
    assert servers.wait_until(lambda: bool(page(port, "payments")), seconds=AT_ONCE)
    (folder / "new" / FILE).unlink()
    assert servers.wait_until(lambda: not page(port, "payments"), seconds=AT_ONCE)
    assert running.terminate() == 0


def test_a_new_commit_is_there_after_a_refresh(
    program: Programs, tmp_path: Path, database_url: str
) -> None:
    (tmp_path / "remote").mkdir()
    repository, port = Repository(tmp_path / "remote"), servers.free_port()
    repository.commit("ann", "Begin", catalog_info=several(TEAM, component("checkout")))
    running = up(program, tmp_path / "data", port, database_url, repository.url)
    running.wait_for_http(port, "/catalog/component/default/checkout")
    running.wait_for_log("2 entities in the catalog")
    repository.commit(
        "bob", "More", catalog_info=several(TEAM, component("checkout"), component("payments"))
    )
    body = json.dumps({"entityRef": "component:default/checkout"}).encode()
    assert post(port, "/api/catalog/refresh", body)[0] == 200
    assert servers.wait_until(lambda: bool(page(port, "payments")), seconds=AT_ONCE)
    assert b"bob" in running.wait_for_http(port, "/catalog/component/default/payments/changes")
    assert running.terminate() == 0


@pytest.mark.parametrize("kill", [False, True])
def test_a_second_start_with_the_same_files_changes_nothing(
    program: Programs, tmp_path: Path, database_url: str, *, kill: bool
) -> None:
    folder, port = tmp_path / "source", servers.free_port()
    write(folder, FILE, several(TEAM, *[component(f"c{number}") for number in range(200)]))
    running = up(program, tmp_path / "data", port, database_url, folder)
    running.wait_for_log("201 entities in the catalog (201 added")
    before = entities(port)
    if kill:
        running.kill()
    else:
        assert running.terminate() == 0
    again = up(program, tmp_path / "data", port, database_url, folder)
    assert entities(port) == before  # before any source was looked at
    again.wait_for_log("201 entities in the catalog (0 added, 0 changed, 0 removed)")
    assert entities(port) == before
    assert again.terminate() == 0
