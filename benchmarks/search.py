"""How fast the search box is: 10,000 entities and 20,000 pages, asked over HTTP.

    python -m benchmarks.search [--pages 20000] [--database postgresql]

The pages are made of words as texts are: a few stand in every one, most are rare.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.company import WORDS, component_names, write_company
from benchmarks.lines import HEAD, Line, databases, keep, row
from benchmarks.measuring import serving

from pilothouse import app
from pilothouse.kernel import search
from pilothouse.kernel.search import Document
from pilothouse.kernel.settings import load

COMPONENTS, PAGES, A_CHUNK = 10_000, 20_000, 1_000
AT_MOST = 30.0  # ms, p95
LETTERS = "abcdefghijklmnoprstuvw"


def pages(number: int) -> Iterator[Document]:
    """Docs and runbooks; each holds an error text of its own."""
    chance = random.Random(8400)
    rare = ["".join(chance.choices(LETTERS, k=chance.randint(4, 9))) for _ in range(20_000)]
    usual = [*WORDS, "the", "service", "error", "restart", "deploy", "database", "team", "check"]
    for n in range(number):
        words = [
            chance.choice(usual)
            if chance.random() < 0.1
            else rare[min(int(chance.paretovariate(0.6)), len(rare) - 1)]
            for _ in range(chance.randint(100, 500))
        ]
        words.insert(len(words) // 2, f"fence: lease lost by worker {n} at 14:02")
        yield Document(
            key=f"bench:{n}",
            origin="bench",
            kind="runbook" if n % 10 == 0 else "doc",
            title=f"{chance.choice(usual)} {chance.choice(rare)} {n}",
            href=f"/docs/bench/{n}",
            text=" ".join(words),
            ref=f"component:default/{component_names(COMPONENTS, 1)[0]}",
        )


def put(url: str | None, data: Path, number: int) -> None:
    """Fill the index of a program that is running."""
    chosen = {"database_url": url} if url else {"data": str(data)}
    program = app.program(load(chosen, environ={}))
    chunk: list[Document] = []
    for document in pages(number):
        chunk.append(document)
        if len(chunk) == A_CHUNK:
            with program.db.begin() as tx:
                search.put(tx, chunk)
            chunk = []
    program.db.engine.dispose()


def questions() -> dict[str, list[str]]:
    """Sorts of questions, and some of each."""
    names = component_names(COMPONENTS, 50)
    return {
        "a name": names,
        "the beginning of a name": [name[:5] for name in names],
        "one usual word": [name.partition("-")[0] for name in names],
        "two usual words": [f"{name.partition('-')[0]} restart" for name in names],
        "a slip of the hand": [f"{name[0]}{name[2]}{name[1]}{name[3:8]}" for name in names],
        "an error text": [f"fence: lease lost by worker {n} at 03:15" for n in range(0, 5000, 100)],
        "nothing there": [f"qq{n}zz" for n in range(50)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--json", type=Path, help="file for the figures")
    asked = parser.parse_args()
    lines: list[Line] = []
    print(HEAD)
    with (
        tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as name,
        databases(asked.database) as database,
    ):
        folder, url = Path(name), database()
        entities = write_company(folder / "company", COMPONENTS)
        with serving([folder / "company"], folder / "data", url) as program:
            client = program.client()
            program.wait(lambda: program.total(client) == entities, "load everything", 0.05)
            put(url, folder / "data", asked.pages)
            for sort, texts in questions().items():
                timing = program.timing([f"/search?{urlencode({'q': text})}" for text in texts])
                lines.append(Line(f"{sort}, p95", timing.p95_ms, "ms", AT_MOST, note=timing.note))
                print(row(lines[-1]), flush=True)
    command = "python -m benchmarks.search"
    if asked.database != "sqlite":
        command += f" --database {asked.database}"
    title = f"Search over {entities:,} entities and {asked.pages:,} pages on {asked.database}"
    keep(asked.json, title, command, lines)


if __name__ == "__main__":
    main()
