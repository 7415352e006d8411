"""Writes docs/benchmarks.md from the figures that the benchmarks left in benchmarks/results/.

python -m benchmarks.catalog --json benchmarks/results/catalog-sqlite-10000.json
python -m benchmarks.catalog --database postgresql --json benchmarks/results/…
python -m benchmarks.faults --json benchmarks/results/faults.json
python -m benchmarks.export --json benchmarks/results/export-10000.json
python -m benchmarks.deploys --json benchmarks/results/deploys-sqlite.json
python -m benchmarks.search --json benchmarks/results/search-sqlite.json
python -m benchmarks.docs --json benchmarks/results/docs-sqlite.json
python -m benchmarks.apis --json benchmarks/results/apis-sqlite.json
python -m benchmarks.vitals --json benchmarks/results/vitals.json
python -m benchmarks.objectives --json benchmarks/results/objectives-sqlite.json
python -m benchmarks.sketches --json benchmarks/results/sketches.json
python -m benchmarks.verdicts --json benchmarks/results/verdicts.json
python -m benchmarks.checks --json benchmarks/results/agents.json
python -m benchmarks.checks_faults --json benchmarks/results/checks-faults-sqlite.json
python -m benchmarks.checks_pages --json benchmarks/results/checks-pages-sqlite.json
python -m benchmarks.checks_server --json benchmarks/results/checks-server-sqlite.json
python -m benchmarks.checks_kept --json benchmarks/results/checks-kept.json
python -m benchmarks.pages --storm 100000 --json benchmarks/results/pages-sqlite.json
python -m benchmarks.finding --json benchmarks/results/finding-sqlite.json
python -m benchmarks.quiet  (all of checks, pages, vitals and objectives, one after the other)
python -m benchmarks.report
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
NONE = "\N{EN DASH}"
HEADS = "| | Backstage 4.0 | Pilothouse | at most | of it |"
PAGE = ROOT / "docs" / "benchmarks.md"
HEAD = """# Measurements

Each figure comes from a command that anyone can run; this page is written by
`python -m benchmarks.report` from what they left. The machine had two cores, was shared, and was
busy with other things, so read the figures with its noise: medians and ratios hold, single
milliseconds do not. Backstage 4.0 was measured on a machine of the same kind (production build,
SQLite in memory).

"""


def _figure(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def _catalog(run: dict[str, Any]) -> str:
    title = f"{run['components']:,} Components on {run['database']}"
    command = f"python -m benchmarks.catalog --components {run['components']}"
    if run["database"] != "sqlite":
        command += f" --database {run['database']}"
    if any(line["name"].startswith("heavy") for line in run["lines"]):
        title, command = f"Large things on {run['database']}", f"{command} --heavy"
    rows = [
        f"| {line['name'].removeprefix('heavy: ')} | {line['backstage'] or NONE} "
        f"| {_figure(line['measured'])} {line['unit']} "
        f"| {NONE if line['at_most'] is None else format(line['at_most'], 'g')} "
        f"| {line['note']} |"
        for line in run["lines"]
    ]
    table = [HEADS, "| --- | --- | --- | --- | --- |", *rows]
    return "\n".join([f"## {title}", "", f"`{command}`", "", *table, "", ""])


def _limit(line: dict[str, Any]) -> str:
    if line.get("at_least") is not None:
        return f"at least {line['at_least']:g}"
    return NONE if line["at_most"] is None else f"at most {line['at_most']:g}"


def _table(run: dict[str, Any]) -> str:
    """A table that `benchmarks.lines.keep` left."""
    rows = [
        f"| {line['name']} | {_figure(line['measured'])} {line['unit']} "
        f"| {_limit(line)} | {line['note']} |"
        for line in run["lines"]
    ]
    head = ["| | Pilothouse | limit | of it |", "| --- | --- | --- | --- |"]
    return "\n".join([f"## {run['title']}", "", f"`{run['command']}`", "", *head, *rows, "", ""])


def _faults(runs: list[dict[str, Any]]) -> str:
    names = list(runs[0])
    rows = ["| " + " | ".join(_cell(run[name]) for name in names) + " |" for run in runs]
    head = ["| " + " | ".join(name.replace("_", " ") for name in names) + " |"]
    line = ["|" + " --- |" * len(names)]
    words = (
        "Workers are killed by `kill -9` at every named crash point, again and again; then those "
        "who page, between an alert that is said once and the provider's answer."
    )
    return "\n".join(
        [
            "## Kills",
            "",
            words,
            "",
            "`python -m benchmarks.faults`",
            "",
            *head,
            *line,
            *rows,
            "",
            "",
        ]
    )


def _cell(value: object) -> str:
    return _figure(value) if isinstance(value, float) else str(value)


def main() -> None:
    """Write the page."""
    runs = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))]
    catalogs = [run for run in runs if "components" in run]
    catalogs.sort(key=lambda run: (run["components"], run["database"] != "sqlite"))
    faults = RESULTS / "faults.json"
    parts = [_catalog(run) for run in catalogs]
    parts += [_table(run) for run in runs if "title" in run]
    if faults.exists():
        parts.append(_faults(json.loads(faults.read_text())))
    PAGE.write_text(HEAD + "".join(parts).rstrip() + "\n")


if __name__ == "__main__":
    main()
