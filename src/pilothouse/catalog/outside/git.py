"""Running git so that it never asks, never hangs, and runs nothing that a repository brings."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from pilothouse.catalog.outside import processes
from pilothouse.catalog.outside.failures import SourceUnreachable, explain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LOCAL_SECONDS = 60.0  # for what reads a repository on this machine
_CONNECT_SECONDS = 15
# Nothing that a repository's own configuration names is run, and no path is read as a pattern.
_SAFE = (
    "--literal-pathspecs",
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.quotePath=false"),
    *("-c", "protocol.ext.allow=never"),
    *("-c", "gc.autoDetach=false"),
    *("-c", "submodule.recurse=false"),
    *("-c", "log.showSignature=false"),
)
_PROTOCOLS = "file:git:http:https:ssh"
# Set where git runs us as a hook; they would point our git elsewhere.
_ELSEWHERE = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_EXTERNAL_DIFF",
)


def environ() -> dict[str, str]:
    """The environment for git: the person's own credential helpers, but nobody to ask."""
    values = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    return values | {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_SSH_COMMAND": _ssh(),
        "GCM_INTERACTIVE": "never",
        "GIT_ALLOW_PROTOCOL": _PROTOCOLS,
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
    }


@lru_cache(maxsize=1)
def _ssh() -> str:
    """The person's own ssh command, told to ask for nothing."""
    configured = asked(["git", "-C", "/", "config", "--get", "core.sshCommand"], dict(os.environ))
    ssh = os.environ.get("GIT_SSH_COMMAND") or configured or os.environ.get("GIT_SSH") or "ssh"
    if ssh.split()[0].rpartition("/")[2] != "ssh":
        return ssh  # another program, with other options
    return f"{ssh} -o BatchMode=yes -o ConnectTimeout={_CONNECT_SECONDS}"


def command(repository: Path, *arguments: str) -> list[str]:
    """A git command on a bare repository or mirror; naming it leaves no search upwards."""
    return ["git", f"--git-dir={repository}", *_SAFE, *arguments]


def command_in(folder: Path, *arguments: str) -> list[str]:
    """A git command in a work tree that a person checked out."""
    return ["git", "-C", str(folder), *_SAFE, *arguments]


def run(
    argv: Sequence[str], shown: str, timeout: float = LOCAL_SECONDS, given: bytes = b""
) -> bytes:
    """What git printed.

    Raises SourceUnreachable, about the source called `shown`, when git fails, is too slow or is
    not there.
    """
    ended = attempt(argv, shown, timeout, given)
    if ended.code != 0:
        raise explain(shown, ended.said)
    return ended.out


def attempt(
    argv: Sequence[str], shown: str, timeout: float = LOCAL_SECONDS, given: bytes = b""
) -> processes.Ended:
    """As `run`, for what may fail: the caller looks at the exit code."""
    try:
        return processes.run(argv, timeout, environ(), given=given)
    except TimeoutError:
        raise SourceUnreachable(
            f"{shown} did not answer within {timeout:.3g} s: check the address and the network, "
            "or allow it more time with git_timeout"
        ) from None
    except FileNotFoundError:
        raise SourceUnreachable(f"{shown} cannot be read: git is not installed here") from None


def asked(argv: Sequence[str], environment: Mapping[str, str] | None = None) -> str | None:
    """One line that git knows, or None; for what nobody misses."""
    try:
        ended = processes.run(argv, LOCAL_SECONDS, environment or environ())
    except (TimeoutError, FileNotFoundError):
        return None
    return ended.out.decode("utf-8", "replace").strip() or None if ended.code == 0 else None
