"""How fast the catalog is: the real program, asked over HTTP, beside Backstage 4.0's figures.

    python -m benchmarks.catalog [--components 100000] [--database postgresql] [--heavy]

Backstage was measured with the same 10,000 Components on a machine of the same kind.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.company import Sizes, component_names, write_company, write_heavy
from benchmarks.lines import HEAD, Line, databases, row
from benchmarks.measuring import ROOT, Pulse, Served, percentile, serving
from tests.programs import clean_environment

EXAMPLE = ROOT.parent / "shared/data/catalog/giantswarm-2026-08-07"
SAVES, STARTS = 5, 5
ASKED = 50  # different paths of one sort
# Prints how long a look at an unchanged source takes, in a program that just started.
SYNC_AGAIN = """
import sys, time
from pathlib import Path
from pilothouse import app
from pilothouse.catalog import jobs
from pilothouse.kernel import logs
from pilothouse.kernel.settings import load
logs.configure("text", "error")
program = app.program(load({"data": sys.argv[2]}))
took = []
for _ in range(3):
    began = time.perf_counter()
    look = jobs.look(program, sys.argv[1])
    took.append(time.perf_counter() - began)
assert not look.tally.added and not look.failed
print(min(took))
"""


@dataclass(slots=True)
class Bench:
    """One run: where its files are, what it found."""

    folder: Path
    components: int
    database: Callable[[], str | None]
    postgresql: bool
    only: str
    lines: list[Line] = field(default_factory=list)

    def wants(self, group: str) -> bool:
        return not self.only or group in self.only.split(",")

    def say(self, line: Line) -> None:
        self.lines.append(line)
        print(row(line), flush=True)

    @property
    def slack(self) -> float:
        """100,000 entities may take twice as long, PostgreSQL one and a half times."""
        return (2 if self.components > 10_000 else 1) * (1.5 if self.postgresql else 1)

    @property
    def growth(self) -> float:
        """Reading may take as much longer as there is more to read."""
        return max(1, self.components / 10_000) * (1.5 if self.postgresql else 1)


def starts(bench: Bench) -> None:
    """The first page of a new program with a small catalog, and its memory at rest."""
    source = EXAMPLE if EXAMPLE.is_dir() else ROOT / "catalog-info.yaml"
    took, used = [], []
    for number in range(STARTS):
        with serving([source], bench.folder / f"start-{number}", bench.database()) as program:
            client = program.client()
            program.wait(lambda c=client: c.get("/")[0] == 200, "show its first page")
            took.append(program.age)
            used.append(program.cpu())
            if number == STARTS - 1:
                _at_rest(bench, program)
    note = f"{statistics.median(used):.1f} CPU s, its database made"
    bench.say(Line("program start → first page", statistics.median(took), "s", 1.5, "3.1", note))
    _starts_again(bench, source)


def _starts_again(bench: Bench, source: Path) -> None:
    took, used, database = [], [], bench.database()
    for number in range(STARTS + 1):
        with serving([source], bench.folder / "start-again", database) as program:
            client = program.client()
            program.wait(lambda c=client: c.get("/")[0] == 200, "show its first page")
            if number:
                took.append(program.age)
                used.append(program.cpu())
    note = f"{statistics.median(used):.1f} CPU s, its database there"
    bench.say(
        Line("program started again → first page", statistics.median(took), "s", 1.5, "3.1", note)
    )


def _at_rest(bench: Bench, program: Served) -> None:
    program.wait(lambda: "entities in the catalog" in program.log.read_text(), "load")
    client = program.client()
    for path in ("/", "/catalog", "/api/catalog/entities/by-query?limit=20"):
        client.get(path)
    bench.say(Line("memory at rest, example catalog", program.memory(), "MB", 120, "416-479"))


def loads(bench: Bench, company: Path, entities: int, data: Path) -> None:
    """The first load, and everything asked of what it brought."""
    database = bench.database()
    with serving([company], data, database) as program:
        client = program.client()
        program.wait(lambda: program.total(client) == entities, "load everything", 0.05)
        seconds, used = program.age, program.cpu()
        note = f"{used:.1f} CPU s; {entities:,} entities"
        at_most = 10 * bench.growth
        bench.say(Line("program start → all visible", seconds, "s", at_most, "119", note))
        done = "entities in the catalog"
        program.wait(lambda: done in program.log.read_text(), "finish its first look")
        note = f"{program.cpu():.1f} CPU s"
        bench.say(Line("… → references checked as well", program.age, "s", note=note))
        if bench.wants("save"):
            _saves(bench, program, company)
        _questions(bench, program)
        bench.say(Line("memory after all that", program.memory(), "MB", 220, "635-1,035"))
    if bench.wants("sync"):
        _sync_again(bench, company, data, database)


def _saves(bench: Bench, program: Served, company: Path) -> None:
    client, took = program.client(), []
    for number, path in enumerate(sorted(company.rglob("*.yaml"))[-SAVES:]):
        text = path.read_text()
        name = text.rpartition("name: ")[2].split()[0]
        words = f"saved-{number}"
        path.write_text(text.replace("description: Takes", f"description: {words} Takes"))
        page = f"/catalog/component/default/{name}"
        took.append(program.wait(lambda p=page, w=words: w.encode() in client.get(p)[1], "see it"))
    middle = statistics.median(took)
    bench.say(Line("file saved → visible on a page", middle, "s", 1.0 * bench.slack, "85-98"))


def _questions(bench: Bench, program: Served) -> None:
    for name, paths, at_most, backstage in _asked(bench.components):
        if bench.wants("questions") or bench.wants(name):
            timing = program.timing(paths)
            most = at_most * bench.slack
            bench.say(Line(f"{name}, p95", timing.p95_ms, "ms", most, backstage, timing.note))


def _asked(components: int) -> Iterator[tuple[str, list[str], float, str]]:
    """Sorts of requests: name, paths, milliseconds at most, Backstage's."""
    names = component_names(components, ASKED)
    words = [name.partition("-")[0] for name in names]
    types = ("service", "website", "library", "job")
    query, ordered = "/api/catalog/entities/by-query?limit=20&", "&orderField=metadata.name,asc"
    typed = [f"{query}filter=kind=component,spec.type={name}{ordered}" for name in types]
    by_name, page = (
        "/api/catalog/entities/by-name/component/default/",
        "/catalog/component/default/",
    )
    teams = range(components // 50)[:ASKED]
    yield (
        "by-query, filter of a team",
        [f"{query}filter=spec.owner=team-{n}" for n in teams],
        5,
        "12.8",
    )
    yield (
        "by-query, filter of a tag",
        [f"{query}filter=metadata.tags={w}" for w in words],
        5,
        "12.8",
    )
    yield "by-query, kind and type, ordered", typed, 8, "70-167"
    yield "by-name", [by_name + name for name in names], 2.5, "5.6"
    yield "entity-facets of spec.type", ["/api/catalog/entity-facets?facet=spec.type"], 5, "12.2"
    yield "full text", [f"{query}fullTextFilterTerm={word}" for word in words], 6, "9.8"
    yield "entity page", [page + name for name in names], 30, ""
    yield "page of a team", [f"/catalog/group/default/team-{n}" for n in teams], 30, ""
    yield "list page", ["/catalog", *(f"/catalog?kind=component&type={t}" for t in types)], 30, ""
    yield "list page, search", [f"/catalog?q={word}" for word in words], 30, ""
    yield "search box", [f"/search?q={name[:6]}" for name in names], 30, ""
    yield "Now", ["/"], 30, ""
    yield "changes", ["/catalog/changes"], 30, ""


def _sync_again(bench: Bench, company: Path, data: Path, database: str | None) -> None:
    named = {"PILOTHOUSE_DATABASE_URL": database} if database else {}
    done = subprocess.run(
        [sys.executable, "-c", SYNC_AGAIN, str(company), str(data)],
        env=clean_environment() | {"PYTHONPATH": str(ROOT / "src")} | named,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    at_most = 0.5 * bench.growth
    bench.say(Line("sync again, nothing changed", float(done.stdout), "s", at_most))


def heavy(bench: Bench, sizes: Sizes) -> None:
    """A team of thousands and long API documents: does the program answer while it reads them?"""
    folder = bench.folder / "heavy"
    entities = write_heavy(folder, sizes)
    with serving([folder], bench.folder / "heavy-data", bench.database()) as program:
        client = program.client()
        program.wait(lambda: client.get("/healthz")[0] == 200, "serve")
        pulse = Pulse(program.port, "/healthz", 0.01)
        page = Pulse(program.port, "/catalog/group/default/everyone", 0.05)
        pulse.start()
        page.start()
        program.wait(lambda: program.total(client) == entities, "load everything", 0.1)
        note = f"{program.cpu():.1f} CPU s; {entities:,} entities"
        bench.say(Line("heavy: start → all visible", program.age, "s", note=note))
        waited, pages = pulse.end(), page.end()
        note = f"p95 {percentile(waited, 95):.1f} of {len(waited):,}"
        bench.say(Line("heavy: longest /healthz meanwhile", max(waited), "ms", 100, note=note))
        note = f"longest {max(pages):.0f}"
        p95 = percentile(pages, 95)
        bench.say(Line("heavy: page of the large team meanwhile, p95", p95, "ms", note=note))
        for name, path in (
            ("page of the large team", "/catalog/group/default/everyone"),
            ("page of an API", "/catalog/api/default/api-7"),
            ("definition of an API", "/catalog/api/default/api-7/definition"),
            ("by-name of an API", "/api/catalog/entities/by-name/api/default/api-7"),
            ("list page of APIs", "/catalog?kind=api"),
        ):
            timing = program.timing([path])
            at_most = 30 * bench.slack if "page" in name else None
            bench.say(Line(f"heavy: {name}, p95", timing.p95_ms, "ms", at_most, note=timing.note))
        bench.say(Line("heavy: memory", program.memory(), "MB"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--components", type=int, default=10_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--heavy", action="store_true", help="6,000 members, 2,000 long APIs")
    parser.add_argument(
        "--only", default="", help="start,load,save,questions,sync or a line's name"
    )
    parser.add_argument("--json", type=Path, help="file for the figures")
    asked = parser.parse_args()
    print(HEAD)
    with (
        tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as name,
        databases(asked.database) as database,
    ):
        folder = Path(name)
        bench = Bench(
            folder, asked.components, database, asked.database == "postgresql", asked.only
        )
        if bench.wants("start"):
            starts(bench)
        if asked.heavy:
            heavy(bench, Sizes())
        elif asked.only != "start":
            company = folder / "company"
            entities = write_company(company, asked.components)
            loads(bench, company, entities, folder / "data")
        if asked.json:
            lines = [dataclasses.asdict(line) for line in bench.lines]
            run = {"components": asked.components, "database": asked.database, "lines": lines}
            asked.json.write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
