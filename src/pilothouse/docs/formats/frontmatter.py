"""Front matter: YAML between two lines of `---` at the beginning of a Markdown file."""

from __future__ import annotations

import re

from pilothouse.docs.formats import yaml
from pilothouse.docs.model import Fault, FrontMatter
from pilothouse.kernel.errors import Invalid

_BLOCK = re.compile(
    r"\A---[ \t]*\n(?P<yaml>.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)


def read(text: str) -> FrontMatter:
    """What stands before a text. Front matter that cannot be read is told, and passed over."""
    match = _BLOCK.match(text)
    if match is None:
        return FrontMatter()
    lines = match[0].count("\n")
    try:
        values = yaml.load(match["yaml"])
    except Invalid as error:
        why, line = str(error.args[0]), int(error.args[1])
        fault = Fault(
            "docs-front-matter",
            f"The front matter is not YAML: {why}; the page is read without it",
            line + 1,
        )
        return FrontMatter({}, lines, (fault,))
    if values is not None and not isinstance(values, dict):
        if not match["yaml"].strip() or "\n\n" in match["yaml"]:
            return FrontMatter()  # two rulers with text between them
        fault = Fault("docs-front-matter", "The front matter is no mapping of names to values", 2)
        return FrontMatter({}, lines, (fault,))
    found = {str(key).strip(): value for key, value in (values or {}).items()}
    return FrontMatter(found, lines)
