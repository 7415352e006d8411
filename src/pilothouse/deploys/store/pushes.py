"""Commits that messages told of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, select

from pilothouse.deploys.model import Change, Pushed
from pilothouse.deploys.store.deployments import parts
from pilothouse.deploys.store.tables import pushed
from pilothouse.kernel.db import upsert


def repository_key(host: str, repository: str) -> str:
    """How a repository is called in our tables: "github.com/octo-org/octo-repo"."""
    return f"{host}/{repository}"


def note(conn: Connection, found: Sequence[Pushed], now: datetime) -> None:
    """Remember commits; what a push says of one goes over what a workflow said."""
    rows = {
        (repository_key(one.host, one.repository), one.change.id): {
            "repository": repository_key(one.host, one.repository),
            **msgspec.structs.asdict(one.change),
            "paths": msgspec.json.encode(one.paths).decode(),
            "noted_at": now,
        }
        for one in found
    }
    if not rows:
        return
    statement = upsert(conn, pushed)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=[pushed.c.repository, pushed.c.id],
        set_={"paths": new.paths, "noted_at": new.noted_at},
        where=new.paths != "[]",
    )
    conn.execute(statement, list(rows.values()))


def known(
    conn: Connection, wanted: Collection[tuple[str, str]]
) -> dict[tuple[str, str], tuple[Change, tuple[str, ...]]]:
    """Of commits by repository and id: when and what, and the files they changed."""
    found: dict[tuple[str, str], tuple[Change, tuple[str, ...]]] = {}
    repositories = sorted({repository for repository, _ in wanted})
    for part in parts({commit for _, commit in wanted}):
        query = select(
            pushed.c.repository,
            pushed.c.id,
            pushed.c.author,
            pushed.c.at,
            pushed.c.subject,
            pushed.c.paths,
        ).where(pushed.c.repository.in_(repositories), pushed.c.id.in_(part))
        for row in conn.execute(query):
            change = Change(row.id, row.author, row.at, row.subject)
            found[row.repository, row.id] = (change, tuple(msgspec.json.decode(row.paths)))
    return found


def forget(conn: Connection, before: datetime) -> None:
    """Let go of commits that were told of before."""
    conn.execute(delete(pushed).where(pushed.c.noted_at < before))
