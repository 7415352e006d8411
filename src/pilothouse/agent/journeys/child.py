"""The process that walks: reads its Job from stdin, becomes nobody in particular, tells on stdout.

    python -I -m pilothouse.agent.journeys.child

It is started for one walk, in a session of its own and without the agent's environment; the agent
ends it with all that came of it.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import pkgutil
import signal
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import msgspec

from pilothouse.agent.journeys.model import Job, Message, Unable

SHARED = Path("/tmp")  # noqa: S108  driver.placed looks whose what is there is
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # prctl(2)


def main() -> None:
    """One walk. What is imported later may be where only root can read, so it is imported now."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    tell = _teller()
    try:
        import encodings.idna
        import encodings.punycode  # noqa: F401
        import traceback  # noqa: F401

        from pilothouse.agent.journeys import parties
        from pilothouse.agent.journeys.walking import walk

        parties.domain("https://shop.example")
        axe = Path(job.axe).read_text() if job.axe else ""
        node, program = _driver(job)
    except ImportError as error:
        tell(Unable(f"Playwright is not installed here ({error}): install pilothouse[browser]"))
        return
    _become(job.user)
    if os.access(node, os.X_OK) and os.access(program, os.R_OK):
        asyncio.run(walk(msgspec.structs.replace(job, axe=axe), tell))
        return
    tell(
        Unable(
            f"journeys are walked as an unprivileged user, who may not read {node.parent}: install "
            "Pilothouse where everybody can read it, or start the agent as a user of its own"
        )
    )


def _driver(job: Job) -> tuple[Path, Path]:
    """Playwright's Node and its program; linked to where another user can read them."""
    from playwright import _impl
    from playwright._impl import _driver, transport

    from pilothouse.agent.journeys import driver

    node, program = map(Path, _driver.compute_driver_executable())
    if job.user is None or driver.reachable(program):
        return node, program
    for module in pkgutil.walk_packages(_impl.__path__, f"{_impl.__name__}."):
        if "pyinstaller" not in module.name:
            import_module(module.name)
    with suppress(OSError):  # then it cannot be read, and that is said
        place = driver.placed(program.parents[1], SHARED)
        node, program = place / node.name, place / "package" / program.name
        found = (str(node), str(program))
        # Playwright itself has no setting for it.
        setattr(transport, "compute_driver_executable", lambda: found)  # noqa: B010
    return node, program


def _teller() -> _Teller:
    """Messages go where stdout went; what a script prints does not."""
    out = os.dup(1)
    os.dup2(2, 1)
    return _Teller(out)


class _Teller:
    """Writes messages, each a line."""

    def __init__(self, out: int) -> None:
        self._out = os.fdopen(out, "wb")

    def __call__(self, message: Message) -> None:
        self._out.write(msgspec.json.encode(message) + b"\n")
        self._out.flush()


def _become(user: int | None) -> None:
    """Another user, for good; whatever comes of us is ours, and ends when the agent ends."""
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


if __name__ == "__main__":
    main()
