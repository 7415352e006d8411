"""Changes of a GraphQL schema, found by graphql-core's own comparison."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pilothouse.apis.model import Finding, Severity

if TYPE_CHECKING:
    from graphql import GraphQLSchema

_PLACE = re.compile(r"\b([A-Z_a-z]\w*(?:\.\w+)?(?:\(\w+:?\))?)")
_BY_KIND = {
    "BreakingChangeType": Severity.BREAKING,
    "DangerousChangeType": Severity.WARNING,
    "SafeChangeType": Severity.SAFE,
}


def findings(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[Finding]:
    """Breaking, dangerous and safe changes, named as graphql-core names them."""
    from graphql import find_schema_changes

    for change in find_schema_changes(old, new):
        yield Finding(
            rule=f"graphql-{change.type.name.lower().replace('_', '-')}",
            severity=_BY_KIND[type(change.type).__name__],
            text=change.description,
            place=_place(change.description),
        )


def _place(description: str) -> str:
    """The first type, or field of one, that a description names."""
    quoted = re.search(r"'([^']+)'", description)
    if quoted:
        return quoted[1]
    found = next((m[1] for m in _PLACE.finditer(description) if "." in m[1]), "")
    return found or next((m[1] for m in _PLACE.finditer(description)), "schema")
