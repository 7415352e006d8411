"""What every child of the demo does first: see to it that it ends with the demo."""

from __future__ import annotations

import os
import signal
import threading


def end_with_parent() -> None:
    """End when standard input does: with whoever started us, were it killed. Ctrl-C is theirs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_wait, daemon=True).start()


def _wait() -> None:
    while os.read(0, 1):  # sys.stdin has a lock, which the interpreter wants at its end
        pass
    os._exit(0)
