"""Which commits a deployment brought, from the git source of its entity."""

from __future__ import annotations

from pathlib import Path

import msgspec

from pilothouse.catalog.outside.sources import SourceUnreachable, open_source
from pilothouse.deploys.model import Change

MOST = 100  # commits of a deployment that are kept; the rest is counted


class Brought(msgspec.Struct, frozen=True):
    """The commits of a deployment, newest first."""

    commits: tuple[Change, ...]
    total: int
    backwards: bool  # it brought back something older: these commits were taken away


class History:
    """A source's history, opened once for many questions. Has nothing where there is no git."""

    def __init__(self, spec: str, workdir: Path, timeout: float) -> None:
        self.timeout = timeout
        self._fetched = False
        try:
            self.source = open_source(spec, workdir)
        except SourceUnreachable:
            self.source = None

    @property
    def is_there(self) -> bool:
        """Whether there is any history to ask."""
        return self.source is not None and self.source.has_history

    def brought(self, before: str | None, commit: str) -> Brought | None:
        """What `commit` has that `before` has not; None where the history does not know them."""
        if self.source is None:
            return None
        found = self.source.log(before, commit, MOST)
        if found is None and not self._fetched:
            self._fetched = True
            self._refresh()
            found = self.source.log(before, commit, MOST)
        if found is None and before is not None:
            found = self.source.log(None, commit, MOST)
        if found is None:
            return None
        changes = tuple(Change(one.id, one.author, one.at, one.subject) for one in found.commits)
        return Brought(changes, found.total, found.backwards)

    def _refresh(self) -> None:
        """The commit may be newer than what was fetched."""
        if self.source is None:
            return
        try:
            self.source.refresh(self.timeout)
        except SourceUnreachable:
            return

    def close(self) -> None:
        if self.source is not None:
            self.source.close()
