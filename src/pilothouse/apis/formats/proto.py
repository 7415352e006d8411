"""Protocol buffers, versions 2 and 3, as text: services, messages and enums of one file.

Source of the format: protobuf.dev, "Protocol Buffers Language Specification (Proto3)". What is
not known is passed over, so that an option of a tool does not hide the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import structs

from pilothouse.apis.model import (
    Answer,
    Body,
    Bound,
    Content,
    Contract,
    Group,
    Named,
    Operation,
    Property,
    Schema,
    Style,
    Unreadable,
)

MOST_TOKENS = 2_000_000
DEEPEST = 50
PROTOBUF = "application/grpc"
NUMBER = "number"  # the bound that holds a field's number
_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
    r"""|(?P<word>\.?[A-Za-z_][\w.]*|-?\d[\w.+-]*)|(?P<mark>.)""",
    re.DOTALL,
)
_SCALARS = frozenset(
    (
        "double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32",
        "fixed64", "sfixed32", "sfixed64", "bool", "string", "bytes",
    )
)  # fmt: skip


class _Token:
    __slots__ = ("comment", "line", "text")

    def __init__(self, text: str, line: int, comment: str) -> None:
        self.text, self.line, self.comment = text, line, comment


def _tokens(text: str) -> Iterator[_Token]:
    line, comment, total = 1, "", 0
    for found in _TOKEN.finditer(text):
        said, kind = found[0], found.lastgroup
        if kind == "comment":
            comment = f"{comment}\n{_uncommented(said)}".strip()
        elif kind == "space":
            comment = "" if said.count("\n") > 1 else comment
        else:
            total += 1
            if total > MOST_TOKENS:
                raise Unreadable("it is too long to be read", line)
            yield _Token(said, line, comment)
            comment = ""
        line += said.count("\n")


def _uncommented(said: str) -> str:
    inner = said[2:-2] if said.startswith("/*") else said.lstrip("/")
    return "\n".join(line.strip().lstrip("*").strip() for line in inner.splitlines()).strip()


def read(text: str) -> Contract:
    """Raises Unreadable with the line where a block does not end."""
    run = _Run(list(_tokens(text)))
    run.file()
    return Contract(
        style=Style.GRPC,
        version=run.syntax,
        title=run.package,
        groups=tuple(run.groups),
        operations=tuple(run.resolved_operations()),
        schemas=tuple(run.named()),
        text=text,
    )


class _Run:
    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens, self.at = tokens, 0
        self.package = ""
        self.syntax = "proto2"
        self.groups: list[Group] = []
        self.operations: list[Operation] = []
        self.messages: dict[str, Schema] = {}

    def _peek(self) -> str:
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    def _next(self) -> _Token:
        if self.at >= len(self.tokens):
            line = self.tokens[-1].line if self.tokens else 1
            raise Unreadable("the file ends in the middle of something", line)
        self.at += 1
        return self.tokens[self.at - 1]

    def _past(self, end: str) -> list[str]:
        """The words up to `end`, blocks within them passed over."""
        words: list[str] = []
        while (token := self._next()).text != end:
            if token.text == "{":
                self._skip_block()
                if end == ";" and self._peek() != ";":
                    return words  # an option's block, that needs no semicolon
                continue
            words.append(token.text)
        return words

    def _skip_block(self) -> None:
        depth = 1
        while depth:
            said = self._next().text
            depth += (said == "{") - (said == "}")

    def file(self) -> None:
        while self.at < len(self.tokens):
            token = self._next()
            match token.text:
                case "syntax" | "edition":
                    self.syntax = " ".join(self._past(";")[1:]).strip("\"' ")
                case "package":
                    self.package = "".join(self._past(";"))
                case "message":
                    self._message(token.comment, "", 0)
                case "enum":
                    self._enum(token.comment, "")
                case "service":
                    self._service(token.comment)
                case ";" | "}":
                    pass
                case _:
                    self._past(";")

    def _service(self, comment: str) -> None:
        name = self._next().text
        full = f"{self.package}.{name}" if self.package else name
        self.groups.append(Group(full, comment))
        self._expect("{")
        while (token := self._next()).text != "}":
            if token.text == "rpc":
                self.operations.append(self._rpc(full, token.comment))
            elif token.text != ";":
                self._past(";")

    def _rpc(self, service: str, comment: str) -> Operation:
        name = self._next().text
        taken, streams_in = self._message_name()
        self._expect("returns")
        given, streams_out = self._message_name()
        deprecated = False
        if self._peek() == "{":
            start = self.at
            self._next()
            self._skip_block()
            words = [token.text for token in self.tokens[start : self.at]]
            deprecated = "deprecated" in words and "true" in words
        elif self._peek() == ";":
            self._next()
        notes = [
            words
            for words, is_so in (("takes a stream", streams_in), ("answers a stream", streams_out))
            if is_so
        ]
        return Operation(
            verb="RPC",
            path=f"/{service}/{name}",
            id=name,
            description=comment,
            groups=(service,),
            deprecated=deprecated,
            body=Body((Content(PROTOBUF, Schema(ref=taken)),), required=True),
            answers=(Answer("OK", "", (), (Content(PROTOBUF, Schema(ref=given)),)),),
            notes=tuple(notes),
        )

    def _message_name(self) -> tuple[str, bool]:
        self._expect("(")
        words = self._past(")")
        return (words[-1].lstrip(".") if words else "", "stream" in words[:-1])

    def _expect(self, said: str) -> None:
        token = self._next()
        if token.text != said:
            raise Unreadable(f"expected {said!r}, found {token.text!r}", token.line)

    def _message(self, comment: str, outer: str, depth: int) -> None:
        name = outer + self._next().text
        self._expect("{")
        if depth > DEEPEST:
            self._skip_block()
            return
        fields: list[Property] = []
        while (token := self._next()).text != "}":
            match token.text:
                case "message":
                    self._message(token.comment, f"{name}.", depth + 1)
                case "enum":
                    self._enum(token.comment, f"{name}.")
                case "oneof":
                    self._next()
                    self._expect("{")
                    while (inner := self._next()).text != "}":
                        self._field(inner, fields)
                case ";":
                    pass
                case "option" | "reserved" | "extensions" | "extend" | "group":
                    self._past(";")
                case _:
                    self._field(token, fields)
        self.messages[name] = Schema(
            types=("message",), description=comment, properties=tuple(fields)
        )

    def _field(self, token: _Token, fields: list[Property]) -> None:
        """A field such as `repeated string names = 3 [deprecated = true];`."""
        words = [token.text, *self._past(";")]
        if "=" not in words or words[0] in {"option", ";"}:
            return
        at = words.index("=")
        label = words[0] if words[0] in {"repeated", "optional", "required"} else ""
        if words[0] == "map" and "," in words[:at]:
            inner = words[words.index(",") + 1]
            schema = Schema(types=("map",), extra=_typed(inner))
        else:
            schema = _typed(words[1] if label else words[0])
        number = words[at + 1] if at + 1 < len(words) and words[at + 1].isdecimal() else "0"
        if label == "repeated":
            schema = Schema(types=("repeated",), items=schema)
        rest = words[at + 2 :]
        fields.append(
            Property(
                words[at - 1],
                Schema(
                    ref=schema.ref,
                    types=schema.types,
                    items=schema.items,
                    extra=schema.extra,
                    description=token.comment,
                    bounds=(Bound(NUMBER, float(number)),),
                    deprecated="deprecated" in rest and "true" in rest,
                ),
                required=label == "required",
            )
        )

    def _enum(self, comment: str, outer: str) -> None:
        name = outer + self._next().text
        self._expect("{")
        choices: list[str] = []
        while (token := self._next()).text != "}":
            if token.text in {"option", "reserved"}:
                self._past(";")
            elif token.text != ";":
                self._past(";")
                choices.append(f'"{token.text}"')
        self.messages[name] = Schema(types=("enum",), description=comment, choices=tuple(choices))

    def named(self) -> Iterator[Named]:
        """The messages; a reference to one that stands in another file stays a name."""
        for name, schema in self.messages.items():
            fields = tuple(
                structs.replace(item, schema=self._resolved(item.schema, name))
                for item in schema.properties
            )
            yield Named(name, structs.replace(schema, properties=fields))

    def resolved_operations(self) -> Iterator[Operation]:
        """The calls, with their messages called as the messages are."""
        for one in self.operations:
            body = one.body and structs.replace(one.body, contents=self._of(one.body.contents))
            answers = tuple(
                structs.replace(answer, contents=self._of(answer.contents))
                for answer in one.answers
            )
            yield structs.replace(one, body=body, answers=answers)

    def _of(self, contents: tuple[Content, ...]) -> tuple[Content, ...]:
        return tuple(
            structs.replace(item, schema=self._resolved(item.schema, "")) for item in contents
        )

    def _resolved(self, schema: Schema, scope: str) -> Schema:
        """A reference by the full name of its message, looked for from the innermost scope out."""
        if schema.ref:
            return structs.replace(schema, ref=self._full(schema.ref, scope))
        inner = {
            key: self._resolved(part, scope)
            for key, part in (("items", schema.items), ("extra", schema.extra))
            if part is not None
        }
        return structs.replace(schema, **inner) if inner else schema

    def _full(self, name: str, scope: str) -> str:
        plain = name.removeprefix(f"{self.package}.") if self.package else name
        outer = scope.split(".") if scope else []
        for depth in range(len(outer), -1, -1):
            candidate = ".".join([*outer[:depth], plain])
            if candidate in self.messages:
                return candidate
        return name


def _typed(name: str) -> Schema:
    return Schema(types=(name,)) if name in _SCALARS else Schema(ref=name.lstrip("."))
