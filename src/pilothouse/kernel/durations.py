"""Lengths of time as documents write them: `90s`, `5m`, `2h`, `1d`, `2w`, and `800ms`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

import msgspec

from pilothouse.kernel.errors import Invalid

_WRITTEN = re.compile(r"([1-9][0-9]{0,8})(ms|s|m|h|d|w)")
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours"} | {
    "d": "days",
    "w": "weeks",
}

Duration = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,8}(ms|s|m|h|d|w)$")]


def parse(written: str) -> timedelta:
    """The length that `5m` stands for. Raises Invalid for what is none, or is over 100 years."""
    found = _WRITTEN.fullmatch(written)
    if found is None:
        raise Invalid(f"{written!r} is not a duration: write 90s, 5m, 2h, 1d or 2w")
    length = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if length > timedelta(days=36525):
        raise Invalid(f"{written!r} is longer than a hundred years")
    return length
