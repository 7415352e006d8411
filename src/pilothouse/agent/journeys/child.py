"""The process that walks: reads its Job from stdin, becomes nobody in particular, tells on stdout.

    python -I -m pilothouse.agent.journeys.child

It is started for one walk, in a session of its own and without the agent's environment; the agent
ends it with all that came of it.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from pathlib import Path

import msgspec

from pilothouse.agent.journeys.model import Job, Message, Unable

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # prctl(2)


def main() -> None:
    """One walk. What is imported later may be where only root can read, so it is imported now."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    tell = _teller()
    try:
        import encodings.idna
        import encodings.punycode  # noqa: F401
        import traceback  # noqa: F401

        from playwright._impl import _driver

        from pilothouse.agent.journeys import parties
        from pilothouse.agent.journeys.walking import walk

        parties.domain("https://shop.example")
    except ImportError as error:
        tell(Unable(f"Playwright is not installed here ({error}): install pilothouse[browser]"))
        return
    axe = Path(job.axe).read_text() if job.axe else ""
    _become(job.user)
    driver = _driver.compute_driver_executable()
    if not os.access(driver[0], os.X_OK) or not os.access(driver[1], os.R_OK):
        tell(
            Unable(
                "journeys are walked as an unprivileged user, who may not read "
                f"{Path(driver[0]).parent}: install Pilothouse where everybody can read it, or "
                "start the agent as a user of its own"
            )
        )
        return
    asyncio.run(walk(msgspec.structs.replace(job, axe=axe), tell))


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
