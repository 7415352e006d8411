"""Who last touched which path, from git's log."""

from __future__ import annotations

import re
import secrets
import threading
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

import msgspec

from pilothouse.catalog.model import Commit
from pilothouse.catalog.outside import git, processes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

SECONDS = 20.0  # then what was found until there is the answer
_MOST_PATHSPECS = 100  # more of them cost git more than reading everything
_CHUNK = 1 << 16
_MOST_SUBJECT = 200
_FIELDS = 4
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class Written(msgspec.Struct, frozen=True):
    """When a file became what it is; without a commit it is not committed as it is now."""

    at: datetime
    commit: Commit | None = None


class Log(msgspec.Struct, frozen=True):
    """Commits between two, newest first; `total` counts also those past the limit."""

    commits: tuple[Commit, ...]
    total: int
    backwards: bool = False  # the later one is an ancestor of the earlier one


def between(
    argv: Callable[..., list[str]], since: str | None, until: str, limit: int, folder: str = ""
) -> Log | None:
    """What `until` has and `since` has not; `argv` makes a git command of its arguments.

    None where a commit is not known here. With a `folder` only the commits that touched it count.
    """
    if not _knows(argv, until) or (since is not None and not _knows(argv, since)):
        return None
    only = ("--", folder) if folder else ()
    form = "--format=%H%x1f%ct%x1f%aN%x1f%s%x1e"
    if since is None:
        out = git.attempt(argv("log", "-1", form, "--end-of-options", until), "git").out
        return Log(_listed(out), 1)
    if since == until:
        return Log((), 0)
    back = git.attempt(argv("merge-base", "--is-ancestor", until, since), "git").code == 0
    span = f"{until}..{since}" if back else f"{since}..{until}"
    listing = git.attempt(
        argv("log", f"-{limit}", "--no-color", form, "--end-of-options", span, *only), "git"
    )
    counting = git.attempt(argv("rev-list", "--count", "--end-of-options", span, *only), "git")
    commits = _listed(listing.out) if listing.code == 0 else ()
    counted = counting.out.decode("ascii", "replace").strip()
    total = int(counted) if counting.code == 0 and counted.isdecimal() else len(commits)
    return Log(commits, total, backwards=back)


def _knows(argv: Callable[..., list[str]], commit: str) -> bool:
    if not _COMMIT.fullmatch(commit):
        return False
    return git.attempt(argv("cat-file", "-e", f"{commit}^{{commit}}"), "git").code == 0


def _listed(out: bytes) -> tuple[Commit, ...]:
    lines = out.decode("utf-8", "replace").split("\x1e")
    return tuple(found for line in lines if (found := _commit(line.strip("\n"))) is not None)


def latest(repository: Path, revisions: str, paths: Collection[str]) -> dict[str, Commit]:
    """The latest commit of `revisions` (`old..new`, or one commit) that touched each path.

    One pass through the log, newest first, that ends when every path is found; in a history too
    long for `SECONDS` the paths untouched for longest have no answer.
    """
    wanted = set(paths)
    if not wanted:
        return {}
    mark = secrets.token_hex(16)  # a file name cannot pretend to be a commit
    argv = _command(git.command(repository), revisions, mark, sorted(wanted))
    return _asked(argv, mark, wanted)


def latest_in(folder: Path, paths: Collection[str]) -> dict[str, Commit]:
    """As `latest`, of paths in a folder of a work tree, up to the commit checked out."""
    wanted = set(paths)
    if not wanted:
        return {}
    mark = secrets.token_hex(16)
    argv = _command(git.command_in(folder), "HEAD", mark, sorted(wanted), "--relative")
    return _asked(argv, mark, wanted)


def _asked(argv: list[str], mark: str, wanted: set[str]) -> dict[str, Commit]:
    process = processes.start(argv, git.environ())
    timer = threading.Timer(SECONDS, processes.kill, (process,))
    timer.daemon = True
    timer.start()
    try:
        return _found(_tokens(process.stdout), f"{mark}:", wanted) if process.stdout else {}
    finally:
        timer.cancel()
        processes.end(process)


def _command(
    begin: list[str], revisions: str, mark: str, paths: Sequence[str], *options: str
) -> list[str]:
    form = f"--format={mark}:%H%x1f%ct%x1f%aN%x1f%s"
    limit = paths if len(paths) <= _MOST_PATHSPECS else ()
    log = ("log", "-z", "--name-only", "--no-renames", "--no-color", *options, form)
    return [*begin, *log, "--end-of-options", revisions, "--", *limit]


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
