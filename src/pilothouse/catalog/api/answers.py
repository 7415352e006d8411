"""Answers on their way out: JSON bytes, made once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Response

from pilothouse.catalog.api.asking import DEFINITION
from pilothouse.catalog.formats.filters import project
from pilothouse.catalog.service import browsing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.catalog.service.browsing import Row
    from pilothouse.kernel.tx import Tx

CHUNK = 500  # entities read at once
_encoder = msgspec.json.Encoder(enc_hook=str)


def answer(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    """A value as JSON."""
    return raw(_encoder.encode(value), status, headers)


def raw(
    data: bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    """JSON that is encoded already; nothing at all, where Backstage answers so."""
    kind = "application/json" if data else "text/plain"
    return Response(data, status_code=status, media_type=kind, headers=headers)


def bodies(
    tx: Tx, rows: Sequence[Row], fields: Sequence[str], *, definitions: bool = False
) -> list[dict[str, Any]]:
    """What is asked for of these entities.

    Lists leave definitions out unless `fields` names `spec.definition`: they are most of the bytes.
    """
    definitions = definitions or DEFINITION in fields
    related = not fields or any(field.split(".")[0] == "relations" for field in fields)
    found: list[dict[str, Any]] = []
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        found += browsing.documents_of(tx, part, definitions=definitions, related=related)
    return projected(found, fields)


def projected(items: list[dict[str, Any]], fields: Sequence[str]) -> list[dict[str, Any]]:
    """Of each entity only the fields that are asked for; () is everything."""
    return [project(item, fields) for item in items] if fields else items
