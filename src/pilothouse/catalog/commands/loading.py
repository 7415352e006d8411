"""Registering sources, and telling how their first looks go."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape

from pilothouse.catalog import jobs
from pilothouse.catalog.model import Source, Tally
from pilothouse.catalog.outside.specs import absolute
from pilothouse.catalog.service import passes, views
from pilothouse.kernel.program import Program
from pilothouse.kernel.words import counted

WITH_BAR = 1.0  # seconds of loading after which a progress bar appears
LOOK_EVERY = 0.05  # seconds

out = Console(highlight=False, soft_wrap=True)
errors = Console(highlight=False, soft_wrap=True, stderr=True)


def register_sources(program: Program, specs: Sequence[str]) -> passes.Registered:
    """Make these the sources of the catalog, and have them looked at and followed."""
    known = [absolute(spec) for spec in specs]
    with program.db.begin() as tx:
        found = passes.register(tx, known)
    jobs.follow(program, known)
    for spec, removed in found.forgotten.items():
        errors.print(
            f"  {spec} is no longer named: {counted(removed, 'entity', 'entities')} left the "
            "catalog, with their history kept"
        )
    return found


def load_sources(program: Program, specs: Sequence[str]) -> None:
    """Register sources, and say how their first looks go while workers take them."""
    before = register_sources(program, specs).sources
    for source in _await_looks(program, before):
        with program.db.read() as tx:
            standing = views.standing(tx)
        say_loaded(program, source, standing)


def _await_looks(program: Program, before: Sequence[Source]) -> Iterator[Source]:
    """Each source once it has been looked at again, with a progress bar when that takes long."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    waiting = {source.id: source.looks for source in before}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    began = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks = {source.id: bar.add_task("", visible=False) for source in before}
        while waiting:
            with program.db.read() as tx:
                now = {source.id: source for source in passes.all_sources(tx)}
            for number in list(waiting):
                source = now.get(number)
                if source is None or source.looks > waiting[number]:
                    waiting.pop(number)
                    bar.remove_task(tasks[number])
                    if source is not None:
                        yield source
                    continue
                slow = time.monotonic() - began > WITH_BAR
                words, total = f"Reading {source.spec}", source.total or None
                bar.update(
                    tasks[number],
                    description=words,
                    completed=source.done,
                    total=total,
                    visible=slow,
                )
            if waiting:
                time.sleep(LOOK_EVERY)


def say_loaded(program: Program, source: Source, standing: views.Standing) -> None:
    """One line about a source that was looked at."""
    if source.error:
        out.print(f"  {source.spec}: [red]{escape(source.error)}[/red]")
        return
    changed = f"{source.added:,} added, {source.changed:,} changed, {source.removed:,} removed"
    problems = standing.errors + standing.warnings
    where = f"; {problems:,} problems: {program.settings.home}/catalog/problems" if problems else ""
    out.print(f"  {source.spec}: {standing.entities:,} entities in the catalog ({changed}){where}")


def sync_all(program: Program, specs: Sequence[str]) -> tuple[Tally, bool]:
    """Have these sources looked at once, by a worker of our own or one that is there already."""
    judging = jobs.judging(program)
    worker = program.worker([jobs.SYNC, *judging])
    thread = threading.Thread(target=worker.run, name="sync", daemon=True)
    found = register_sources(program, specs)
    thread.start()
    tally, failed = Tally(removed=sum(found.forgotten.values())), False
    for source in _await_looks(program, found.sources):
        tally.add(source.tally)
        failed = failed or source.error is not None
    while jobs.still_judged(program, judging):
        time.sleep(LOOK_EVERY)
    worker.stop()
    thread.join()
    return tally, failed
