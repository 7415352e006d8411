"""Pages laid out, each content once: what was drawn lately is kept in memory."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec

from pilothouse.docs.formats import rendering

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.docs.model import Rendered

MOST = 16_000_000  # characters of HTML kept


class _Drawn:
    """HTML by a digest of all that it is made of; the longest unused goes first."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._kept: OrderedDict[bytes, Rendered] = OrderedDict()
        self._size = 0

    def find(self, key: bytes) -> Rendered | None:
        with self._guard:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: bytes, drawn: Rendered) -> None:
        with self._guard:
            if key not in self._kept:
                self._size += len(drawn.html)
            self._kept[key] = drawn
            while self._size > MOST and len(self._kept) > 1:
                _, old = self._kept.popitem(last=False)
                self._size -= len(old.html)


_drawn = _Drawn()


def draw(text: str, digest: str, hrefs: Mapping[str, str]) -> Rendered:
    """A text of this digest as HTML."""
    key = hashlib.sha256(digest.encode() + msgspec.json.encode(hrefs)).digest()
    if (found := _drawn.find(key)) is None:
        found = rendering.render(text, hrefs)
        _drawn.keep(key, found)
    return found
