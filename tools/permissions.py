"""Writes the table of permissions into docs/permissions.md; `--check` fails when it is old."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from pilothouse import app
from pilothouse.kernel.actors import Role
from pilothouse.kernel.settings import load
from pilothouse.kernel.web import access
from pilothouse.kernel.web.build import build

FILE = Path(__file__).parent.parent / "docs" / "permissions.md"
BEGIN = "<!-- permissions: written by `python tools/permissions.py` -->\n"
END = "<!-- end of permissions -->\n"
NOBODY = "anybody"


def table() -> str:
    """Every route with the least role that may ask it, as a Markdown table."""
    with tempfile.TemporaryDirectory() as folder:
        program = app.program(load({"data": folder}, environ={}))
        application, _ = build(program)
        rows = access.permissions(application.app.routing.routes)  # pyright: ignore[reportFunctionMemberAccess]
        program.db.engine.dispose()
    lines = [
        f"| `{row.method}` | `{row.path}` | {role(row.role)} | {row.scope and f'`{row.scope}`'} |"
        for row in rows
    ]
    head = ["| method | path | least role | or a token with |", "| --- | --- | --- | --- |"]
    return "\n".join(["", *head, *lines, "", ""])


def role(least: Role) -> str:
    return least.name.lower() if least else NOBODY


def written() -> str:
    """docs/permissions.md as it should be."""
    before, rest = FILE.read_text().split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    text = written()
    if "--check" in sys.argv[1:]:
        old = f"{FILE} is old: run python tools/permissions.py"
        sys.exit(0 if FILE.read_text() == text else old)
    FILE.write_text(text)
