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
