"""`pilothouse api diff` as a build runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tests.apis.definitions import SHARED, asking, openapi

if TYPE_CHECKING:
    from pathlib import Path

Q = {"name": "q", "in": "query", "schema": {"type": "string"}}


def diff(folder: Path, old: Any, new: Any, *options: str) -> subprocess.CompletedProcess[str]:
    for name, one in (("old", old), ("new", new)):
        text = one if isinstance(one, str) else json.dumps(one)
        (folder / f"{name}.yaml").write_text(text)
    return run("old.yaml", "new.yaml", *options, folder=folder)


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pilothouse.cli", "api", "diff", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_breaking_change_ends_with_one_and_says_what_it_is(tmp_path: Path) -> None:
    done = diff(tmp_path, asking(Q), openapi({}))
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("breaking GET /things: query parameter q: The query parameter q")
    assert "(parameter-removed)" in done.stdout
    assert done.stderr == "1 breaking change, 0 warnings, 0 safe changes\n"


def test_what_breaks_nobody_ends_with_zero(tmp_path: Path) -> None:
    assert diff(tmp_path, openapi({}), asking(Q)).returncode == 0
    assert diff(tmp_path, asking(Q), asking(Q)).returncode == 0
    deprecated = asking({**Q, "deprecated": True})
    assert diff(tmp_path, asking(Q), deprecated).returncode == 0
    assert diff(tmp_path, asking(Q), deprecated, "--strict").returncode == 1


def test_json_says_all_of_it_in_one_object(tmp_path: Path) -> None:
    done = diff(tmp_path, asking(Q), openapi({}), "--json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert (report["breaking"], report["warnings"], report["safe"]) == (1, 0, 0)
    [finding] = report["findings"]
    assert finding["rule"] == "parameter-removed"
    assert finding["operations"] == ["GET /things"]


def test_github_gets_annotations(tmp_path: Path) -> None:
    done = diff(tmp_path, asking(Q), openapi({}), "--format", "github")
    assert done.stdout.startswith("::error file=new.yaml,title=parameter-removed::GET /things")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("openapi: 3.0.0\npaths: [", "openapi: 3.0.0", "old.yaml: line "),
        ("just words", "openapi: 3.0.0", "old.yaml is neither OpenAPI"),
        ("openapi: 3.0.0", "type Query { a: Int }", "cannot be compared"),
    ],
)
def test_what_cannot_be_compared_is_said_with_its_place(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    done = diff(tmp_path, old, new)
    assert done.returncode == 1
    assert said in done.stderr
    assert not done.stdout


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "gone.yaml: there is no such file" in run("gone.yaml", "b", folder=tmp_path).stderr


def test_the_real_pair_has_its_seven(tmp_path: Path) -> None:
    pair = [str(SHARED / f"catalog-{version}.json") for version in ("1.24.0", "4.0.0")]
    if not SHARED.exists():
        pytest.skip(f"{SHARED} is not there")
    done = run(*pair, "--json", folder=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout)["breaking"] == 7
