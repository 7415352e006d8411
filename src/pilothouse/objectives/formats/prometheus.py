"""Answers of Prometheus' HTTP API as numbers by minute (prometheus.io/docs, "HTTP API")."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any

import msgspec

from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.measurements.model import Count
from pilothouse.objectives.model.objectives import COMPARED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilothouse.objectives.model.objectives import Operator

MINUTE = timedelta(minutes=1)


class _Series(msgspec.Struct, frozen=True):
    values: list[tuple[float, str]] = []


class _Data(msgspec.Struct, frozen=True, rename={"type": "resultType"}):
    type: str = ""
    result: Any = None


class _Answer(msgspec.Struct, frozen=True, rename={"kind": "errorType"}):
    status: str
    data: _Data = _Data()
    error: str = ""
    kind: str = ""


def points(body: bytes) -> list[dict[datetime, float]]:
    """The series of an answer to a range query, each as numbers by instant; NaN is left out.

    Raises Invalid for an answer that says an error, or is none.
    """
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except msgspec.DecodeError as error:
        raise Invalid("the answer is not Prometheus' JSON") from error
    if answer.status != "success":
        raise Invalid(f"Prometheus says {answer.kind or 'error'}: {answer.error[:300]}")
    if answer.data.type != "matrix":
        raise Invalid(f"the query gives a {answer.data.type or 'nothing'}, not numbers over time")
    try:
        series = msgspec.convert(answer.data.result, list[_Series])
        return [
            {
                datetime.fromtimestamp(at, UTC): float(value)
                for at, value in one.values
                if isfinite(float(value))
            }
            for one in series
        ]
    except (msgspec.ValidationError, ValueError) as error:
        raise Invalid("the answer has numbers that cannot be read") from error


def grown(series: Iterable[dict[datetime, float]]) -> dict[datetime, float]:
    """How much counters grew in each minute, together; one that shrank began anew from zero.

    A minute is told by its beginning: what is read at 12:01 grew from 12:00 on.
    """
    found: dict[datetime, float] = defaultdict(float)
    for one in series:
        for at, value in one.items():
            before = one.get(at - MINUTE)
            if before is not None:
                found[at - MINUTE] += value - before if value >= before else value
    return dict(found)


def added(series: Iterable[dict[datetime, float]]) -> dict[datetime, float]:
    """What series say of each minute, together; what is read at 12:01 is of 12:00."""
    found: dict[datetime, float] = defaultdict(float)
    for one in series:
        for at, value in one.items():
            found[at - MINUTE] += max(value, 0.0)
    return dict(found)


def good_of(total: dict[datetime, float], part: dict[datetime, float], *, bad: bool) -> list[Count]:
    """Good and all by minute; where the part says nothing it is none of them."""
    return [
        Count(at, all_of - part.get(at, 0.0) if bad else part.get(at, 0.0), all_of)
        for at, all_of in sorted(total.items())
        if all_of > 0
    ]


def shares(series: Iterable[dict[datetime, float]], *, failure: bool) -> list[Count]:
    """A share worked out elsewhere: each minute of each series counts one."""
    return [
        Count(at - MINUTE, min(max(1 - value if failure else value, 0.0), 1.0), 1.0)
        for one in series
        for at, value in one.items()
    ]


def held(series: Iterable[dict[datetime, float]], op: Operator, value: float) -> list[Count]:
    """Numbers held against a value: each minute of each series counts one."""
    return [
        Count(at - MINUTE, float(COMPARED[op](number, value)), 1.0)
        for one in series
        for at, number in one.items()
    ]
