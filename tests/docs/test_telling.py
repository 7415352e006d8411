"""What the docs say of problems is what the program says."""

from __future__ import annotations

import re
from pathlib import Path

from pilothouse.docs.service.taking import MEANINGS, WEIGHTS

ROOT = Path(__file__).parents[2]


def test_the_table_of_problems_in_the_docs_is_that_of_the_program() -> None:
    text = (ROOT / "docs/docs.md").read_text()
    rows = re.findall(r"^\| `(docs-[a-z-]+)` \| (\w+) \| (.*) \|$", text, re.MULTILINE)
    assert rows == [(code, str(weight), MEANINGS[code]) for code, weight in WEIGHTS.items()]
