"""The catalog on the command line: lint and sync, as a build runs them."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from tests.catalog.following import component, group, several, write
from tests.programs import PILOTHOUSE, clean_environment

if TYPE_CHECKING:
    from pathlib import Path

FILE = "catalog-info.yaml"
FINE, FINDINGS, USAGE = 0, 1, 2
REPORT = ["entities", "added", "changed", "removed", "unchanged", "problems"]
PROBLEM = [
    "source", "file", "line", "column", "ref", "field", "message", "severity", "code", "found",
    "expected", "hint",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "repository"
    write(path, FILE, several(group("team-a"), component("checkout")))
    return path


def pilothouse(folder: Path, *arguments: str, **env: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [*PILOTHOUSE, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**clean_environment(), **env},
    )
    return done.returncode, done.stdout, done.stderr


def report(text: str) -> Any:
    found = json.loads(text)
    assert list(found) == REPORT
    assert all(list(problem) == PROBLEM for problem in found["problems"])
    return found


def test_lint_says_nothing_and_exits_with_0_when_all_is_well(folder: Path) -> None:
    code, said, counted = pilothouse(folder, "lint")
    assert (code, said) == (FINE, "")
    assert "2 entities, 0 errors, 0 warnings" in counted
    assert sorted(path.name for path in folder.iterdir()) == [FILE]


def test_lint_names_the_place_of_every_error_and_exits_with_1(folder: Path) -> None:
    write(folder, "a/catalog-info.yaml", component("x", type=3))
    code, said, _ = pilothouse(folder, "lint")
    assert code == FINDINGS
    [line] = said.splitlines()
    assert line.startswith("a/catalog-info.yaml:6:3: error: spec.type must be a text")
    assert line.endswith("[wrong-type]")


def test_lint_takes_several_paths_and_names_files_as_seen_from_here(folder: Path) -> None:
    write(folder, "a/catalog-info.yaml", "a: [\n")
    write(folder, "b/other.yaml", component("y", owner=1))
    code, said, _ = pilothouse(folder / "a", "lint", ".", "../b/other.yaml")
    assert code == FINDINGS
    files = {line.split(":")[0] for line in said.splitlines()}
    assert files == {"catalog-info.yaml", str(folder / "b" / "other.yaml")}


def test_lint_of_what_is_not_there_is_a_finding(folder: Path) -> None:
    code, said, _ = pilothouse(folder, "lint", "nowhere")
    assert code == FINDINGS
    assert "There is no file or folder" in said
    assert "nowhere" in said


def test_lint_exits_with_1_for_warnings_only_when_it_is_strict(folder: Path) -> None:
    write(folder, FILE, component("checkout"))
    assert pilothouse(folder, "lint")[0] == FINE
    code, said, _ = pilothouse(folder, "lint", "--strict")
    assert code == FINDINGS
    assert said.startswith(f"{FILE}:8:")
    assert "warning: spec.owner" in said


def test_lint_speaks_to_github(folder: Path) -> None:
    write(folder, FILE, several(group("payments"), component("checkout", owner="paymnets")))
    code, said, _ = pilothouse(folder, "lint", "--format", "github")
    assert code == FINE
    [line] = said.splitlines()
    assert line.startswith(f"::warning file={FILE},line=16,")
    assert "title=dangling-ref::" in line
    assert "group:default/payments" in line


def test_lint_speaks_json(folder: Path) -> None:
    write(folder, FILE, several(group("payments"), component("checkout", owner="paymnets")))
    code, said, _ = pilothouse(folder, "lint", "--json")
    assert code == FINE
    found = report(said)
    assert (found["entities"], found["added"]) == (2, 2)
    [problem] = found["problems"]
    assert problem | {"column": 0, "message": ""} == {
        "source": str(folder),
        "file": FILE,
        "line": 16,
        "column": 0,
        "ref": "component:default/checkout",
        "field": "spec.owner",
        "message": "",
        "severity": "warning",
        "code": "dangling-ref",
        "found": "group:default/paymnets",
        "expected": "a group that some catalog file declares",
        "hint": "group:default/payments",
    }


def test_lint_refuses_what_it_does_not_know_with_2(folder: Path) -> None:
    assert pilothouse(folder, "lint", "--format", "xml")[0] == USAGE
    assert pilothouse(folder, "lint", "--nothing")[0] == USAGE


def test_lint_leaves_the_portals_own_catalog_alone(folder: Path, tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    pilothouse(folder, "sync", "--data", data)
    write(folder, FILE, several(group("team-a"), component("checkout"), component("other")))
    pilothouse(folder, "lint", PILOTHOUSE_DATA=data)
    assert report(pilothouse(folder, "sync", "--data", data, "--json")[1])["added"] == 1


def test_sync_counts_what_changed_since_the_last_one(folder: Path, tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    write(folder, FILE, several(group("team-a"), component("a"), component("b")))
    code, said, _ = pilothouse(folder, "sync", str(folder), "--data", data, "--json")
    assert code == FINE
    assert report(said) == {
        "entities": 3, "added": 3, "changed": 0, "removed": 0, "unchanged": 0, "problems": [],
    }  # fmt: skip
    write(folder, FILE, several(group("team-a"), component("a", type="website")))
    found = report(pilothouse(folder, "sync", str(folder), "--data", data, "--json")[1])
    assert (found["changed"], found["removed"], found["unchanged"]) == (1, 1, 1)
    code, said, _ = pilothouse(folder, "sync", str(folder), "--data", data)
    assert code == FINE
    assert "2 entities: 0 added, 0 changed, 0 removed" in said


@pytest.mark.parametrize("text", ["a: [\n", component("checkout")])
def test_sync_exits_with_1_for_problems_only_when_it_is_strict(
    folder: Path, tmp_path: Path, text: str
) -> None:
    data = str(tmp_path / "data")
    write(folder, FILE, text)
    assert pilothouse(folder, "sync", "--data", data)[0] == FINE
    assert pilothouse(folder, "sync", "--data", data, "--strict")[0] == FINDINGS
    write(folder, FILE, several(group("team-a"), component("checkout")))
    assert pilothouse(folder, "sync", "--data", data, "--strict")[0] == FINE


def test_sync_of_a_source_that_cannot_be_read_exits_with_1_and_keeps_what_it_gave(
    folder: Path, tmp_path: Path
) -> None:
    data, away = str(tmp_path / "data"), folder.with_name("away")
    pilothouse(tmp_path, "sync", str(folder), "--data", data)
    folder.rename(away)
    code, said, _ = pilothouse(tmp_path, "sync", str(folder), "--data", data, "--json")
    assert code == FINDINGS
    found = report(said)
    assert found["entities"] == 2
    assert [problem["code"] for problem in found["problems"]] == ["unreachable-source"]
