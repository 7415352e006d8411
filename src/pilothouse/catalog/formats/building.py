"""From YAML parser events to plain values, bounded, with the place of every key beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from yaml import events

from pilothouse.catalog.formats.scalars import SUSPECT, as_key, resolve
from pilothouse.catalog.model import Path

if TYPE_CHECKING:
    from collections.abc import Callable

_NO_KEY: Final = object()  # a mapping waits for its next key
_UNFINISHED: Final = object()  # an anchor whose node is still open
_QUOTES: Final = frozenset("'\"")
_CORE: Final = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "map", "seq")
)
_TEXT: Final = frozenset(("tag:yaml.org,2002:str", "!"))
_CHARS_A_NODE = 100  # a text this much longer counts as one more node when an alias repeats it

MarkOfYaml = Any  # yaml.Mark: `line` and `column` from 0, `index` in characters


class Refused(Exception):
    """A document that cannot be built; it says why and where."""

    def __init__(self, code: str, message: str, mark: MarkOfYaml, hint: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.mark, self.hint = code, message, mark, hint


class Flaw(msgspec.Struct, frozen=True):
    """Something wrong that does not stop the building."""

    code: str
    message: str
    mark: MarkOfYaml
    path: Path = ()
    first: MarkOfYaml = None  # where a repeated key stood before


class Places:
    """Where the keys or items of one mapping or list stand, and those of what they hold."""

    __slots__ = ("inner", "own")

    def __init__(self) -> None:
        self.own: dict[str | int, MarkOfYaml] = {}
        self.inner: dict[str | int, Places] = {}

    def mark(self, path: Path) -> MarkOfYaml | None:
        """The mark of a path; for what is absent that of its nearest parent, None at the root."""
        found, places = None, self
        for step in path:
            if (mark := places.own.get(step)) is None:
                break
            found = mark
            if (deeper := places.inner.get(step)) is None:
                break
            places = deeper
        return found


class Builder:
    """Builds one document from its events; feed each to `take`, then read `value` and `places`."""

    __slots__ = (
        "_act", "_anchors", "_depth", "_into", "_key", "_places", "_sizes", "_spare", "_stack",
        "flaws", "start",
    )  # fmt: skip

    def __init__(self, depth: int, spare: int) -> None:
        self._depth = depth  # how deep collections may stand in one another
        self._spare = spare  # how many more nodes aliases may repeat
        self._into: Any = []
        self._key: Any = _NO_KEY
        self._places = Places()
        self._stack: list[tuple[Any, Any, Places, str | None, Any]] = []
        self._anchors: dict[str, Any] = {}
        self._sizes: dict[str, tuple[int, int]] = {}
        self.flaws: list[Flaw] = []
        self.start: MarkOfYaml = None
        self._act: dict[type, Callable[[Any], None]] = {
            events.ScalarEvent: self._scalar,
            events.MappingStartEvent: self._mapping,
            events.SequenceStartEvent: self._sequence,
            events.MappingEndEvent: self._close,
            events.SequenceEndEvent: self._close,
            events.AliasEvent: self._alias,
        }

    @property
    def value(self) -> Any:
        return self._into[0]

    @property
    def places(self) -> Places:
        return self._places.inner.get(0) or Places()

    @property
    def spare(self) -> int:
        return self._spare

    def take(self, event: Any) -> None:
        if self.start is None:
            self.start = event.start_mark
        self._act[event.__class__](event)

    def _scalar(self, event: Any) -> None:
        value = event.value
        if event.implicit[0]:
            if (not value or value[0] in SUSPECT) and event.style not in _QUOTES:
                value = resolve(value) if event.anchor or not _is_marked(event) else value
        elif event.tag is not None and event.tag not in _TEXT:
            if event.tag in _CORE:
                value = resolve(value)
            else:
                self._strange_tag(event)
        if event.anchor is not None:
            self._name(event.anchor, value)
        self._put(value, event.start_mark)

    def _mapping(self, event: Any) -> None:
        self._open(event, {})

    def _sequence(self, event: Any) -> None:
        self._open(event, [])

    def _open(self, event: Any, into: Any) -> None:
        if len(self._stack) >= self._depth:
            self._too_deep(event.start_mark)
        if event.tag is not None and event.tag not in _CORE and event.tag != "!":
            self._strange_tag(event)
        if event.anchor is not None:
            self._name(event.anchor, _UNFINISHED)
        self._stack.append((self._into, self._key, self._places, event.anchor, event.start_mark))
        self._into, self._key, self._places = into, _NO_KEY, Places()

    def _close(self, _event: Any) -> None:
        value, places = self._into, self._places
        self._into, self._key, self._places, anchor, mark = self._stack.pop()
        if anchor is not None:
            self._name(anchor, value)
        if self._into.__class__ is list:
            self._places.inner[len(self._into)] = places
        elif self._key is not _NO_KEY:
            self._places.inner[self._key] = places
        self._put(value, mark)

    def _put(self, value: Any, mark: MarkOfYaml) -> None:
        into = self._into
        if into.__class__ is list:
            self._places.own[len(into)] = mark
            into.append(value)
        elif self._key is not _NO_KEY:
            into[self._key] = value
            self._key = _NO_KEY
        else:
            self._take_key(value if value.__class__ is str else as_key(value), mark)

    def _take_key(self, key: str, mark: MarkOfYaml) -> None:
        own = self._places.own
        if key in own:
            message = f'the key "{key}" stands here a second time'
            self.flaws.append(Flaw("yaml-duplicate-key", message, mark, self._path(key), own[key]))
        else:
            own[key] = mark
        self._key = key

    def _alias(self, event: Any) -> None:
        name, mark = event.anchor, event.start_mark
        if name not in self._anchors:
            raise Refused("yaml-alias", f"the alias *{name} has no anchor &{name} before it", mark)
        value = self._anchors[name]
        if value is _UNFINISHED:
            raise Refused("yaml-alias", f"the alias *{name} stands inside its own anchor", mark)
        if (measured := self._sizes.get(name)) is None:
            measured = self._sizes[name] = _measure(value)
        size, height = measured
        self._spare -= size
        if self._spare < 0:
            raise Refused("yaml-alias", "aliases repeat too much of this file", mark,
                          "write out what is needed, or split the file")  # fmt: skip
        if len(self._stack) + height > self._depth + 1:
            self._too_deep(mark)
        self._put(value, mark)

    def _name(self, anchor: str, value: Any) -> None:
        self._anchors[anchor] = value
        self._sizes.pop(anchor, None)

    def _path(self, last: str) -> Path:
        """The way from the root to a key of the mapping that is open."""
        steps: list[str | int] = []
        for into, key, *_ in self._stack[1:]:
            steps.append(len(into) if into.__class__ is list else key if key is not _NO_KEY else "")
        return (*steps, last)

    def _too_deep(self, mark: MarkOfYaml) -> None:
        raise Refused("yaml-too-deep", f"more than {self._depth} levels inside one another", mark)

    def _strange_tag(self, event: Any) -> None:
        message = f"the tag {event.tag} is not known here; the value is read without it"
        self.flaws.append(Flaw("yaml-tag", message, event.start_mark))


def _is_marked(event: Any) -> bool:
    """Whether the tag `!` stands before a plain scalar: libyaml hides it, but not its width."""
    return event.end_mark.index - event.start_mark.index > len(event.value)


def _measure(value: Any) -> tuple[int, int]:
    """How many nodes a value has, long texts counting for more, and how many levels."""
    if isinstance(value, str):
        return 1 + len(value) // _CHARS_A_NODE, 0
    if not isinstance(value, dict | list):
        return 1, 0
    size, height = 1, 0
    for item in value.values() if isinstance(value, dict) else value:
        inner, levels = _measure(item)
        size, height = size + inner, max(height, levels)
    if isinstance(value, dict):
        size += sum(len(key) // _CHARS_A_NODE for key in value)
    return size, height + 1
