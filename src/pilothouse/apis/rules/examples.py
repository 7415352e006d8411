"""An example where nobody wrote one: a value that fits its schema, and a request in curl."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from pilothouse.apis.model import Content, Operation, Parameter, Place, Schema
from pilothouse.apis.rules.flat import flat

DEEPEST = 5
MOST_PROPERTIES = 25
_BY_FORMAT = {
    "date-time": "2026-11-23T14:00:00Z",
    "date": "2026-11-23",
    "time": "14:00:00Z",
    "uuid": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "email": "someone@example.com",
    "uri": "https://example.com",
    "url": "https://example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "byte": "aGVsbG8=",
}
_BY_TYPE: dict[str, Any] = {
    "string": "text", "integer": 1, "number": 1.5, "boolean": True, "null": None,
    "String": "text", "Int": 1, "Float": 1.5, "Boolean": True, "ID": "1",
    "bool": True, "bytes": "aGVsbG8=", "double": 1.5, "float": 1.5,
}  # fmt: skip


def example(schema: Schema, named: Mapping[str, Schema], depth: int = 0) -> Any:
    """A value that fits; what somebody gave as an example or a default is used."""
    found = flat(schema, named)
    for given in (schema.example, found.example, found.default, *found.choices[:1]):
        if given:
            try:
                return msgspec.json.decode(given)
            except msgspec.DecodeError:
                continue  # it was cut
    if depth > DEEPEST:
        return None
    several = (*found.one_of, *found.any_of)
    if several and not found.properties:
        return example(several[0], named, depth + 1)
    return _made_up(found, named, depth)


def _made_up(found: Schema, named: Mapping[str, Schema], depth: int) -> Any:
    kind = next(iter(found.types), "object" if found.properties else "")
    if found.properties and kind not in _BY_TYPE:
        return _object(found, named, depth)
    if kind in {"array", "repeated"}:
        return [] if found.items is None else [example(found.items, named, depth + 1)]
    if kind in {"object", "map"}:
        return {} if found.extra is None else {"key": example(found.extra, named, depth + 1)}
    return _scalar(found, kind)


def _scalar(found: Schema, kind: str) -> Any:
    if kind == "string" and found.format in _BY_FORMAT:
        return _BY_FORMAT[found.format]
    bounds = {bound.name: bound.value for bound in found.bounds}
    if kind in {"integer", "number"} and "minimum" in bounds:
        return int(bounds["minimum"])
    return _BY_TYPE.get(kind, 1 if "int" in kind else None)


def _object(found: Schema, named: Mapping[str, Schema], depth: int) -> dict[str, Any]:
    items = [item for item in found.properties if not item.schema.read_only]
    if depth > 1:
        items = [item for item in items if item.required] or items[:3]
    return {item.name: example(item.schema, named, depth + 1) for item in items[:MOST_PROPERTIES]}


def example_text(content: Content, named: Mapping[str, Schema]) -> str:
    """The example of a body: the one that was written, else one that is made up."""
    if content.examples:
        return content.examples[0].text
    made = example(content.schema, named)
    if made is None or made in ({}, []):
        return ""
    return msgspec.json.format(msgspec.json.encode(made), indent=2).decode()


def curl(operation: Operation, server: str, named: Mapping[str, Schema]) -> str:
    """The operation as a command for a terminal; "" for what is no HTTP."""
    if operation.verb not in {"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"}:
        return ""
    host = "" if server.startswith(("http://", "https://")) else "https://SERVER"
    url = host + server.rstrip("/") + operation.path
    query: list[str] = []
    parts = [] if operation.verb == "GET" else [f"-X {operation.verb}"]
    for parameter in operation.parameters:
        value = _value(parameter, named)
        if parameter.place is Place.PATH:
            url = url.replace(f"{{{parameter.name}}}", value)
        elif parameter.place is Place.QUERY and parameter.required:
            query.append(f"{parameter.name}={value}")
        elif parameter.place is Place.HEADER and parameter.required:
            parts.append(f"-H {_quoted(f'{parameter.name}: {value}')}")
    if operation.needs and all(need.schemes for need in operation.needs):
        parts.append('-H "Authorization: Bearer $TOKEN"')
    if operation.body and operation.body.contents:
        content = operation.body.contents[0]
        parts.append(f"-H {_quoted(f'Content-Type: {content.media}')}")
        if "json" in content.media and (text := example_text(content, named)):
            parts.append(f"--data {_quoted(text)}")
    whole = url + ("?" + "&".join(query) if query else "")
    return " \\\n  ".join([f"curl {_quoted(whole)}", *parts])


def _value(parameter: Parameter, named: Mapping[str, Schema]) -> str:
    found = parameter.example.strip('"') or example(parameter.schema, named)
    return re.sub(r"\s", "%20", str(found if found is not None else parameter.name))


def _quoted(text: str) -> str:
    """A word of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"
