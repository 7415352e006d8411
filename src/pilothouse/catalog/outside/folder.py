"""A source that is a folder of this machine, or one file in it."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pilothouse.catalog.formats.locations import matching
from pilothouse.catalog.outside import addresses, git, globs, history, paths
from pilothouse.catalog.outside.failures import SourceUnreachable
from pilothouse.kernel.errors import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pilothouse.catalog.model import Commit
    from pilothouse.catalog.outside.addresses import Origin

_GONE = frozenset((errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ELOOP))
_MOST_ASKED = 1000  # paths on one command line
_OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(slots=True)
class _Held:
    origin: list[Origin | None] = field(default_factory=list)  # empty: not asked yet


@dataclass(frozen=True, slots=True)
class Folder:
    """Files as they are now; `only` names the single file of it that is a catalog file."""

    root: Path  # resolved
    only: str | None = None
    _held: _Held = field(default_factory=_Held, repr=False, compare=False)

    @property
    def shown(self) -> str:
        return str(self.root / self.only if self.only else self.root)

    def refresh(self, timeout: float) -> None:  # noqa: ARG002 - nothing to fetch
        """Raises SourceUnreachable when the folder is not there."""
        there = (self.root / self.only).is_file() if self.only else self.root.is_dir()
        if not there:
            raise SourceUnreachable(
                f"{self.shown} is not there any more: bring it back, or start without it"
            )

    def revision(self) -> str | None:
        return None

    def commits(self, paths: Sequence[str], since: str | None) -> dict[str, Commit]:  # noqa: ARG002
        """Nothing: what is in a folder may not be committed yet."""
        return {}

    def written(self, paths: Sequence[str]) -> dict[str, history.Written]:
        """The commit of each path where the file is as committed, else when it was saved."""
        found: dict[str, history.Written] = {}
        for path in paths:
            with contextlib.suppress(OSError, ValueError):
                at = datetime.fromtimestamp((self.root / path).stat().st_mtime, UTC)
                found[path] = history.Written(at)
        if found and self._in_work_tree():
            changed = self._changed()
            commits = history.latest_in(self.root, [path for path in found if path not in changed])
            found |= {path: history.Written(one.at, one) for path, one in commits.items()}
        return found

    def _changed(self) -> set[str]:
        """Files that are not as they are committed."""
        argv = git.command_in(
            self.root, "diff", "--name-only", "--relative", "--no-ext-diff", "-z", "HEAD", "--", "."
        )
        try:
            ended = git.attempt(argv, self.shown)
        except SourceUnreachable:
            return set()
        return set(os.fsdecode(ended.out).split("\0")) - {""}

    @property
    def has_history(self) -> bool:
        return self._in_work_tree()

    def log(self, since: str | None, until: str, limit: int) -> history.Log | None:
        """The commits that `until` has and `since` has not; None outside a git work tree."""
        if not self._in_work_tree():
            return None

        def argv(*arguments: str) -> list[str]:
            return git.command_in(self.root, *arguments)

        return history.between(argv, since, until, limit)

    def close(self) -> None:
        """Nothing is held open."""

    def discover(self) -> dict[str, str]:
        """Catalog files with their stamps.

        Without a single catalog-info.yaml, the YAML files of the folder itself that hold entities.
        Raises SourceUnreachable when the folder cannot be listed.
        """
        self.refresh(0)
        if self.only:
            return self.stamps([self.only])
        found = [path for path in self._files("", None) if paths.is_catalog_path(path)]
        if not found:
            names = (path for path in self._files("", 0) if paths.is_top_yaml(path))
            found = [name for name in sorted(names)[: paths.MOST_HEADS] if self._holds(name)]
        return self.stamps(self._not_ignored(paths.readable_names(found)))

    def stamps(self, paths: Iterable[str]) -> dict[str, str]:
        """What changes whenever a file does; a path without a file is left out."""
        found = {}
        for path in paths:
            stamp = self._stamp(path)
            if stamp:
                found[path] = stamp
        return found

    def glob(self, pattern: str) -> list[str]:
        """Paths of files that a glob means, in byte order."""
        start = globs.fixed_folder(pattern)
        if start:
            start = paths.checked(start)
        files = self._files(start, globs.depth(pattern))
        return paths.readable_names(matching(pattern, files))

    def read(self, path: str, limit: int) -> bytes:
        """A file's bytes, at most `limit`.

        Raises NotFound, or Invalid for a path or a symbolic link that leads out of the folder, for
        what is no regular file, and for one larger than `limit`.
        """
        size, data = self._opened(path, limit)
        if size > limit or len(data) > limit:
            raise Invalid(f"{path} is larger than {paths.size_of(limit)}, which is the limit")
        return data

    def origin(self) -> Origin | None:
        """Where people see the files, when the folder is in a clone of a hosted repository."""
        if not self._held.origin:
            self._held.origin.append(self._asked_origin())
        return self._held.origin[0]

    def local_path(self, url: str) -> str:
        """The path that a web address of the folder's own repository means, else Invalid."""
        return addresses.local_path(url, self.origin())

    def _asked_origin(self) -> Origin | None:
        if not self._in_work_tree():
            return None
        remote = git.asked(git.command_in(self.root, "config", "--get", "remote.origin.url"))
        branch = git.asked(git.command_in(self.root, "symbolic-ref", "--short", "-q", "HEAD"))
        inside = git.asked(git.command_in(self.root, "rev-parse", "--show-prefix"))
        folder = (inside or "").rstrip("/")
        return addresses.origin_of(remote, branch or "HEAD", folder) if remote else None

    def _in_work_tree(self) -> bool:
        return any((folder / ".git").exists() for folder in (self.root, *self.root.parents))

    def _stamp(self, path: str) -> str | None:
        whole = os.path.join(self.root, path)  # noqa: PTH118 - ten times as fast, for thousands
        try:
            status = os.stat(whole)  # noqa: PTH116
        except (OSError, ValueError):
            try:
                status = os.lstat(whole)
            except (OSError, ValueError):
                return None
        if stat.S_ISDIR(status.st_mode):
            return None
        return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"

    def _resolved(self, path: str) -> Path:
        whole = self.root / paths.checked(path)
        try:
            resolved = whole.resolve(strict=True)
        except RuntimeError:
            raise Invalid(f"{path} is a symbolic link to itself") from None
        except OSError as error:
            raise _refused(path, error) from None
        if not resolved.is_relative_to(self.root):
            raise Invalid(f"{path} is a symbolic link that leads out of the source")
        paths.checked(resolved.relative_to(self.root).as_posix())
        return resolved

    def _opened(self, path: str, limit: int) -> tuple[int, bytes]:
        """A regular file's size, and its bytes up to one more than `limit`."""
        resolved = self._resolved(path)
        try:
            descriptor = os.open(resolved, _OPEN)
        except OSError as error:
            raise _refused(path, error) from None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise Invalid(f"{path} is {_sort(status.st_mode)}, not a file")
            with open(descriptor, "rb", closefd=False) as file:
                return status.st_size, file.read(limit + 1)
        except OSError as error:
            raise _refused(path, error) from None
        finally:
            os.close(descriptor)

    def _holds(self, name: str) -> bool:
        try:
            return paths.holds_entities(self._opened(name, paths.HEAD_BYTES)[1])
        except (Invalid, NotFound):
            return False

    def _files(self, start: str, most_depth: int | None) -> Iterator[str]:
        """Paths of all files under a folder; links to folders are not followed."""
        waiting = [start]
        base = start.count("/") + 1 if start else 0
        while waiting:
            folder = waiting.pop()
            lead = f"{folder}/" if folder else ""
            for entry in self._entries(folder):
                if not entry.is_dir(follow_symlinks=False):
                    yield lead + entry.name
                elif not paths.is_skipped(entry.name):
                    deeper = lead + entry.name
                    if most_depth is None or deeper.count("/") + 1 <= max(most_depth, base):
                        waiting.append(deeper)

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(os.path.join(self.root, folder)) as entries:  # noqa: PTH118
                return list(entries)
        except OSError as error:
            if folder and error.errno in _GONE:
                return []  # gone meanwhile, or never ours to read
            raise SourceUnreachable(
                f"{self.root / folder} cannot be listed: {error.strerror}"
            ) from None

    def _not_ignored(self, found: list[str]) -> list[str]:
        """Without what .gitignore leaves out: copies in build folders would claim names twice."""
        if not found or not self._in_work_tree():
            return found
        matched = self._told(found, "check-ignore", "--no-index", "--stdin", "-z")
        if matched:
            matched -= self._told(sorted(matched)[:_MOST_ASKED], "ls-files", "-z", "--")
        return [path for path in found if path not in matched]

    def _told(self, found: Sequence[str], *command: str) -> set[str]:
        """Those of some paths that git prints."""
        argv = git.command_in(self.root, *command)
        given = b""
        if "--stdin" in command:
            argv.remove("--literal-pathspecs")  # which it does not take
            given = b"\0".join(os.fsencode(path) for path in found)
        else:
            argv += found
        try:
            ended = git.attempt(argv, self.shown, given=given)
        except SourceUnreachable:
            return set()
        return set(os.fsdecode(ended.out).split("\0")) - {""}


def _refused(path: str, error: OSError) -> Invalid | NotFound:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return NotFound(f"{path} is not in this source")
    return Invalid(f"{path} cannot be read: {error.strerror}")


def _sort(mode: int) -> str:
    sorts: Mapping[int, str] = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFBLK: "a device",
        stat.S_IFCHR: "a device",
    }
    return sorts.get(stat.S_IFMT(mode), "something special")
