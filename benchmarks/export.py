"""How long the copy as plain files takes: the first time, when ten entities changed, when none did.

    python -m benchmarks.export [--components 10000] [--json FILE]

The real program as a process of its own; its processor time is that of all its processes.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.company import write_company
from benchmarks.lines import HEAD, Line, keep, row
from tests.programs import clean_environment

CHANGED, COMPONENTS = 10, 10_000


def run(*arguments: str) -> tuple[float, float, str]:
    """Wall and processor seconds of one command, and the first line that it printed."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pilothouse.cli", *arguments],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return took, cpu, next((line for line in done.stdout.splitlines() if line), "")


def change(source: Path, many: int) -> None:
    """Give some Components another description, in files spread over all of them."""
    files = sorted(source.rglob("catalog-info.yaml"))
    files = [path for path in files if "kind: Component" in path.read_text()]
    for path in files[:: len(files) // many][:many]:
        path.write_text(path.read_text().replace("description: Takes", "description: Has", 1))


def measure(folder: Path, components: int) -> list[Line]:
    """Make a company, copy it, change it, copy it again."""
    source, data, copy = folder / "company", str(folder / "data"), str(folder / "copy")
    write_company(source, components)
    run("sync", str(source), "--data", data)
    lines: list[Line] = []

    def note(name: str, at_most: float | None) -> None:
        took, cpu, said = run("export", copy, "--data", data)
        words = said.partition(": ")[2].rpartition(",")[0]
        lines.append(Line(name, took, "s", at_most, note=f"{cpu:.0f} CPU s, {words}"))
        print(row(lines[-1]), flush=True)

    scale = max(1, components / 10_000)
    note("the first time", 90 * scale)
    change(source, CHANGED)
    run("sync", str(source), "--data", data)
    note(f"when {CHANGED} entities changed", 5 * scale)
    note("when nothing did", None)
    return lines


def main() -> None:
    """Print the table; with --json, keep it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--components", type=int, default=COMPONENTS)
    parser.add_argument("--json", type=Path, help="file for the figures")
    chosen = parser.parse_args()
    print(HEAD)
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as folder:
        load = os.getloadavg()[0]
        lines = measure(Path(folder), chosen.components)
    command = "python -m benchmarks.export"
    if chosen.components != COMPONENTS:
        command += f" --components {chosen.components}"
    title = f"The copy of {chosen.components:,} Components, begun at a load of {load:.1f}"
    keep(chosen.json, title, command, lines)


if __name__ == "__main__":
    main()
