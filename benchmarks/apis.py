"""How fast a definition of 6 MB is read, shown, searched and compared.

python -m benchmarks.apis
python -m benchmarks.apis --file api.github.com.json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.lines import HEAD, Line, keep, row
from benchmarks.measuring import Client, Served, serving

REFERENCE = "/catalog/api/default/big/reference"
CATALOG = """\
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: big}
spec: {type: openapi, lifecycle: production, owner: team, definition: {$text: ./openapi.json}}
"""
WORDS = "Reads one of them, with all that belongs to it. Answers at once or says why it cannot. "
FINE = 200


def document(megabytes: float) -> dict[str, Any]:
    """An OpenAPI document of about this size: groups of operations, schemas that name others."""
    schemas, paths = {}, {}
    made: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Big", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    }
    number = size = 0
    while size < megabytes * 1e6:
        number += 1
        name, other = f"Thing{number}", f"Thing{max(1, number - 7)}"
        schemas[name] = _schema(other)
        path = f"/things{number}"
        paths[path] = {verb: _operation(number, verb, name) for verb in ("get", "post")}
        size += len(json.dumps([schemas[name], paths[path]]))
    return made


def _schema(other: str) -> dict[str, Any]:
    plain = {
        f"field_{at}": {"type": "string", "description": WORDS, "maxLength": 40 + at}
        for at in range(12)
    }
    more = {"other": {"$ref": f"#/components/schemas/{other}"}, "number": {"type": "integer"}}
    return {"type": "object", "required": ["field_1"], "properties": {**plain, **more}}


def _operation(number: int, verb: str, name: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    limit = {"name": "limit", "in": "query", "description": WORDS, "schema": {"type": "integer"}}
    made: dict[str, Any] = {
        "operationId": f"{verb}Thing{number}",
        "summary": f"{verb.capitalize()} thing {number}",
        "description": WORDS * 4,
        "tags": [f"group {number % 40}"],
        "parameters": [limit],
        "responses": {"200": {"description": "fine", "content": content}},
    }
    return made if verb == "get" else {**made, "requestBody": {"content": content}}


def measure(text: str) -> list[Line]:
    """All figures, on SQLite."""
    with tempfile.TemporaryDirectory(prefix="pilothouse-apis-") as folder:
        source = Path(folder) / "source"
        source.mkdir()
        (source / "catalog-info.yaml").write_text(CATALOG)
        (source / "openapi.json").write_text(text)
        with serving([source], Path(folder) / "data", None) as served:
            return _measure(served, source, json.loads(text))


def _measure(served: Served, source: Path, tree: dict[str, Any]) -> list[Line]:
    client = served.client()
    wanted = REFERENCE.rpartition("/")[0]
    served.wait(lambda: client.get(wanted)[0] == FINE, "read the catalog")
    took = served.wait(lambda: client.get(REFERENCE)[0] == FINE, "read the definition")
    megabytes = (source / "openapi.json").stat().st_size / 1e6
    lines = [
        Line("entity on its page → its reference as well", took, "s", 5, f"{megabytes:.1f} MB")
    ]
    operation, schema = _links(client)
    pages = [
        ("index of the reference, p95", [REFERENCE], 300),
        ("index, search, p95", [f"{REFERENCE}?operation=limit"], 300),
        ("page of an operation, p95", operation, 50),
        ("page of a schema, p95", schema, 50),
        ("page of the API, p95", [wanted], 300),
    ]
    for name, paths, most in pages:
        timing = served.timing(paths)
        lines.append(Line(name, timing.p95_ms, "ms", most, note=timing.note))
    lines.append(_changed(served, client, source, tree))
    lines.append(Line("memory after all that", served.memory(), "MB", None))
    return lines


def _links(client: Client) -> tuple[list[str], list[str]]:
    page = client.get(REFERENCE)[1].decode()
    found = [part.partition('"')[0] for part in page.split('href="')[1:]]
    return tuple(
        [link for link in found if f"/reference/{kind}/" in link][:: max(1, len(found) // 40)]
        for kind in ("operations", "schemas")
    )  # pyright: ignore[reportReturnType]


def _changed(served: Served, client: Client, source: Path, tree: dict[str, Any]) -> Line:
    """How long it takes from a saved file to the change that says whom it breaks."""
    path = next(iter(tree["paths"]))
    del tree["paths"][path]
    beside = source / ".openapi.json.new"
    beside.write_text(json.dumps(tree))
    began = time.perf_counter()
    beside.replace(source / "openapi.json")
    served.wait(lambda: client.get("/apis/changes/1")[0] == FINE, "tell the change")
    return Line("file saved → its breaking change told", time.perf_counter() - began, "s", 5)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, help="a definition in JSON, else one is made up")
    parser.add_argument("--megabytes", type=float, default=6)
    parser.add_argument("--json", type=Path, help="write the figures here")
    chosen = parser.parse_args()
    definition = chosen.file.read_text() if chosen.file else json.dumps(document(chosen.megabytes))
    found = measure(definition)
    print(HEAD)
    for line in found:
        print(row(line))
    command = "python -m benchmarks.apis"
    if chosen.file:
        command += f" --file {chosen.file.name}"
    keep(chosen.json, f"A definition of {len(definition) / 1e6:.1f} MB", command, found)
    sys.exit(any(line.at_most is not None and line.measured > line.at_most for line in found))
