"""From OpenSLO documents to objectives that can be measured.

What a document lacks beside its form (a DataSource that is not there, a measure that nobody has)
makes an objective with a flaw: it is shown, with what is wrong, and not measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from pilothouse.kernel.errors import Invalid
from pilothouse.objectives.formats.metrics import metric_of
from pilothouse.objectives.formats.policies import rules_of
from pilothouse.objectives.formats.shelf import Flaw, Place, Shelf, T
from pilothouse.objectives.model import documents as written
from pilothouse.objectives.model.objectives import Objective, Slices, Window

FEWEST = 10  # events, where an SLO says nothing else
LONGEST_NUMBER = 9  # digits
MINIMUM = "pilothouse/minimum-events"  # an annotation of an SLO
ABOUT = "pilothouse/entity"  # an annotation of an SLO or a Service: the ref of what it is about
HOUR = 60  # minutes


class Made(msgspec.Struct, frozen=True):
    """An objective, and what is wrong with it."""

    objective: Objective
    flaw: Flaw | None = None


def slo_of(body: Mapping[str, Any]) -> written.Slo:
    """The spec of an SLO that the catalog has judged."""
    return msgspec.convert(body["spec"], written.Slo)


def text_at(body: Mapping[str, Any], name: str) -> str:
    """What an annotation says; "" where there is none, or it is no text."""
    said = body["metadata"].get("annotations")
    found = said.get(name) if isinstance(said, dict) else None
    return found if isinstance(found, str) else ""


def objectives_of(ref: str, body: Mapping[str, Any], shelf: Shelf) -> list[Made]:
    """The objectives of an SLO, in its order; who they are about and whose they are comes after."""
    slo = slo_of(body)
    meta = body["metadata"]
    name = meta.get("displayName") or meta["name"]
    found = []
    for position, one in enumerate(slo.objectives, 1):
        target = one.target if one.target is not None else (one.target_percent or 0) / 100
        window = window_of(slo.time_window[0] if slo.time_window else None)
        flaw, metric, slices, rules = None, None, None, ()
        at = Place(ref, ("spec", "objectives", position - 1))
        try:
            slices = _slices(slo.budgeting_method, one, at.within("timeSliceWindow"))
            metric = metric_of(slo, one, at, shelf)
            rules = rules_of(slo, _finder(shelf, Place(ref, ("spec", "alertPolicies"))))
        except Flaw as error:
            flaw = error
        except (Invalid, msgspec.ValidationError) as error:
            flaw = Flaw(f"what it names cannot be read: {error}", at)
        objective = Objective(
            key=f"{ref}#{position}",
            slo=ref,
            position=position,
            title=_title(name, one, len(slo.objectives)),
            entity="",
            service=slo.service,
            description=slo.description or "",
            target=round(target, 10),
            method=slo.budgeting_method,
            slices=slices,
            window=window,
            metric=metric if not flaw else None,
            rules=rules,
            own_rules=bool(slo.alert_policies),
            minimum=_minimum(text_at(body, MINIMUM)),
            flaw=str(flaw or ""),
        )
        found.append(Made(objective, flaw))
    return found


def window_of(said: written.TimeWindow | None) -> Window:
    """A window as it is measured; without one, the last 30 days."""
    if said is None:
        return Window(length=30, unit="d")
    unit: Any = said.duration[-1]
    length = int(said.duration[:-1])
    if said.calendar is None:
        return Window(length=length, unit=unit)
    start = datetime.fromisoformat(said.calendar.start_time)
    return Window(length=length, unit=unit, start=start, time_zone=said.calendar.time_zone)


def _minimum(said: str) -> int:
    return int(said) if said.isdecimal() and len(said) <= LONGEST_NUMBER else FEWEST


def _title(name: str, one: written.Objective, many: int) -> str:
    if many == 1 or not one.display_name:
        return name
    return f"{name}: {one.display_name}"


def _finder(shelf: Shelf, at: Place) -> Any:
    def find(kind: str, name: str, struct: type[T]) -> T:
        return shelf.find(kind, name, at, struct)[0]

    return find


def _slices(method: str, one: written.Objective, at: Place) -> Slices | None:
    if method == "Occurrences":
        return None
    said = one.time_slice_window if one.time_slice_window is not None else 1
    if isinstance(said, str):
        if said[-1] not in "mh":
            raise Flaw(f"timeSliceWindow {said} is longer than an hour", at)
        said = int(said[:-1]) * (HOUR if said[-1] == "h" else 1)
    if not 0 < said <= HOUR or HOUR % said:
        raise Flaw(f"timeSliceWindow of {said} minutes does not divide an hour", at)
    return Slices(
        minutes=said,
        target=one.time_slice_target if one.time_slice_target is not None else 1.0,
        op=one.op if one.op in ("gt", "gte") else "gte",
        by_ratio=method == "RatioTimeslices",
    )
