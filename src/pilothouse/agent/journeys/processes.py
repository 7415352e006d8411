"""All processes that came of one, by Linux's /proc: how much memory they hold, and their end."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")
_PR_SET_CHILD_SUBREAPER = 36
_ROUNDS, _BETWEEN = 200, 0.01  # seconds: until all are gone, or two are over


def descendants(root: int) -> list[int]:
    """The process and all that came of it. What loses its parent has the root for one again."""
    children: dict[int, list[int]] = {}
    if not _PROC.is_dir():  # not Linux
        return [root]
    for name in os.listdir(_PROC):  # noqa: PTH208  four times a second: a Path each costs more
        if name.isdigit() and (parent := _parent(int(name))) is not None:
            children.setdefault(parent, []).append(int(name))
    found = [root]
    for pid in found:  # grows while it is walked
        found += children.get(pid, [])
    return found


def _parent(pid: int) -> int | None:
    with suppress(OSError):
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
        return int(stat.rpartition(") ")[2].split()[1])  # proc_pid_stat(5): state, ppid
    return None


def resident(pids: list[int], enough: int) -> int:
    """Bytes in memory that they hold together, each shared page counted once.

    The sum of what each has resident counts shared pages again and again, but costs little: only
    where that is more than `enough` are the processes' proportional shares asked for.
    """
    each = {pid: size for pid in pids if (size := _sizes(pid)) is not None}
    rough = sum(whole for whole, _ in each.values())
    if rough <= enough:
        return rough
    return sum(_share(pid, whole - shared) for pid, (whole, shared) in each.items())


def _sizes(pid: int) -> tuple[int, int] | None:
    """Resident, and of that shared, in bytes."""
    with suppress(OSError, ValueError, IndexError):
        fields = (_PROC / str(pid) / "statm").read_text().split()
        return int(fields[1]) * _PAGE, int(fields[2]) * _PAGE
    return None


def _share(pid: int, private: int) -> int:
    """The proportional share; where we may not read it (a sandbox), what is the process's alone."""
    with suppress(OSError, ValueError, StopIteration):
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) * 1024
    return private


def adopt() -> None:
    """From now on, what loses its parent among all that we started has us for one (prctl(2))."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def kill(root: int) -> set[int]:
    """End the process and all that came of it, at once. The root must not have been waited for.

    The root goes last: while it is there (stopped), whatever loses its parent comes back to it.
    Afterwards the others that were there, to be waited for, are ours.
    """
    ended: set[int] = set()
    with suppress(ProcessLookupError, PermissionError):
        os.kill(root, signal.SIGSTOP)
    for _ in range(_ROUNDS):
        found = descendants(root)[1:]
        ended.update(found)
        others = [pid for pid in found if _alive(pid)]
        for pid in others:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not others:
            break
        time.sleep(_BETWEEN)  # they die as soon as the machine gets to it
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(root, signal.SIGKILL)
    return ended


def bury(ended: set[int]) -> None:
    """Wait for processes that were adopted: nobody else would, where there is no init.

    One whose first thread is gone can be waited for only when its others are gone too.
    """
    left = set(ended)
    for _ in range(_ROUNDS):
        left = {pid for pid in left if not _buried(pid)}
        if not left:
            return
        time.sleep(_BETWEEN)


def orphans(user: int | None) -> set[int]:
    """What came to us of a walk's own user: born while all of it was being ended."""
    if user is None:
        return set()
    found = descendants(os.getpid())
    return {pid for pid in found if _user(pid) == user}


def _user(pid: int) -> int | None:
    with suppress(OSError, StopIteration, ValueError):
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("Uid:")).split()[1])
    return None


def _buried(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:  # gone, or not ours yet: its parent is still about to die
        return not (_PROC / str(pid)).exists()


def _alive(pid: int) -> bool:
    with suppress(OSError):
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
        return not stat.rpartition(") ")[2].startswith(("Z", "X"))
    return False
