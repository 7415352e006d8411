"""The nouns of measurements."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from pilothouse.kernel.measurements.sketch import Sketch

Step = Literal["hour", "day"]


class Series(msgspec.Struct, frozen=True, order=True):
    """What is measured: a name and labels. `Series.of("checks.total", check=…, location=…)`."""

    name: str
    labels: tuple[tuple[str, str], ...] = ()  # sorted
    # One of the parts of a total (a phase of a probe): its hours are kept 35 days, not 13 months.
    part: bool = False

    @classmethod
    def of(cls, name: str, labels: Mapping[str, str], *, part: bool = False) -> Series:
        """The series of this name with these labels, in whatever order."""
        return cls(name, tuple(sorted(labels.items())), part)

    def label(self, name: str) -> str:
        """The value of a label; "" where it has none."""
        return dict(self.labels).get(name, "")


class Bucket(msgspec.Struct, frozen=True):
    """The numbers of an hour or of a day, which begins at `at`."""

    at: datetime
    sketch: Sketch


class Count(msgspec.Struct, frozen=True):
    """Of so many in the minute that begins at `at`, so many were good."""

    at: datetime
    good: float
    total: float
