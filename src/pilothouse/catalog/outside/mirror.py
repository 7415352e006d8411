"""The copy of a remote repository that is kept in the data folder."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import time
from typing import TYPE_CHECKING

from pilothouse.catalog.outside import git
from pilothouse.catalog.outside.failures import SourceUnreachable, explain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pilothouse.catalog.outside.addresses import Address

_REFS = "refs/pilothouse"
_DAMAGE = ("corrupt", "bad object", "loose object", "unable to read tree", "missing blob")
_LOCK_LOOK_S = 0.05
_GC_SECONDS = 300.0


def place(workdir: Path, url: str) -> Path:
    """Where the copy of a repository is kept; the name tells no secret of the address."""
    return workdir.absolute() / "git" / f"{hashlib.sha256(url.encode()).hexdigest()[:24]}.git"


def kept_ref(address: Address) -> str:
    """The ref under which the copy keeps what the source reads."""
    return f"{_REFS}/branch/{address.branch}" if address.branch else f"{_REFS}/HEAD"


def update(repository: Path, address: Address, timeout: float) -> str:
    """Bring the copy to what the remote has; the name of the branch that is read.

    The whole history of that branch is fetched, for the authors of changes; when nothing is new,
    only the remote's refs are asked for. Raises SourceUnreachable.
    """
    deadline = time.monotonic() + timeout
    with _locked(repository, address, deadline):
        _begin(repository, address)
        remote_ref, name, commit = _advertised(repository, address, timeout)
        if commit is not None and commit != _kept(repository, address):
            _fetch(repository, address, remote_ref, deadline, timeout)
    return name


def _begin(repository: Path, address: Address) -> None:
    """A copy to fetch into, without what a killed git left; nobody else works on it now."""
    left = [
        *repository.glob("*.lock"),
        *repository.glob("refs/**/*.lock"),
        *repository.glob("objects/pack/tmp_*"),
    ]
    for path in left:
        path.unlink(missing_ok=True)
    if not (repository / "HEAD").exists():
        argv = ["git", "init", "--quiet", "--bare", "--template=", str(repository)]
        git.run(argv, address.shown)


def _advertised(repository: Path, address: Address, timeout: float) -> tuple[str, str, str | None]:
    """The remote's ref, the branch's name, its commit (None: the repository is empty)."""
    wanted = ["HEAD"]
    if address.branch:
        wanted = [f"refs/heads/{address.branch}", f"refs/tags/{address.branch}"]
    argv = git.command(repository, "ls-remote", "--symref", "--", address.url, *wanted)
    lines = git.run(argv, address.shown, timeout).decode("utf-8", "replace").splitlines()
    pairs = [line.split("\t", 1) for line in lines if "\t" in line]
    commits = {ref: value for value, ref in pairs if not value.startswith("ref: ")}
    heads = {ref: value for value, ref in pairs if value.startswith("ref: ")}
    for ref in wanted:
        if ref in commits:
            name = heads.get(ref, ref).removeprefix("ref: ")
            return ref, name.removeprefix("refs/heads/").removeprefix("refs/tags/"), commits[ref]
    if address.branch:
        raise SourceUnreachable(f"{address.shown} has no branch or tag {address.branch}")
    return "HEAD", "HEAD", None


def _kept(repository: Path, address: Address) -> str | None:
    return git.asked(git.command(repository, "rev-parse", "-q", "--verify", kept_ref(address)))


def _fetch(
    repository: Path, address: Address, remote_ref: str, deadline: float, timeout: float
) -> None:
    for last in (False, True):
        argv = git.command(
            repository,
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc"),
            *("--no-recurse-submodules", "--", address.url),
            f"+{remote_ref}:{kept_ref(address)}",
        )
        left = max(deadline - time.monotonic(), 1)
        try:
            ended = git.attempt(argv, address.shown, left)
        except SourceUnreachable as error:
            raise SourceUnreachable(_too_slow(address, timeout, str(error))) from None
        if ended.code == 0:
            with contextlib.suppress(SourceUnreachable):
                git.attempt(git.command(repository, "gc", "--auto", "--quiet"), "", _GC_SECONDS)
            return
        if last or not any(word in ended.said for word in _DAMAGE):
            raise explain(address.shown, ended.said)
        shutil.rmtree(repository, ignore_errors=True)
        _begin(repository, address)


def _too_slow(address: Address, timeout: float, said: str) -> str:
    if "did not answer" not in said:
        return said
    return (
        f"{address.shown} was not fetched within {timeout:.3g} s: check the network, or allow it "
        "more time with git_timeout"
    )


@contextlib.contextmanager
def _locked(repository: Path, address: Address, deadline: float) -> Iterator[None]:
    """One process at a time works on a copy."""
    repository.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(
        repository.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        while not _taken(descriptor):
            if time.monotonic() > deadline:
                raise SourceUnreachable(f"{address.shown} is being fetched by another process")
            time.sleep(_LOCK_LOOK_S)
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
