"""What a request is answered from; it comes with the request, in its ASGI scope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pilothouse.kernel.program import Program
    from pilothouse.kernel.web.frame import Frame
    from pilothouse.kernel.web.live import Live

SERVED = "pilothouse"  # its key in the scope


class Served(NamedTuple):
    """A program, the frame of its pages and its live stream."""

    program: Program
    frame: Frame
    live: Live


def served_of(scope: Mapping[str, Any]) -> Served:
    return scope[SERVED]
