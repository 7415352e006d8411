"""How fast docs are: 1,000 pages read in, read again, and opened over HTTP.

    python -m benchmarks.docs [--pages 1000] [--database postgresql]

A page has some 6 KB: prose, a table, code, links to its neighbours.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.lines import HEAD, Line, databases, keep, row
from benchmarks.measuring import ROOT, serving
from tests.programs import clean_environment

PAGES = 1_000
OPENED = 50  # different pages
HOME = "/docs/component/default/books"
CATALOG = """apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: books}
spec: {type: service, lifecycle: production, owner: keepers}
"""
WORDS = (
    "The worker takes a lease for each job, renews it while it works, and gives it back when it "
    "ends. A lease that runs out is taken over by another worker within a second of its time. "
)
# Prints how long the first look at docs takes, one at nothing new, and one at a page that changed.
LOOKS = """
import json, sys, time
from pathlib import Path
from pilothouse import app
from pilothouse.catalog import jobs as catalog
from pilothouse.catalog.service import passes
from pilothouse.docs import jobs
from pilothouse.kernel import logs
from pilothouse.kernel.settings import load
logs.configure("text", "error")
source, data, url = sys.argv[1:4]
program = app.program(load({"database_url": url} if url else {"data": data}, environ={}))
with program.db.begin() as tx:
    passes.register(tx, [source])
catalog.look(program, source)
took = []
for turn in range(3):
    if turn == 2:
        page = Path(source) / "docs/chapter-0/page-7.md"
        page.write_text(page.read_text() + "More.\\n")
    began = time.perf_counter()
    jobs.look(program, source)
    took.append(time.perf_counter() - began)
print(json.dumps(took))
"""


def text(number: int) -> str:
    """One page."""
    parts = [f"# Page {number}\n"]
    for section in range(6):
        near = f"page-{max(number - section, 0)}.md"
        chapter = f"../chapter-{max(number - section, 0) // 100}/{near}#part-{section}"
        parts.append(f"## Part {section}\n\n{WORDS * 3}See [the one before]({chapter}).\n")
    parts.append(
        "| name | value |\n|---|--:|\n" + "".join(f"| `n{n}` | {n} |\n" for n in range(20))
    )
    parts.append(
        "```python\n" + "def pay(basket: int) -> str:\n    return f'{basket}'\n\n" * 8 + "```"
    )
    return "\n".join(parts)


def write(folder: Path, pages: int) -> None:
    """A repository with so many pages, a hundred in a folder."""
    (folder / "docs").mkdir(parents=True)
    (folder / "catalog-info.yaml").write_text(CATALOG)
    links = "".join(f"- [Page {n}](chapter-{n // 100}/page-{n}.md)\n" for n in range(pages))
    (folder / "docs/index.md").write_text(f"# Books\n\n{links}")
    for number in range(pages):
        path = folder / f"docs/chapter-{number // 100}/page-{number}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text(number))


def looks(folder: Path, data: Path, url: str | None) -> list[float]:
    """Seconds of three looks, in a program of its own."""
    done = subprocess.run(
        [sys.executable, "-c", LOOKS, str(folder), str(data), url or ""],
        capture_output=True,
        text=True,
        check=True,
        env=clean_environment() | {"PYTHONPATH": str(ROOT / "src")},
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--json", type=Path, help="file for the figures")
    asked = parser.parse_args()
    lines: list[Line] = []

    def say(line: Line) -> None:
        lines.append(line)
        print(row(line), flush=True)

    print(HEAD)
    with (
        tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as name,
        databases(asked.database) as database,
    ):
        folder, data, url = Path(name) / "books", Path(name) / "data", database()
        write(folder, asked.pages)
        first, again, one = looks(folder, data, url)
        say(Line(f"{asked.pages:,} pages read the first time", first, "s", 30))
        say(Line("a look at what has not changed", again, "s", 2))
        say(Line("a look after one page changed", one, "s", 2))
        with serving([folder], data, url) as program:
            client = program.client()
            pages = [
                f"{HOME}/docs/chapter-{n // 100}/page-{n}"
                for n in range(0, asked.pages, max(asked.pages // OPENED, 1))
            ]
            program.wait(lambda: client.get(pages[-1])[0] == 200, "open a page", 0.05)
            timing = program.timing(pages)
            say(Line("a page, p50", timing.p50_ms, "ms", 50, note=timing.note))
            say(Line("a page, p95", timing.p95_ms, "ms", 100))
            timing = program.timing(["/docs", "/runbooks", "/rfcs"])
            say(Line("lists of docs, runbooks, decisions, p50", timing.p50_ms, "ms", 50))
    command = "python -m benchmarks.docs"
    if asked.database != "sqlite":
        command += f" --database {asked.database}"
    keep(asked.json, f"Docs of {asked.pages:,} pages on {asked.database}", command, lines)


if __name__ == "__main__":
    main()
