"""Docs on the command line: a new decision, and what a lint says of docs."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.catalog.following import write
from tests.docs.reading_docs import repository
from tests.programs import PILOTHOUSE, clean_environment

from pilothouse.docs.formats import decisions, reading
from pilothouse.docs.model import Question, Status

if TYPE_CHECKING:
    from pathlib import Path


def pilothouse(folder: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [*PILOTHOUSE, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=clean_environment(),
    )
    return done.returncode, done.stdout + done.stderr


def test_a_new_decision_has_the_next_number_and_the_four_questions(tmp_path: Path) -> None:
    write(tmp_path, "docs/adr/0007-seven.md", "# Seven\n")
    code, said = pilothouse(tmp_path, "rfc", "new", "Route card payments by région")
    path = tmp_path / "docs/adr/0008-route-card-payments-by-region.md"
    assert (code, path.exists()) == (0, True), said
    text = path.read_text()
    one = decisions.read("docs/adr/" + path.name, text, reading.parse(text))
    assert (one.number, one.title, one.status) == (
        8,
        "Route card payments by région",
        Status.DRAFT,
    )
    assert one.missing == tuple(Question)  # until they are answered


def test_the_first_decision_makes_its_folder(tmp_path: Path) -> None:
    code, _ = pilothouse(tmp_path, "rfc", "new", "First")
    assert code == 0
    assert (tmp_path / "docs/decisions/0001-first.md").exists()


@pytest.mark.parametrize("title", ["", " ", "x" * 300])
def test_a_title_that_is_none_is_refused(tmp_path: Path, title: str) -> None:
    assert pilothouse(tmp_path, "rfc", "new", title)[0] == 1


def test_a_lint_tells_what_is_wrong_with_docs(tmp_path: Path) -> None:
    repository(tmp_path, {"docs/index.md": "# Pay\n\n[no](no.md)\n"})
    code, said = pilothouse(tmp_path, "lint", ".")
    assert (code, "docs/index.md:3:1: warning: The link no.md names a page" in said) == (0, True)
    assert pilothouse(tmp_path, "lint", ".", "--strict")[0] == 1
