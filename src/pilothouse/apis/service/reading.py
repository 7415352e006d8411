"""A text becomes a Contract, or an Unreadable that says where it goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from pilothouse.apis.formats import asyncapi, graphql, openapi, proto, style
from pilothouse.apis.model import Contract, Style, Unreadable
from pilothouse.catalog.service import definitions

LONGEST = 60_000_000  # characters of a definition
NULS = ("\\u0000", "\\0", "\\x00")  # as JSON and YAML write it
VERSIONS = {
    Style.SWAGGER: ("2.",),
    Style.OPENAPI: ("3.",),
    Style.ASYNCAPI: ("2.", "3."),
}


def contract_of(text: str) -> Contract:
    """What a definition says, whatever its format; of an unknown one only its style, OTHER.

    Raises Unreadable, with the line where one can be told.
    """
    if len(text) > LONGEST:
        raise Unreadable(
            f"it has {len(text):,} characters, more than the {LONGEST:,} that are read"
        )
    if text.lstrip()[:1] not in ("{", "["):
        found = style.of_text(text)
        if found is Style.GRPC:
            return proto.read(text)
        if found is Style.GRAPHQL:
            return graphql.read(text)
    parsed = definitions.parse(text)
    if parsed.failed:
        raise Unreadable(parsed.failed, parsed.line)
    return _of_tree(parsed, text)


def _of_tree(parsed: definitions.Parsed, text: str) -> Contract:
    root: Any = parsed.value
    if any(escape in text for escape in NULS):
        root = _without_nuls(root)
    found = style.of_tree(root)
    if found is Style.OTHER or not isinstance(root, Mapping):
        return Contract(style=Style.OTHER)
    if found is Style.GRAPHQL:
        return graphql.read(text)
    version = str(root.get(str(found), ""))
    if not version.startswith(VERSIONS[found]):
        known = " and ".join(f"{known}x" for known in VERSIONS[found])
        line = parsed.locate((str(found),)).line if parsed.locate else 0
        raise Unreadable(f"{found} is {version!r}; versions {known} can be read", line)
    try:
        if found is Style.ASYNCAPI:
            return asyncapi.read(root)
        return openapi.read(root)
    except Unreadable as error:
        if parsed.locate is None or error.line:
            raise
        field = str(error).partition(" ")[0]
        raise Unreadable(str(error), parsed.locate((field,)).line) from error


def _without_nuls(value: Any) -> Any:
    """The same without NUL characters, which PostgreSQL keeps in no text."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, list):
        return [_without_nuls(item) for item in value]
    if isinstance(value, dict):
        return {_without_nuls(key): _without_nuls(item) for key, item in value.items()}
    return value


def checked(contract: Contract, declared: str) -> Contract:
    """The contract with a notice where the entity's `spec.type` says another format."""
    said = declared.lower()
    known = {"openapi", "asyncapi", "graphql", "grpc"}
    actual = "openapi" if contract.style is Style.SWAGGER else str(contract.style)
    if said not in known or actual == said:
        return contract
    words = "is in no format that is known here" if actual == "other" else f"is {actual}"
    notice = f"spec.type says {said}, but the definition {words}"
    return msgspec.structs.replace(contract, notices=(notice, *contract.notices))
