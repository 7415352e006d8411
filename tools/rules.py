"""Writes the table of rules for API changes into docs/apis.md; `--check` fails when it is old."""

from __future__ import annotations

import sys
from pathlib import Path

from pilothouse.apis.model import Severity
from pilothouse.apis.rules import comparing  # noqa: F401  its rules are registered with it
from pilothouse.apis.rules.registry import RULES

FILE = Path(__file__).parent.parent / "docs" / "apis.md"
BEGIN = "<!-- rules: written by `python tools/rules.py` -->\n"
END = "<!-- end of rules -->\n"


def table() -> str:
    """Every rule with its weight and meaning, the heaviest first, as a Markdown table."""
    weights = list(Severity)
    ordered = sorted(RULES.values(), key=lambda rule: weights.index(rule.severity))
    rows = [f"| `{rule.code}` | {rule.severity} | {rule.words} |" for rule in ordered]
    return "\n".join(["", "| rule | weight | what changed |", "| --- | --- | --- |", *rows, "", ""])


def written() -> str:
    """docs/apis.md as it should be."""
    before, rest = FILE.read_text().split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    text = written()
    if "--check" in sys.argv[1:]:
        sys.exit(0 if FILE.read_text() == text else f"{FILE} is old: run python tools/rules.py")
    FILE.write_text(text)
