"""YAML files of the catalog: strict YAML 1.2 core schema, bounded, every finding with its place.

Agrees with npm `yaml` 2 as Backstage calls it (merge keys off, keys unique, one error a document);
reads with libyaml through PyYAML where that is compiled in.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from yaml import YAMLError, events
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.scanner import Scanner

from pilothouse.catalog.formats.building import Builder, Flaw, Places, Refused
from pilothouse.catalog.model import Document, Path, Position, Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

try:
    from yaml.cyaml import CParser  # pyright: ignore[reportAttributeAccessIssue]
except ImportError:  # PyYAML built without libyaml
    CParser = None


class Limits(msgspec.Struct, frozen=True):
    """What one file may cost."""

    bytes: int = 5_000_000
    depth: int = 100
    alias_nodes: int = 100_000  # nodes that aliases repeat, in the whole file
    syntax_errors: int = 20  # after these the rest of the file is not read


class Reading(msgspec.Struct, frozen=True):
    """What a file gave; each document in it was read whole and can be trusted.

    `ok` is False when some other document could not be read: keep what the file gave before.
    """

    documents: tuple[Document, ...] = ()
    problems: tuple[Problem, ...] = ()
    ok: bool = True


DEFAULT_LIMITS = Limits()
_SURROGATES = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_NEXT_DOCUMENT = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
# YAML 1.2 has them as letters, libyaml (YAML 1.1) as line breaks: they wait elsewhere meanwhile.
_SEPARATORS = {0x85: 0xF0085, 0x2028: 0xF2028, 0x2029: 0xF2029}
_RESTORED = {value: key for key, value in _SEPARATORS.items()}
_HINTS = {
    "\t": "indent with spaces: YAML refuses tabs",
    "@": 'put a value that begins with "@" in quotes',
    "`": 'put a value that begins with "`" in quotes',
    "%": 'put a value that begins with "%" in quotes',
    "*": 'put a value that begins with "*" in quotes',
    ":": 'put a value that has ": " inside in quotes',
}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class _PureParser(Reader, Scanner, Parser):
    """What CParser is, in Python."""

    def __init__(self, stream: str) -> None:
        Reader.__init__(self, stream)
        Scanner.__init__(self)
        Parser.__init__(self)


def read_documents(data: bytes, *, limits: Limits = DEFAULT_LIMITS, pure: bool = False) -> Reading:
    """Read every document of a file; empty ones are skipped. Never raises for what is in `data`.

    After a syntax error reading goes on at the next `---` at the start of a line. `pure` leaves
    libyaml out. Problems carry no file name.
    """
    text = _decoded(data, limits)
    if isinstance(text, Problem):
        return Reading(problems=(text,), ok=False)
    run = _Run(text, limits, pure=pure or CParser is None)
    run.read()
    return Reading(tuple(run.documents), tuple(run.problems), run.ok)


def plain_document(value: Any) -> Document:
    """A document that came from no file, such as the body of a request."""
    return Document(0, Position(1), value, lambda _path: Position(1))


def _decoded(data: bytes, limits: Limits) -> str | Problem:
    if len(data) > limits.bytes:
        message = f"the file has {len(data):,} bytes, more than the {limits.bytes:,} that are read"
        return _problem("yaml-too-large", message, Position(1), "split it into several files")
    if data.startswith(_UTF16) or _looks_like_utf16(data):
        return _problem("yaml-encoding", "the file is UTF-16", Position(1), "save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace").removeprefix("\ufeff")
        message = f"byte 0x{data[error.start]:02x} here is not UTF-8"
        return _problem("yaml-encoding", message, _position(before), "save the file as UTF-8")
    if "\0" in text:
        at = _position(text[: text.index("\0")])
        return _problem("yaml-control-character", "a NUL character: not a text file", at)
    if _SURROGATES.search(text) and _is_json(text):
        text = _SURROGATES.sub(_one_letter, text)
    return text if text.endswith("\n") else f"{text}\n"  # a block scalar ends in one, as in npm


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _one_letter(pair: re.Match[str]) -> str:
    """Two escapes that are one letter in JSON, as the one escape that libyaml takes for it."""
    code = int(pair[1], 16) - 0xD800 << 10 | int(pair[2], 16) - 0xDC00
    return f"\\U{code + 0x10000:08x}"


def _looks_like_utf16(data: bytes) -> bool:
    start = data[:64]
    zeros = start.count(0)
    return zeros > len(start) // 3 > 0 and zeros in (start[::2].count(0), start[1::2].count(0))


def _position(before: str) -> Position:
    return Position(before.count("\n") + 1, len(before) - before.rfind("\n"))


def _problem(
    code: str, message: str, at: Position, hint: str | None = None, field: str | None = None
) -> Problem:
    severity = Severity.WARNING if code == "yaml-tag" else Severity.ERROR
    return Problem(code, severity, message, line=at.line, column=at.column, hint=hint, field=field)


class _Locator:
    """Answers where a path of a document stands."""

    __slots__ = ("_line", "_places", "_start")

    def __init__(self, places: Places, start: Position, line: int) -> None:
        self._places, self._start, self._line = places, start, line

    def __call__(self, path: Path) -> Position:
        mark = self._places.mark(path)
        if mark is None:
            return self._start
        return Position(mark.line + self._line + 1, mark.column + 1)


class _Run:
    """One pass over a file, in as many streams as its syntax errors cut it into."""

    __slots__ = (
        "_index", "_limits", "_line", "_loose", "_odd", "_pure", "_spare", "_text",
        "documents", "ok", "problems",
    )  # fmt: skip

    def __init__(self, text: str, limits: Limits, *, pure: bool) -> None:
        self._odd = any(chr(code) in text for code in _SEPARATORS)
        self._text = text.translate(_SEPARATORS) if self._odd else text
        self._limits, self._pure, self._spare = limits, pure, limits.alias_nodes
        self._line = self._index = 0
        self._loose = False  # the last document ended without a marker, none has begun since
        self.documents: list[Document] = []
        self.problems: list[Problem] = []
        self.ok = True

    def read(self) -> None:
        for _ in range(self._limits.syntax_errors):
            cut = self._stream()
            if cut is None:
                return
            self.ok = False
            self._line += self._text.count("\n", 0, cut)
            self._text = self._text[cut:]
            if self._loose:
                self._withdraw()
            self._index += 1
            if not self._text:
                return
        at = Position(self._line + 1)
        message = "too many syntax errors: from here on the file is not read"
        self.problems.append(_problem("yaml-syntax", message, at))

    def _stream(self) -> int | None:
        """Read until the end, or to an error: then where to go on, in characters."""
        began, builder, self._loose = 0, self._builder(), False
        try:
            for event in self._events():
                if event.__class__ is events.DocumentStartEvent:
                    builder = self._builder()
                    began, self._loose = event.start_mark.index, False
                elif event.__class__ is events.DocumentEndEvent:
                    self._finish(builder)
                    began, self._loose = event.end_mark.index, not event.explicit
                else:
                    builder.take(event)
        except Refused as refused:
            self._report(refused.code, refused.message, refused.mark, refused.hint)
            return self._resume(refused.mark.index, began)
        except ReaderError:
            return self._unreadable(began)
        except YAMLError as error:
            return self._syntax(error, began)
        return None

    def _withdraw(self) -> None:
        """What follows the last document belonged to it, so it was not read whole."""
        if self.documents and self.documents[-1].index == self._index - 1:
            self.documents.pop()
            self._index -= 1

    def _builder(self) -> Builder:
        return Builder(self._limits.depth, self._spare)

    def _events(self) -> Iterator[Any]:
        parser = _PureParser(self._text) if self._pure or CParser is None else CParser(self._text)
        next_event, last = parser.get_event, events.StreamEndEvent
        next_event()
        while (event := next_event()).__class__ is not last:
            yield event

    def _finish(self, builder: Builder) -> None:
        self._spare = builder.spare
        broken = False
        for flaw in builder.flaws:
            self._flaw(flaw)
            broken |= flaw.code != "yaml-tag"
        value = _restored(builder.value) if self._odd else builder.value
        if value is None:
            return
        if broken:
            self.ok = False
        else:
            start = self._at(builder.start)
            locate = _Locator(builder.places, start, self._line)
            self.documents.append(Document(self._index, start, value, locate))
        self._index += 1

    def _flaw(self, flaw: Flaw) -> None:
        field = ".".join(map(str, flaw.path)) or None
        hint = f"the first is on line {self._at(flaw.first).line}" if flaw.first else None
        self.problems.append(_problem(flaw.code, flaw.message, self._at(flaw.mark), hint, field))

    def _syntax(self, error: Any, began: int) -> int:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        message = getattr(error, "problem", None) or str(error)
        context, before = getattr(error, "context", None), getattr(error, "context_mark", None)
        if context:
            line = f" (line {self._at(before).line})" if before else ""
            message = f"{message}, {context}{line}"
        letter = self._text[mark.index : mark.index + 1] if mark else ""
        self._report("yaml-syntax", message, mark, _HINTS.get(letter))
        return self._resume(mark.index if mark else began, began)

    def _unreadable(self, began: int) -> int:
        found = _CONTROL.search(self._text, began) or _CONTROL.search(self._text)
        index = found.start() if found else began
        name = f"U+{ord(self._text[index]):04X}" if found else "a character"
        at = _position(self._text[:index])
        message = f"the control character {name} is not allowed here"
        hint = 'in double quotes it can be written as an escape, "\\x07"'
        self.problems.append(
            _problem(
                "yaml-control-character", message, Position(at.line + self._line, at.column), hint
            )
        )
        return self._resume(index, began)

    def _report(self, code: str, message: str, mark: Any, hint: str | None) -> None:
        problem = _problem(code, message, self._at(mark), hint)
        if problem not in self.problems[-1:]:
            self.problems.append(problem)

    def _at(self, mark: Any) -> Position:
        return Position(mark.line + self._line + 1, mark.column + 1) if mark else Position(1)

    def _resume(self, error: int, began: int) -> int:
        """The next document marker that stands after the broken document's beginning."""
        line_start = self._text.rfind("\n", 0, error + 1) + 1
        found = _NEXT_DOCUMENT.search(self._text, max(line_start, began + 1, 1))
        return found.start() if found else len(self._text)


def _restored(value: Any) -> Any:
    if isinstance(value, str):
        return value.translate(_RESTORED)
    if isinstance(value, dict):
        return {key.translate(_RESTORED): _restored(item) for key, item in value.items()}
    return [_restored(item) for item in value] if isinstance(value, list) else value
