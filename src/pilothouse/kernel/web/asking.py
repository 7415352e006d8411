"""What a page is asked: the parts of its query string, each bounded, and the entity of its path."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from litestar import Request
from litestar.params import FromPath

from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef

AnyRequest = Request[Any, Any, Any]
LONGEST = 400  # characters of a ref, a name, a search
DIGITS = 9  # of what both databases hold as an integer


def text(request: AnyRequest, name: str) -> str:
    """A word of the query string; "" where it has none."""
    return request.query_params.get(name, "").strip()[:LONGEST]


def number(request: AnyRequest, name: str) -> int | None:
    """A whole number from 0 on; None where the query string has none. Raises Invalid."""
    written = request.query_params.get(name)
    if not written:
        return None
    if not written.isdecimal() or len(written) > DIGITS:
        raise Invalid(f"{name}={written[:50]!r} is not a number of at most {DIGITS} digits")
    return int(written)


def offset_of(request: AnyRequest) -> int:
    """How many lines of a list to skip. Raises Invalid."""
    return number(request, "offset") or 0


def instant(request: AnyRequest, name: str) -> datetime | None:
    """A time, in UTC where it names no zone; None where there is none. Raises Invalid."""
    written = request.query_params.get(name)
    if not written:
        return None
    try:
        at = datetime.fromisoformat(written)
    except ValueError as error:
        example = "2026-11-23T14:00Z"
        raise Invalid(f"{name}={written[:50]!r} is not a time; write {example}") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def ref_of_path(kind: FromPath[str], namespace: FromPath[str], name: FromPath[str]) -> EntityRef:
    """The entity that the path of a page names; a dependency of its routes."""
    return EntityRef.of(kind, namespace, name)
