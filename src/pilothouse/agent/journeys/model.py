"""What the agent and the process that walks say to each other, as lines of JSON."""

from __future__ import annotations

import msgspec

from pilothouse.checks.model.documents import Journey
from pilothouse.checks.model.results import Browsed, StepTime

MOST_REQUESTS = 500  # of a waterfall
MOST_ERRORS = 20  # that a console's complaints are kept of
LONGEST_ERROR = 300
LONGEST_URL = 300
MOST_MESSAGE = 16 * 1024 * 1024  # bytes of one line


class Job(msgspec.Struct, frozen=True):
    """A walk to make."""

    journey: Journey  # with its secrets filled in
    seconds: float  # for the walk, the browser's start included
    after: float  # seconds for what comes after it: axe, a screenshot
    chromium: str  # where the browser is
    proxy: str  # host:port; nothing goes out but by it
    axe: str = ""  # the file of axe-core; "": no assertion asks for it
    user: int | None = None  # become this user first
    picture: bool = False  # also of a walk that went well: an assertion may fail it


class Started(msgspec.Struct, frozen=True, tag="started"):
    """The browser runs; the walk begins."""

    ms: float


class Stepped(msgspec.Struct, frozen=True, tag="stepped"):
    """A step is over."""

    step: StepTime


class Walked(msgspec.Struct, frozen=True, tag="walked"):
    """The walk is over, well or not."""

    ms: float
    browsed: Browsed
    fault: str = ""
    reason: str = ""
    address: str = ""  # of the last page, without its query string
    status: int = 0  # of the first page
    screenshot: bytes = b""
    har: bytes = b""


class Unable(msgspec.Struct, frozen=True, tag="unable"):
    """There is no walk: no browser, no sandbox, a script that cannot be read."""

    reason: str


Message = Started | Stepped | Walked | Unable
