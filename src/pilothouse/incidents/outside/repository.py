"""A git repository that post-mortems are kept in as files: read, written, pushed.

What is fetched is in a bare repository in the data folder; nothing is checked out.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.outside import addresses, git, processes
from pilothouse.kernel.errors import Conflict, PilothouseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDER = "postmortems.git"  # in the data folder
MOST_FILES = 5000
LARGEST = 1_000_000  # bytes of one file
NAME, MAIL = "Pilothouse", "pilothouse@localhost"
MAIN = "main"  # branch of a repository that has none yet


class Pushed(Conflict):
    """Somebody pushed meanwhile."""


class NotWritten(PilothouseError):
    """The repository could not be written to."""

    status = 502
    title = "A repository did not take what was written"


class Read(msgspec.Struct, frozen=True):
    """The files of the folder, and the commit that they are of; "" for a repository without any."""

    commit: str
    files: dict[str, str]  # by name


class Repository:
    """`https://host/owner/name[//folder][#branch]`, or the path of a bare repository."""

    def __init__(self, spec: str, data: Path, timeout: float) -> None:
        if not addresses.is_address(spec):
            path, _, branch = spec.partition("#")
            bare, mark, folder = path.partition(".git//")
            real = Path(bare + ".git" if mark else path).expanduser().resolve()
            spec = f"{real.as_uri()}{'//' + folder if mark else ''}{'#' + branch if branch else ''}"
        self.address = addresses.parse_address(spec)
        self.timeout = timeout
        self.own = data / FOLDER
        self.branch = self.address.branch or ""

    @property
    def shown(self) -> str:
        """Its address without passwords."""
        return self.address.shown

    def read(self) -> Read:
        """Fetch, and read the files. Raises SourceUnreachable."""
        if not (self.own / "HEAD").exists():
            self.own.parent.mkdir(parents=True, exist_ok=True)
            git.run(["git", "init", "--bare", "--quiet", str(self.own)], self.shown)
        self.branch = self.branch or self._head()
        heads = self._git("ls-remote", "--heads", "--", self.address.url, self._ref)
        if not heads.strip():
            return Read("", {})
        self._git(
            "fetch", "--quiet", "--no-tags", "--depth=1", "--", self.address.url,
            f"+{self._ref}:refs/heads/kept",
        )  # fmt: skip
        commit = self._git("rev-parse", "refs/heads/kept").decode().strip()
        return Read(commit, self._files(commit))

    @property
    def _ref(self) -> str:
        return f"refs/heads/{self.branch}"

    def _head(self) -> str:
        said = self._git("ls-remote", "--symref", "--", self.address.url, "HEAD").decode()
        for line in said.splitlines():
            if line.startswith("ref: refs/heads/"):
                return line.removeprefix("ref: refs/heads/").partition("\t")[0]
        return MAIN

    def _files(self, commit: str) -> dict[str, str]:
        folder = f"{self.address.folder}/" if self.address.folder else ""
        listed = self._git("ls-tree", "-z", "-l", commit, "--", *([folder] if folder else []))
        found: dict[str, str] = {}
        for entry in listed.decode("utf-8", "replace").split("\0")[:MOST_FILES]:
            about, _, path = entry.partition("\t")
            parts = about.split()
            if len(parts) < 4 or parts[1] != "blob" or not path.endswith(".md"):  # noqa: PLR2004
                continue
            if int(parts[3]) <= LARGEST:
                body = self._git("cat-file", "blob", parts[2])
                found[path.removeprefix(folder)] = body.decode("utf-8", "replace")
        return found

    def write(
        self, before: str, files: Mapping[str, str], message: str, gone: Sequence[str] = ()
    ) -> None:
        """Commit these files upon `before`, without those that are gone, and push.

        Raises Pushed where another did meanwhile.
        """
        with tempfile.TemporaryDirectory(dir=self.own) as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._git("read-tree", *([before] if before else ["--empty"]), extra=index)
            for name, text in files.items():
                blob = self._git("hash-object", "-w", "--stdin", given=text.encode())
                info = f"100644,{blob.decode().strip()},{self._path(name)}"
                self._git("update-index", "--add", "--cacheinfo", info, extra=index)
            for name in gone:
                line = f"0 {'0' * 40}\t{self._path(name)}\n".encode()
                self._git("update-index", "--index-info", extra=index, given=line)
            tree = self._git("write-tree", extra=index).decode().strip()
        people = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
                  for what, value in (("NAME", NAME), ("EMAIL", MAIL))}  # fmt: skip
        parent = ["-p", before] if before else []
        commit = self._git("commit-tree", tree, *parent, "-m", message, extra=people)
        self._push(commit.decode().strip(), before)

    def _path(self, name: str) -> str:
        return f"{self.address.folder}/{name}" if self.address.folder else name

    def _push(self, commit: str, before: str) -> None:
        lease = f"--force-with-lease={self._ref}:{before}"
        command = git.command(
            self.own, "push", "--porcelain", lease, "--", self.address.url, f"{commit}:{self._ref}"
        )
        ended = git.attempt(command, self.shown, self.timeout)
        if ended.code == 0:
            return
        said = f"{ended.out.decode('utf-8', 'replace')} {ended.said}"
        if "stale info" in said or "fetch first" in said or "non-fast-forward" in said:
            raise Pushed(f"{self.shown} has a newer commit")
        if "cannot lock ref" in said or "reference already exists" in said:
            raise Pushed(f"{self.shown} is being written to")
        raise git.explain(self.shown, ended.said)

    def _git(
        self, *arguments: str, extra: Mapping[str, str] | None = None, given: bytes = b""
    ) -> bytes:
        """What git printed of our own repository. Raises SourceUnreachable."""
        command = git.command(self.own, *arguments)
        if extra is None:
            return git.run(command, self.shown, self.timeout, given)
        try:
            ended = processes.run(command, self.timeout, {**git.environ(), **extra}, given=given)
        except (TimeoutError, FileNotFoundError) as error:
            raise NotWritten(f"{self.shown} could not be written to: {error}") from None
        if ended.code:
            raise git.explain(self.shown, ended.said)
        return ended.out
