"""Token buckets: how often one address may ask what costs us, in bounded memory."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

MOST = 20_000  # addresses that are remembered; the one that asked longest ago is forgotten


class Buckets:
    """A bucket for each key: `burst` at once, then `rate` a second."""

    def __init__(self, rate: float, burst: int, most: int = MOST) -> None:
        self.rate, self.burst, self.most = rate, burst, most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # left, at
        self._lock = threading.Lock()

    def wait(self, key: str, now: float | None = None) -> float:
        """Take one from a bucket: 0, or the seconds after which there is one again."""
        now = time.monotonic() if now is None else now
        with self._lock:
            left, at = self._buckets.pop(key, (float(self.burst), now))
            left = min(float(self.burst), left + (now - at) * self.rate)
            taken = left >= 1
            self._buckets[key] = (left - 1 if taken else left, now)
            if len(self._buckets) > self.most:
                self._buckets.popitem(last=False)
        return 0.0 if taken else (1 - left) / self.rate

    def __len__(self) -> int:
        return len(self._buckets)


class Folding:
    """Of what comes again and again, what is told: so much of each key, and of all together.

    What is left out is counted, and the next of its key says how many that were.
    """

    def __init__(self, each: tuple[float, int], together: tuple[float, int]) -> None:
        self._each, self._together = Buckets(*each), Buckets(*together)
        self._left_out: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def told(self, key: str, now: float | None = None) -> int | None:
        """How many were left out before this one; None: leave this one out too."""
        with self._lock:
            if self._each.wait(key, now) or self._together.wait("", now):
                self._left_out[key] = self._left_out.pop(key, 0) + 1
                if len(self._left_out) > MOST:
                    self._left_out.popitem(last=False)
                return None
            return self._left_out.pop(key, 0)
