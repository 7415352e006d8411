"""Which format a text is in, told from the text itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pilothouse.apis.model import Style

_YAML = re.compile(r"^[\"']?(openapi|swagger|asyncapi|apiVersion|info)[\"']?\s*:", re.MULTILINE)
_PROTO = re.compile(
    r"^\s*(syntax\s*=|package\s+[\w.]+\s*;|(service|message)\s+\w+\s*\{)", re.MULTILINE
)
_GRAPHQL = re.compile(
    r"(?:^|\")\s*(extend\s+)?(schema\s*[@{]|(type|interface|input|enum)\s+\w+[^{:]*\{"
    r"|union\s+\w+[^=\n]*=|scalar\s+\w+|directive\s+@)",
    re.MULTILINE,
)
_BEGINNING = 200_000  # characters that are looked at


def of_tree(tree: Any) -> Style:
    """The style of what YAML or JSON gave."""
    if not isinstance(tree, Mapping):
        return Style.OTHER
    for key, style in (
        ("openapi", Style.OPENAPI),
        ("swagger", Style.SWAGGER),
        ("asyncapi", Style.ASYNCAPI),
    ):
        if key in tree:
            return style
    answer = tree.get("data") if isinstance(tree.get("data"), Mapping) else tree
    return Style.GRAPHQL if isinstance(answer, Mapping) and "__schema" in answer else Style.OTHER


def of_text(text: str) -> Style:
    """The style of a text that is neither YAML nor JSON; OTHER where it is not known."""
    beginning = text[:_BEGINNING]
    if _YAML.search(beginning):  # whose examples may hold lines of any language
        return Style.OTHER
    if _PROTO.search(beginning):
        return Style.GRPC
    if _GRAPHQL.search(beginning):
        return Style.GRAPHQL
    return Style.OTHER
