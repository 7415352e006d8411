"""A source that is a git repository: a copy of a remote one, or a bare one on this machine."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.formats.locations import matching
from pilothouse.catalog.outside import addresses, git, globs, history, mirror, paths
from pilothouse.catalog.outside.addresses import Address, Origin
from pilothouse.catalog.outside.blobs import Blobs
from pilothouse.catalog.outside.failures import SourceUnreachable
from pilothouse.kernel.errors import Invalid, NotFound

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.catalog.model import Commit

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_FILE = "100"  # how the modes of regular files begin
_LINK = "120000"
_MOST_LINKS = 8
_LINK_BYTES = 4096


class _Entry(msgspec.Struct, frozen=True):
    mode: str
    blob: str


class _Snapshot(msgspec.Struct, frozen=True):
    """The files of one commit, all that is read until the next refresh."""

    commit: str | None = None  # None: nothing was ever committed
    files: Mapping[str, _Entry] = MappingProxyType({})


@dataclass(slots=True)
class _Held:
    branch: str = "HEAD"
    snapshot: _Snapshot | None = None


@dataclass(frozen=True, slots=True)
class Repository:
    """Committed files, at the commit that the last refresh found."""

    address: Address
    path: Path  # of the git repository on this machine
    fetched: bool  # whether it is our copy of `address`
    blobs: Blobs
    _held: _Held = field(default_factory=_Held, repr=False, compare=False)

    @classmethod
    def at(cls, address: Address, workdir: Path) -> Repository:
        """A repository elsewhere, copied into `workdir` at the first refresh."""
        path = mirror.place(workdir, address.url)
        return cls(address, path, fetched=True, blobs=Blobs(path, address.shown))

    @classmethod
    def bare(cls, path: Path) -> Repository:
        """A bare repository on this machine, read where it is."""
        address = Address(str(path))
        return cls(address, path, fetched=False, blobs=Blobs(path, address.shown))

    @property
    def shown(self) -> str:
        return self.address.shown

    def refresh(self, timeout: float) -> None:
        """Fetch what is new. Raises SourceUnreachable; what was fetched before can still be read.

        `timeout` bounds all that goes over the network together.
        """
        if self.fetched:
            self._held.branch = mirror.update(self.path, self.address, timeout)
        else:
            self._check_there()
            named = git.asked(git.command(self.path, "symbolic-ref", "--short", "-q", "HEAD"))
            self._held.branch = named or "HEAD"
        old = self._held.snapshot
        if old is None or old.commit != self._commit():
            self._held.snapshot = None
            self.blobs.close()  # it may not see what was packed since

    def revision(self) -> str | None:
        return self._snapshot().commit

    def discover(self) -> dict[str, str]:
        """Catalog files with their stamps.

        Without a single catalog-info.yaml, the YAML files at the top that hold entities.
        """
        files = self._snapshot().files
        found = [path for path in files if paths.is_catalog_path(path)]
        if not found:
            tops = sorted(filter(paths.is_top_yaml, files))[: paths.MOST_HEADS]
            found = [path for path in tops if self._holds(path)]
        return self.stamps(paths.readable_names(found))

    def stamps(self, paths: Iterable[str]) -> dict[str, str]:
        """The blob of each path that is a file."""
        files = self._snapshot().files
        return {path: files[path].blob for path in paths if path in files}

    def glob(self, pattern: str) -> list[str]:
        """Paths of files that a glob means, in byte order."""
        start = globs.fixed_folder(pattern)
        lead = f"{paths.checked(start)}/" if start else ""
        files = (path for path in self._snapshot().files if path.startswith(lead))
        return paths.readable_names(matching(pattern, files))

    def read(self, path: str, limit: int) -> bytes:
        """A file's bytes, at most `limit`.

        Raises NotFound, or Invalid for a path or a symbolic link that leads out of the source, for
        a submodule, and for a file larger than `limit`.
        """
        return self.blobs.read(self._resolved(path).blob, path, limit)

    def commits(self, paths: Sequence[str], since: str | None) -> dict[str, Commit]:
        """The latest commit that touched each path, also where it is gone.

        `since` is a commit seen before: what it and its ancestors did is not asked again, so that
        a path untouched after it has no answer.
        """
        commit = self._snapshot().commit
        if commit is None:
            return {}
        lead = f"{self.address.folder}/" if self.address.folder else ""
        revisions = f"{since}..{commit}" if since and self._knows(since) else commit
        found = history.latest(self.path, revisions, [lead + path for path in paths])
        return {path.removeprefix(lead): commit for path, commit in found.items()}

    def written(self, paths: Sequence[str]) -> dict[str, history.Written]:
        """The latest commit of each path, as the files are those of a commit."""
        found = self.commits(paths, None)
        return {path: history.Written(commit.at, commit) for path, commit in found.items()}

    @property
    def has_history(self) -> bool:
        return True

    def log(self, since: str | None, until: str, limit: int) -> history.Log | None:
        """The commits that `until` has and `since` has not, of this source's folder."""
        if not (self.path / "HEAD").exists():
            return None

        def argv(*arguments: str) -> list[str]:
            return git.command(self.path, *arguments)

        return history.between(argv, since, until, limit, self.address.folder)

    def origin(self) -> Origin | None:
        """Where people see the files, when the repository is that of a host."""
        remote: str | None = self.address.url
        if not self.fetched:
            remote = git.asked(git.command(self.path, "config", "--get", "remote.origin.url"))
        if remote is None:
            return None
        return addresses.origin_of(remote, self._held.branch, self.address.folder)

    def local_path(self, url: str) -> str:
        """The path that a web address of the same repository means, else Invalid."""
        return addresses.local_path(url, self.origin())

    def close(self) -> None:
        """End the process that reads objects."""
        self.blobs.close()

    def _check_there(self) -> None:
        if not (self.path / "HEAD").exists():
            raise SourceUnreachable(
                f"{self.shown} is not there any more, or no git repository: bring it back, or "
                "start without it"
            )

    def _commit(self) -> str | None:
        ref = mirror.kept_ref(self.address) if self.fetched else "HEAD"
        verify = ("rev-parse", "-q", "--verify", f"{ref}^{{commit}}")
        return git.asked(git.command(self.path, *verify)) if self.path.is_dir() else None

    def _knows(self, commit: str) -> bool:
        known = git.command(self.path, "cat-file", "-e", f"{commit}^{{commit}}")
        return bool(_COMMIT.fullmatch(commit)) and git.attempt(known, self.shown).code == 0

    def _snapshot(self) -> _Snapshot:
        if self._held.snapshot is None:
            if not self.fetched:
                self._check_there()
            commit = self._commit()
            files = self._listed(commit) if commit else MappingProxyType({})
            self._held.snapshot = _Snapshot(commit, files)
        return self._held.snapshot

    def _listed(self, commit: str) -> Mapping[str, _Entry]:
        folder = self.address.folder
        tree = f"{commit}:{folder}" if folder else commit
        try:
            out = git.run(git.command(self.path, "ls-tree", "-r", "-z", tree), self.shown)
        except SourceUnreachable:
            if folder:
                raise SourceUnreachable(f"{self.shown}: there is no folder {folder}") from None
            raise
        files: dict[str, _Entry] = {}
        for line in out.decode("utf-8", "surrogateescape").split("\0"):
            head, _, path = line.partition("\t")
            mode, _, rest = head.partition(" ")
            if mode == _LINK or mode.startswith(_FILE):
                files[path] = _Entry(mode, rest.rpartition(" ")[2])
        return files

    def _holds(self, path: str) -> bool:
        try:
            entry = self._resolved(path)
            data = self.blobs.read(entry.blob, path, paths.MOST_BYTES)
        except (Invalid, NotFound):
            return False
        return paths.holds_entities(data[: paths.HEAD_BYTES])

    def _resolved(self, path: str) -> _Entry:
        """The regular file that a path means, through symbolic links that stay in the source."""
        files = self._snapshot().files
        at = paths.checked(path)
        for _ in range(_MOST_LINKS):
            entry = files.get(at)
            if entry is not None and entry.mode != _LINK:
                return entry
            link = at if entry else self._linked_folder(at)
            if link is None:
                raise NotFound(f"{path} is not in this source")
            at = self._followed(path, link, at[len(link) :])
        raise Invalid(f"{path} is a symbolic link to itself")

    def _linked_folder(self, path: str) -> str | None:
        """The first folder on the way to `path` that is a symbolic link."""
        files = self._snapshot().files
        steps = path.split("/")
        leads = ("/".join(steps[:count]) for count in range(1, len(steps)))
        return next((lead for lead in leads if lead in files and files[lead].mode == _LINK), None)

    def _followed(self, path: str, link: str, rest: str) -> str:
        blob = self._snapshot().files[link].blob
        target = self.blobs.read(blob, path, _LINK_BYTES).decode("utf-8", "surrogateescape")
        reached = posixpath.normpath(posixpath.join(posixpath.dirname(link), target) + rest)
        if target.startswith("/") or reached == ".." or reached.startswith("../"):
            raise Invalid(f"{path} is a symbolic link that leads out of the source")
        return paths.checked(reached)
