"""Who last touched which path, from git's log."""

from __future__ import annotations

import secrets
import threading
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

from pilothouse.catalog.model import Commit
from pilothouse.catalog.outside import git, processes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

SECONDS = 20.0  # then what was found until there is the answer
_MOST_PATHSPECS = 100  # more of them cost git more than reading everything
_CHUNK = 1 << 16
_MOST_SUBJECT = 200
_FIELDS = 4


def latest(repository: Path, revisions: str, paths: Collection[str]) -> dict[str, Commit]:
    """The latest commit of `revisions` (`old..new`, or one commit) that touched each path.

    One pass through the log, newest first, that ends when every path is found; in a history too
    long for `SECONDS` the paths untouched for longest have no answer.
    """
    wanted = set(paths)
    if not wanted:
        return {}
    mark = secrets.token_hex(16)  # a file name cannot pretend to be a commit
    argv = _command(repository, revisions, mark, sorted(wanted))
    process = processes.start(argv, git.environ())
    timer = threading.Timer(SECONDS, processes.kill, (process,))
    timer.daemon = True
    timer.start()
    try:
        return _found(_tokens(process.stdout), f"{mark}:", wanted) if process.stdout else {}
    finally:
        timer.cancel()
        processes.end(process)


def _command(repository: Path, revisions: str, mark: str, paths: Sequence[str]) -> list[str]:
    form = f"--format={mark}:%H%x1f%ct%x1f%aN%x1f%s"
    limit = paths if len(paths) <= _MOST_PATHSPECS else ()
    log = ("log", "-z", "--name-only", "--no-renames", "--no-color", form)
    return git.command(repository, *log, "--end-of-options", revisions, "--", *limit)


def _tokens(stream: IO[bytes]) -> Iterator[str]:
    rest = b""
    while True:
        chunk = stream.read(_CHUNK)
        *whole, rest = (rest + chunk).split(b"\0")
        for token in whole:
            yield token.decode("utf-8", "surrogateescape").lstrip("\n")
        if not chunk:
            yield rest.decode("utf-8", "surrogateescape").lstrip("\n")
            return


def _found(tokens: Iterator[str], mark: str, wanted: set[str]) -> dict[str, Commit]:
    found: dict[str, Commit] = {}
    commit: Commit | None = None
    for token in tokens:
        if token.startswith(mark):
            commit = _commit(token.removeprefix(mark))
        elif commit is not None and token in wanted and token not in found:
            found[token] = commit
            if len(found) == len(wanted):
                break
    return found


def _commit(text: str) -> Commit | None:
    fields = text.split("\x1f", _FIELDS - 1)
    if len(fields) < _FIELDS or not fields[1].isdigit():
        return None
    clean = [part.encode("utf-8", "replace").decode() for part in fields]
    try:
        at = datetime.fromtimestamp(int(clean[1]), UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return Commit(clean[0], clean[2][:_MOST_SUBJECT], at, clean[3][:_MOST_SUBJECT])
