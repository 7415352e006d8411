"""Running a program to its end, bounded in time, with everything that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Ended(msgspec.Struct, frozen=True):
    """What a program left behind."""

    code: int
    out: bytes
    said: str


def run(
    command: Sequence[str],
    timeout: float,
    environ: Mapping[str, str],
    folder: Path | None = None,
    given: bytes = b"",
) -> Ended:
    """Run a program in a session of its own, so that its helpers die with it.

    Raises TimeoutError when it is not done in `timeout` seconds, FileNotFoundError when there is
    no such program.
    """
    process = start(command, environ, folder, given=bool(given), stderr=subprocess.PIPE)
    try:
        out, said = process.communicate(given or None, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    finally:
        end(process)
    return Ended(process.returncode, out, said.decode("utf-8", "replace"))


def start(
    command: Sequence[str],
    environ: Mapping[str, str],
    folder: Path | None = None,
    *,
    given: bool = False,
    stderr: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, to be ended with `end`."""
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE if given else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=environ,
        cwd=folder,
        start_new_session=True,
    )


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a started program and all that it started; one that has ended stays so."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a started program, and let go of its pipes."""
    kill(process)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    process.wait()
