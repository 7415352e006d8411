"""Writes the table of problems into docs/catalog.md; `--check` fails when it is old."""

from __future__ import annotations

import sys
from pathlib import Path

from pilothouse.catalog.rules.problems import CODES

FILE = Path(__file__).parent.parent / "docs" / "catalog.md"
BEGIN = "<!-- problems: written by `python tools/problems.py` -->\n"
END = "<!-- end of problems -->\n"


def table() -> str:
    """Every code with its weight and meaning, as a Markdown table."""
    rows = [f"| `{code}` | {entry.severity} | {entry.meaning} |" for code, entry in CODES.items()]
    return "\n".join(["", "| code | weight | meaning |", "| --- | --- | --- |", *rows, "", ""])


def written() -> str:
    """docs/catalog.md as it should be."""
    before, rest = FILE.read_text().split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    text = written()
    if "--check" in sys.argv[1:]:
        sys.exit(0 if FILE.read_text() == text else f"{FILE} is old: run python tools/problems.py")
    FILE.write_text(text)
