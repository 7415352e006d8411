"""What the docs say is so: tables that programs write are fresh, our own catalog is valid."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pilothouse.kernel.settings import Settings

ROOT = Path(__file__).parent.parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("tool", ["tools/openapi.py", "tools/problems.py", "tools/rules.py"])
def test_what_a_tool_writes_into_the_docs_is_fresh(tool: str) -> None:
    done = run(tool, "--check")
    assert done.returncode == 0, done.stderr


def test_every_setting_is_told() -> None:
    told = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE))
    assert told == set(Settings.__struct_fields__)


def test_our_own_catalog_has_no_problems() -> None:
    done = run("-m", "pilothouse.cli", "lint", ".", "--strict")
    assert done.returncode == 0, done.stdout


def test_links_between_docs_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")]
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
        if not target.startswith("http") and not (page.parent / target).exists()
    ]
    assert not broken
