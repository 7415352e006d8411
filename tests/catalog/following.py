"""A catalog that follows folders and repositories, for tests of what it makes of them."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select

from pilothouse import app
from pilothouse.catalog import jobs
from pilothouse.catalog.service import browsing, passes, views
from pilothouse.catalog.store import queries
from pilothouse.catalog.store.queries import Wanted
from pilothouse.kernel import events
from pilothouse.kernel.program import Program, open_program
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.settings import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from pilothouse.catalog.model import Present, Problem, Version

EVERYTHING = 100_000


def component(name: str, owner: str = "team-a", **spec: object) -> str:
    """A document; further fields of its spec by name."""
    values = {"type": "service", "lifecycle": "production", "owner": owner, **spec}
    lines = "".join(
        f"  {key}: {msgspec.json.encode(value).decode()}\n" for key, value in values.items()
    )
    return (
        "apiVersion: backstage.io/v1alpha1\nkind: Component\n"
        f"metadata:\n  name: {name}\nspec:\n{lines}"
    )


def group(name: str) -> str:
    return (
        f"apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata:\n  name: {name}\n"
        "spec:\n  type: team\n  children: []\n"
    )


def location(*targets: str, name: str = "more", **spec: object) -> str:
    values = {"targets": list(targets), **spec}
    lines = "".join(
        f"  {key}: {msgspec.json.encode(value).decode()}\n" for key, value in values.items()
    )
    return (
        "apiVersion: backstage.io/v1alpha1\nkind: Location\n"
        f"metadata:\n  name: {name}\nspec:\n{lines}"
    )


def several(*documents: str) -> str:
    return "---\n".join(documents)


def write(folder: Path, name: str, text: str | bytes) -> Path:
    """Write a file so that its stamp differs even within one tick of the clock."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(text if isinstance(text, bytes) else text.encode())
    beside.replace(path)
    return path


@dataclass
class Following:
    """One catalog and what a test asks of it."""

    program: Program

    def sources(self, *specs: object) -> None:
        """What the program was started with."""
        with self.program.db.begin() as tx:
            passes.register(tx, [str(spec) for spec in specs])

    def look(self, spec: object) -> jobs.Look:
        return jobs.look(self.program, str(spec))

    def follow(self, *specs: object) -> list[tuple[int, int, int, int]]:
        """Register these and look at each once: added, changed, removed, unchanged."""
        self.sources(*specs)
        return [self.counts(spec) for spec in specs]

    def counts(self, spec: object) -> tuple[int, int, int, int]:
        tally = self.look(spec).tally
        return tally.added, tally.changed, tally.removed, tally.unchanged

    def refs(self) -> set[str]:
        with self.program.db.read() as tx:
            return {row.ref for row in queries.matching(tx.conn, Wanted(limit=EVERYTHING))}

    def names(self) -> set[str]:
        return {ref.rpartition("/")[2] for ref in self.refs()}

    def entity(self, ref: str) -> Present:
        with self.program.db.read() as tx:
            return browsing.entity(tx, EntityRef.parse(ref))

    def spec(self, ref: str, field: str) -> object:
        return msgspec.json.decode(self.entity(ref).body)["spec"].get(field)

    def moved_to(self, ref: str) -> str | None:
        with self.program.db.read() as tx:
            return views.moved_to(tx, EntityRef.parse(ref))

    def versions(self, ref: str) -> list[Version]:
        """Newest first, of an entity that is there or was."""
        with self.program.db.read() as tx:
            if ref in {row.ref for row in queries.matching(tx.conn, Wanted(limit=EVERYTHING))}:
                return views.versions(tx, EntityRef.parse(ref))
            return views.gone(tx, EntityRef.parse(ref))

    def history(self, ref: str) -> list[str]:
        return [version.change.value for version in self.versions(ref)]

    def problems(self, code: str | None = None) -> list[Problem]:
        with self.program.db.read() as tx:
            page = views.problem_page(tx, severity=None, code=code, offset=0, limit=EVERYTHING)
        return [item.problem for item in page.items]

    def since(self) -> dict[str, datetime]:
        """Since when there is a problem of each code."""
        with self.program.db.read() as tx:
            page = views.problem_page(tx, severity=None, code=None, offset=0, limit=EVERYTHING)
        return {item.problem.code: item.since for item in page.items}

    def codes(self) -> list[str]:
        return sorted(problem.code for problem in self.problems())

    def told(self) -> list[tuple[dict[str, int], set[str]]]:
        """Every catalog.changed event: its data and its entities, oldest first."""
        with self.program.db.read() as tx:
            ids = tx.conn.execute(
                select(events.events.c.id)
                .where(events.events.c.type == "catalog.changed")
                .order_by(events.events.c.at, events.events.c.id)
            ).scalars()
            found = [events.find(tx.conn, event_id) for event_id in ids]
        return [(event.data, set(event.entities)) for event in found if event]


@contextmanager
def following(database_url: str, data: Path, **settings: object) -> Iterator[Following]:
    values = {"data": str(data), "database_url": database_url, **settings}
    program = open_program(load(values, environ={}, directory=data), app.modules())
    try:
        yield Following(program)
    finally:
        program.db.engine.dispose()


class Repository:
    """A bare repository, and a work tree beside it that commits into it."""

    def __init__(self, folder: Path) -> None:
        self.bare = folder / "upstream.git"
        self.tree = folder / "work"
        git("init", "-q", "--bare", "-b", "main", str(self.bare))
        git("clone", "-q", str(self.bare), str(self.tree))
        git("checkout", "-q", "-B", "main", folder=self.tree)

    @property
    def url(self) -> str:
        return f"file://{self.bare}"

    def commit(self, author: str, subject: str, **files: str | None) -> str:
        """Write files (`a__catalog_info` is a/catalog-info.yaml; None deletes), commit, push."""
        for name, text in files.items():
            path = name.replace("__", "/").replace("_", "-") + ".yaml"
            if text is None:
                (self.tree / path).unlink()
            else:
                write(self.tree, path, text)
        git("add", "-A", folder=self.tree)
        who = {"GIT_AUTHOR_NAME": author, "GIT_AUTHOR_EMAIL": f"{author}@example.com"}
        git("commit", "-q", "-m", subject, folder=self.tree, **who)
        git("push", "-q", "origin", "HEAD", folder=self.tree)
        return git("rev-parse", "HEAD", folder=self.tree)


def git(*arguments: str, folder: Path | None = None, **environ: str) -> str:
    identity = {
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_COMMITTER_NAME": "Committer",
        "GIT_COMMITTER_EMAIL": "committer@example.com",
        "GIT_AUTHOR_NAME": "Author",
        "GIT_AUTHOR_EMAIL": "author@example.com",
    }
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        capture_output=True,
        check=True,
        env={**os.environ, **identity, **environ},
    )
    return done.stdout.decode().strip()
