"""All figures of checks, pages, vitals and objectives in turn, on a machine that is quiet.

    python -m benchmarks.quiet [--tiny] [--only NAME]... [--results FOLDER]

Each has an hour at most. Prints whether each limit is kept; ends with 1 where one is not.
`--tiny` only shows that each runs to its end.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from benchmarks.lines import Line
from benchmarks.report import RESULTS

MOST = 3600.0  # seconds of each
POSTGRES = ("--database", "postgresql")
RUNS: dict[str, tuple[str, ...]] = {
    "agents": ("checks",),
    "finding-sqlite": ("finding",),
    "checks-pages-sqlite": ("checks_pages",),
    "checks-kept": ("checks_kept",),
    "objectives-sqlite": ("objectives",),
    "sketches": ("sketches",),
    "pages-sqlite": ("pages", "--storm", "100000"),
    "vitals": ("vitals",),
    "checks-server-sqlite": ("checks_server",),
    "checks-server-postgresql": ("checks_server", *POSTGRES),
}
TINY = {
    "checks": ("--probes", "200", "--seconds", "2"),
    "finding": ("--rounds", "1"),
    "checks_pages": ("--raw-days", "1"),
    "checks_kept": ("--checks", "1"),
    "objectives": ("--objectives", "50"),
    "sketches": ("--days", "3"),
    "pages": ("--seconds", "2", "--storm", "200", "--storm-seconds", "1"),
    "vitals": ("--seconds", "2"),
}


def run(name: str, folder: Path, *, tiny: bool) -> bool:
    """One of them; whether it ran to its end and every limit is kept."""
    module, *more = RUNS[name]
    command = [sys.executable, "-m", f"benchmarks.{module}", *more]
    command += [*(TINY.get(module, ()) if tiny else ()), "--json", str(folder / f"{name}.json")]
    result = folder / f"{name}.json"
    result.unlink(missing_ok=True)
    process = subprocess.Popen(command, start_new_session=True)
    try:
        process.wait(MOST)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    if not result.exists():
        print(f"FAIL {name}: it did not run to its end", flush=True)
        return False
    lines = [Line(**one) for one in json.loads(result.read_text())["lines"]]
    for line in lines:
        if line.at_most is not None or line.at_least is not None:
            limit = f"<= {line.at_most:g}" if line.at_most is not None else f">= {line.at_least:g}"
            word = "pass" if line.held else "FAIL"
            print(f"{word} {name}: {line.name}: {line.measured:.4g} {line.unit} ({limit})")
    sys.stdout.flush()
    return all(line.held for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="small sizes: does each run?")
    parser.add_argument("--only", action="append", choices=list(RUNS))
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    chosen.results.mkdir(parents=True, exist_ok=True)
    if chosen.tiny and chosen.results == RESULTS:
        parser.error("--tiny gives no figures to keep: name another folder by --results")
    held = [run(name, chosen.results, tiny=chosen.tiny) for name in chosen.only or RUNS]
    raise SystemExit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
