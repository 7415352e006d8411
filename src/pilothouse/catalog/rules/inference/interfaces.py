"""APIs that a repository describes: OpenAPI, AsyncAPI, GraphQL and Protocol Buffers files."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST = 20
_OPENAPI = re.compile(
    r"(?:openapi|swagger)[\w.-]*\.(?:ya?ml|json)|[\w.-]+\.(?:openapi|swagger)\.(?:ya?ml|json)"
)
_ASYNCAPI = re.compile(r"asyncapi[\w.-]*\.(?:ya?ml|json)")
_GRAPHQL = re.compile(r"schema\.(?:graphql|gql)|[\w.-]+\.graphqls")
_FORMS = ((_OPENAPI, "openapi"), (_ASYNCAPI, "asyncapi"), (_GRAPHQL, "graphql"))
_SAYS = {
    "openapi": re.compile(r"^\s*\{?\s*[\"']?(?:openapi|swagger)[\"']?\s*:", re.MULTILINE),
    "asyncapi": re.compile(r"^\s*\{?\s*[\"']?asyncapi[\"']?\s*:", re.MULTILINE),
}
_TITLE = re.compile(r"^\s*[\"']?title[\"']?\s*:\s*[\"']?([^\"'\n,#]+)", re.MULTILINE)
_INFO = re.compile(r"^\s*\{?\s*[\"']?info[\"']?\s*:", re.MULTILINE)
_SERVICE = re.compile(r"^\s*service\s+(\w+)", re.MULTILINE)
_ASIDE = frozenset(("test", "tests", "testdata", "fixtures", "examples", "vendor", "third_party"))


class Interface(msgspec.Struct, frozen=True):
    """A file that defines an API."""

    path: str
    type: str  # "openapi"
    title: str = ""


def is_interface(path: str) -> bool:
    return _form(path) is not None and not _ASIDE & set(path.split("/"))


def interfaces(paths: Iterable[str], texts: Mapping[str, str]) -> list[Interface]:
    """The definitions among some files; `texts` has the beginnings of those that could be one."""
    found = []
    for path in sorted(paths):
        form, text = _form(path), texts.get(path, "")
        if form is None or not is_interface(path):
            continue
        if form == "grpc":
            if service := _SERVICE.search(text):
                found.append(Interface(path, form, service[1]))
        elif form not in _SAYS or _SAYS[form].search(text):
            found.append(Interface(path, form, _title(text)))
    return found[:MOST]


def _form(path: str) -> str | None:
    name = posixpath.basename(path).lower()
    if name.endswith(".proto"):
        return "grpc"
    return next((form for pattern, form in _FORMS if pattern.fullmatch(name)), None)


def _title(text: str) -> str:
    info = _INFO.search(text)
    title = _TITLE.search(text, info.end()) if info else None
    return title[1].strip() if title else ""
