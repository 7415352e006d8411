"""Judging a document that nobody has kept yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.catalog.formats import locations, yaml
from pilothouse.catalog.model import Severity
from pilothouse.catalog.rules import validity
from pilothouse.kernel.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.catalog.model import Problem
    from pilothouse.kernel.module import Kind


def errors_of(value: Any, kinds: Mapping[str, Kind]) -> list[Problem]:
    """What would keep a document out of the catalog; [] when it is valid."""
    _, problems = validity.judge(yaml.plain_document(value), kinds)
    return [problem for problem in problems if problem.severity is Severity.ERROR]


def check_location(text: str) -> None:
    """Raises Invalid for a location ref that Backstage would not take for a document."""
    if locations.parse_location_ref(text).type != "url":
        raise Invalid(
            f"Invalid location ref {text}, only 'url:<target>' is supported, "
            "e.g. url:https://host/path"
        )
