"""Comparing two definitions, each format in its way."""

from __future__ import annotations

from pilothouse.apis.formats.graphql import schema_of
from pilothouse.apis.model import Comparison, Contract, Style
from pilothouse.apis.rules import comparing, graphql


def compare(old: Contract, new: Contract) -> Comparison:
    """What changed from one version to the next, the heaviest first.

    Raises Unreadable for a GraphQL schema that cannot be built.
    """
    if old.style is Style.GRAPHQL and new.style is Style.GRAPHQL:
        found = graphql.findings(schema_of(old.text), schema_of(new.text))
        return comparing.weighed(list(found))
    return comparing.compare(old, new)


def are_comparable(old: Contract, new: Contract) -> bool:
    """Whether both are in one format; Swagger 2 and OpenAPI 3 are."""
    kinds = {Style.SWAGGER: Style.OPENAPI}
    return kinds.get(old.style, old.style) is kinds.get(new.style, new.style)
