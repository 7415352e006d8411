"""Definitions for tests: small documents, and parts of them changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pilothouse.apis.service.comparing import compare
from pilothouse.apis.service.reading import contract_of

if TYPE_CHECKING:
    from pilothouse.apis.model import Comparison

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "openapi"


def openapi(operation: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A document with one operation, GET /things."""
    whole = {"responses": {"200": {"description": "fine"}}, **operation}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Things", "version": "1"},
        "paths": {"/things": {"get": whole}},
        **more,
    }


def taking(schema: Any, **more: Any) -> dict[str, Any]:
    """A document whose operation takes a value of this schema."""
    body = {"content": {"application/json": {"schema": schema}}}
    return openapi({"requestBody": body}, **more)


def giving(schema: Any, **more: Any) -> dict[str, Any]:
    """A document whose operation answers a value of this schema."""
    answer = {"description": "fine", "content": {"application/json": {"schema": schema}}}
    return openapi({"responses": {"200": answer}}, **more)


def asking(*parameters: dict[str, Any]) -> dict[str, Any]:
    """A document whose operation has these parameters."""
    return openapi({"parameters": list(parameters)})


def compared(old: Any, new: Any) -> Comparison:
    """What differs between two documents."""
    before, after = (
        contract_of(one if isinstance(one, str) else json.dumps(one)) for one in (old, new)
    )
    return compare(before, after)


def rules(old: Any, new: Any) -> set[str]:
    """The rules that found something."""
    return {finding.rule for finding in compared(old, new).findings}
