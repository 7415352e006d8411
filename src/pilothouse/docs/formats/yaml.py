"""YAML of others, small and untrusted: tags that mean nothing here are passed over."""

from __future__ import annotations

from datetime import date
from typing import Any

import yaml
from yaml.composer import ComposerError

from pilothouse.kernel.errors import Invalid

LONGEST = 200_000  # characters
MOST_DEPTH = 400  # brackets or columns of indentation
MOST_NODES = 20_000  # values, keys and aliases; a nav of 5,000 pages has 15,000
LONGEST_NUMBER = 40  # digits


class _Loader(yaml.SafeLoader):
    """Plain values; `!!python/name:…` and `!ENV …`, which mkdocs.yml files have, become texts."""

    nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            mark = self.peek_event().start_mark
            raise ComposerError(None, None, f"more than {MOST_NODES:,} values", mark)
        return super().compose_node(parent, index)

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge nothing: `<<` is a key like any other; lists of merges grow beyond all bounds."""


def _unknown(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    del suffix
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node)
    return None


def _integer(loader: _Loader, node: yaml.Node) -> Any:
    """A number; one that Python would refuse to write down stays a text."""
    if isinstance(node, yaml.ScalarNode) and len(node.value) > LONGEST_NUMBER:
        return loader.construct_scalar(node)
    return loader.construct_yaml_int(node)  # pyright: ignore[reportArgumentType] (it refuses others)


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
_Loader.add_multi_constructor("!", _unknown)
_Loader.add_multi_constructor("tag:", _unknown)


def load(text: str) -> Any:
    """The first document. Raises Invalid, its second argument the line, for what is no YAML."""
    if len(text) > LONGEST:
        raise Invalid(f"longer than {LONGEST:,} characters", 1)
    if "\0" in text:
        raise Invalid("a NUL character stands in it", text.count("\n", 0, text.index("\0")) + 1)
    if text.count("[") + text.count("{") > MOST_DEPTH or " " * MOST_DEPTH in text:
        raise Invalid("lists stand in one another too deep", 1)
    try:
        return yaml.load(text, _Loader)  # noqa: S506 (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Invalid(error.problem or "not YAML", mark.line + 1 if mark else 1) from None
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        raise Invalid(f"not YAML: {type(error).__name__}", 1) from None


def text_of(value: Any) -> str:
    """A scalar as a text on one line; "" for what is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float, date)):
        return ""
    text = str(value).replace("\0", "").encode("utf-8", "replace").decode()
    return " ".join(text.split())[:500]


def texts_of(value: Any) -> tuple[str, ...]:
    """A list of scalars, or one of them with commas between."""
    items = value if isinstance(value, list) else text_of(value).split(",")
    return tuple(text for item in items[:100] if (text := text_of(item).strip()))
