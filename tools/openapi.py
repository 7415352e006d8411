"""Writes docs/api/catalog.yaml, the description of our HTTP API; `--check` fails when it is old."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import yaml

from pilothouse import app
from pilothouse.kernel.settings import load
from pilothouse.kernel.web.build import build

FILE = Path(__file__).parent.parent / "docs" / "api" / "catalog.yaml"


def description() -> str:
    """OpenAPI of everything under /api/catalog, as YAML."""
    with tempfile.TemporaryDirectory() as folder:
        program = app.program(load({"data": folder}, environ={}))
        application, _ = build(program)
        schema = application.app.routing.openapi_schema.to_schema()  # pyright: ignore[reportFunctionMemberAccess]
        program.db.engine.dispose()
    schema["paths"] = {
        path: item for path, item in schema["paths"].items() if path.startswith("/api/catalog")
    }
    return yaml.safe_dump(schema, sort_keys=False, allow_unicode=True, width=100)


if __name__ == "__main__":
    text = description()
    if "--check" in sys.argv[1:]:
        sys.exit(0 if FILE.read_text() == text else f"{FILE} is old: run python tools/openapi.py")
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(text)
