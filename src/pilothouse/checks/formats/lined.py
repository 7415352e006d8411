"""YAML of other programs with the line of each value; aliases and merges read, all bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import yaml

from pilothouse.kernel.errors import Invalid

LONGEST = 5_000_000  # bytes
MOST_VALUES = 200_000  # aliases and merges counted as often as they stand
DEEPEST = 50
MERGE = "tag:yaml.org,2002:merge"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Lined(msgspec.Struct, frozen=True):
    """A value and the line it begins at; of a mapping and a list, the parts are Lined as well."""

    value: Any
    line: int

    def get(self, key: str) -> Lined:
        """What stands under a key; where nothing does, None at the line of the whole."""
        found = self.value.get(key) if isinstance(self.value, dict) else None
        return found if found is not None else Lined(None, self.line)

    def has(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def keys(self) -> list[str]:
        return list(self.value) if isinstance(self.value, dict) else []

    def items(self) -> list[Lined]:
        """The parts of a list; a mapping or a scalar has none."""
        return self.value if isinstance(self.value, list) else []

    def pairs(self) -> Iterator[tuple[str, Lined]]:
        yield from self.value.items() if isinstance(self.value, dict) else ()

    def text(self, default: str = "") -> str:
        """A scalar as the text that stands there."""
        if self.value is None or isinstance(self.value, (dict, list)):
            return default
        if isinstance(self.value, bool):
            return str(self.value).lower()
        return str(self.value)

    def true(self, *, default: bool = False) -> bool:
        return self.value if isinstance(self.value, bool) else default

    def number(self, default: int = 0) -> int:
        whole = isinstance(self.value, int) and not isinstance(self.value, bool)
        return self.value if whole else default


def read(data: bytes) -> Lined:
    """The first document. Raises Invalid, naming the line, for what is no YAML mapping."""
    if len(data) > LONGEST:
        raise Invalid(f"the file has {len(data):,} bytes, more than the {LONGEST:,} that are read")
    try:
        node = yaml.compose(data.decode("utf-8-sig"), LOADER)
    except UnicodeDecodeError:
        raise Invalid("the file is not UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise Invalid(f"line {line}: {error.problem or 'not YAML'}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Invalid(f"not YAML: {error}") from None
    if not isinstance(node, yaml.MappingNode):
        raise Invalid("line 1: expected a mapping with keys at its top")
    return _Building().built(node, 0)


class _Building:
    """Turns nodes into values, and counts them."""

    def __init__(self) -> None:
        self.values = 0
        self.scalars = yaml.SafeLoader("")

    def built(self, node: Any, depth: int) -> Lined:
        self.values += 1
        line = node.start_mark.line + 1
        if self.values > MOST_VALUES:
            raise Invalid(f"line {line}: more than {MOST_VALUES:,} values")
        if depth > DEEPEST:
            raise Invalid(f"line {line}: values stand in one another too deep")
        if isinstance(node, yaml.MappingNode):
            return Lined(self._mapping(node, depth), line)
        if isinstance(node, yaml.SequenceNode):
            return Lined([self.built(child, depth + 1) for child in node.value], line)
        return Lined(self._scalar(node), line)

    def _mapping(self, node: Any, depth: int) -> Mapping[str, Lined]:
        own: dict[str, Lined] = {}
        merged: dict[str, Lined] = {}
        for key, child in node.value:
            if key.tag == MERGE:
                several = isinstance(child, yaml.SequenceNode)
                for source in child.value if several else [child]:
                    for name, value in self.built(source, depth + 1).pairs():
                        merged.setdefault(name, value)
            elif isinstance(key, yaml.ScalarNode):
                own[key.value] = self.built(child, depth + 1)
        return merged | own

    def _scalar(self, node: Any) -> Any:
        if node.tag in {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:null"}:
            return self.scalars.construct_object(node)
        if node.tag == "tag:yaml.org,2002:int" and node.value.lstrip("-").isdecimal():
            return int(node.value[:20])
        return node.value
