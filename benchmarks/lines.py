"""Lines of a table of figures, and the databases that they are measured on."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import NEEDS_POSTGRES, postgres_binaries, running_postgres

HEAD = f"{'':45} {'measured':>7}     {'at most':>6} {'peer':>10}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    name: str
    measured: float
    unit: str
    at_most: float | None = None
    backstage: str = ""
    note: str = ""
    at_least: float | None = None

    @property
    def held(self) -> bool:
        """Whether it keeps its limits, where it has any."""
        return (self.at_most is None or self.measured <= self.at_most) and (
            self.at_least is None or self.measured >= self.at_least
        )


def row(line: Line) -> str:
    limit = "" if line.at_most is None else f"{line.at_most:g}"
    if line.at_least is not None:
        limit = f">={line.at_least:g}"
    late = "  " if line.held else " !"
    measured = f"{line.measured:.3g}" if line.measured < 100 else f"{line.measured:.0f}"
    return (
        f"{line.name:45} {measured:>7} {line.unit:2}{late} {limit:>6} "
        f"{line.backstage:>10}  {line.note}"
    )


def keep(path: Path | None, title: str, command: str, lines: Sequence[Line]) -> None:
    """Leave a table where `benchmarks.report` finds it."""
    if path is None:
        return
    table = {
        "title": title,
        "command": command,
        "lines": [dataclasses.asdict(line) for line in lines],
    }
    path.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n")


@contextmanager
def databases(kind: str) -> Iterator[Callable[[], str | None]]:
    """What makes a new, empty database and returns its URL; None: the SQLite file in the data."""
    if kind == "sqlite":
        yield lambda: None
        return
    binaries = postgres_binaries()
    if binaries is None:
        raise SystemExit(NEEDS_POSTGRES)
    with running_postgres(binaries) as server, ExitStack() as made:
        yield lambda: server.url(made.enter_context(server.database()))
