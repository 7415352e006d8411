"""Definitions as their pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from pilothouse.apis.model import (
    Answer,
    Content,
    Example,
    Group,
    Need,
    Operation,
    Parameter,
    Place,
    Schema,
    Style,
)
from pilothouse.apis.rules import slugs
from pilothouse.apis.rules.examples import curl, example_text
from pilothouse.apis.rules.fields import Fields, fields
from pilothouse.apis.rules.policy import origins, policy
from pilothouse.apis.rules.telling import bound_words, type_words
from pilothouse.apis.store import references as store
from pilothouse.apis.store.references import Kept, Line
from pilothouse.catalog.service import definitions, views
from pilothouse.kernel.errors import NotFound

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

MOST_TRIED = 20_000_000  # characters
WORDS = {
    Style.OPENAPI: "OpenAPI",
    Style.SWAGGER: "Swagger",
    Style.ASYNCAPI: "AsyncAPI",
    Style.GRAPHQL: "GraphQL",
    Style.GRPC: "gRPC",
    Style.OTHER: "",
}


class Section(msgspec.Struct, frozen=True):
    """A group of operations in the index."""

    group: Group
    lines: tuple[Line, ...]
    anchor: str


class Index(msgspec.Struct, frozen=True):
    """A definition at a glance."""

    digest: str
    kept: Kept
    style: str  # "OpenAPI 3.1.0"
    sections: tuple[Section, ...]
    schemas: list[tuple[str, str]]  # slug, name
    found: int  # operations that are shown
    sought: str
    can_be_tried: bool


def shown_digest(tx: Tx, ref: str) -> str | None:
    """The digest of an API's definition that has a reference, asked once a transaction."""
    return tx.once(("apis.digest", ref), lambda: _shown_digest(tx, ref))


def _shown_digest(tx: Tx, ref: str) -> str | None:
    if not ref.startswith("api:"):
        return None
    state = store.state_of_ref(tx.conn, ref)
    if state is None or state.digest is None:
        return None
    found = _kept(tx, state.digest)
    if found is None or (found.style is Style.OTHER and found.problem is None):
        return None
    return state.digest


def _kept(tx: Tx, digest: str) -> Kept | None:
    return tx.once(("apis.kept", digest), lambda: store.kept(tx.conn, digest))


def _digest(tx: Tx, ref: str) -> tuple[str, Kept]:
    digest = shown_digest(tx, ref)
    found = _kept(tx, digest) if digest else None
    if digest is None or found is None:
        raise NotFound(
            f"{ref} has no reference: its definition is in no format that is known here, or was "
            "not read yet. Its Definition tab shows the text."
        )
    return digest, found


def index(tx: Tx, ref: str, sought: str = "") -> Index:
    """All operations by group, or those that a search finds. Raises NotFound without reference."""
    digest, found = _digest(tx, ref)
    lines = store.lines(tx.conn, digest, sought)
    by_group: dict[str, list[Line]] = {}
    for line in lines:
        by_group.setdefault(line.group, []).append(line)
    groups = [group for group in found.overview.groups if group.name[:200] in by_group]
    anchors = slugs.slugs(group.name for group in groups)
    return Index(
        digest=digest,
        kept=found,
        style=style_words(found),
        sections=tuple(
            Section(group, tuple(by_group[group.name[:200]]), f"group-{anchor}")
            for group, anchor in zip(groups, anchors, strict=True)
        ),
        schemas=store.schema_names(tx.conn, digest, sought),
        found=len(lines),
        sought=sought,
        can_be_tried=can_be_tried(found),
    )


class Glance(msgspec.Struct, frozen=True):
    """What the page of an API says of its reference."""

    kept: Kept
    style: str
    groups: list[tuple[str, int, str]]  # name, operations, anchor


def glance(tx: Tx, ref: str) -> Glance:
    """The groups of an API and how much is in each. Raises NotFound without reference."""
    digest, found = _digest(tx, ref)
    totals = store.group_totals(tx.conn, digest)
    groups = [g.name for g in found.overview.groups if g.name[:200] in totals]
    anchors = slugs.slugs(groups)
    return Glance(
        kept=found,
        style=style_words(found),
        groups=[
            (name, totals[name[:200]], f"group-{anchor}")
            for name, anchor in zip(groups, anchors, strict=True)
        ],
    )


def style_words(kept: Kept) -> str:
    """The format and its version: "OpenAPI 3.1.0"."""
    return f"{WORDS[kept.style]} {kept.overview.version}".strip()


class Tryout(msgspec.Struct, frozen=True):
    """A definition to be tried out, and the policy of the page on which that is done."""

    text: str
    policy: str
    servers: tuple[str, ...]


def tryout(tx: Tx, ref: str) -> Tryout:
    """Raises NotFound for what is not OpenAPI, or too long to be sent to a browser."""
    digest, kept = _digest(tx, ref)
    text = definitions.text(tx, digest)
    if not can_be_tried(kept) or text is None:
        raise NotFound(f"{ref} cannot be tried out here: that needs OpenAPI that can be read.")
    if len(text) > MOST_TRIED:
        raise NotFound(f"{ref} is too long to be tried out here: {len(text):,} characters.")
    servers = origins(server.url for server in kept.overview.servers)
    return Tryout(text, policy(servers), servers)


def can_be_tried(kept: Kept) -> bool:
    """Whether there is a page to try it out."""
    return kept.style in {Style.OPENAPI, Style.SWAGGER} and kept.operations > 0


class ContentView(msgspec.Struct, frozen=True):
    """A body in one media type."""

    media: str
    title: str
    description: str
    type: str
    fields: Fields
    headers: Fields | None
    examples: tuple[Example, ...]
    made_up: str  # an example, where nobody wrote one


class AnswerView(msgspec.Struct, frozen=True):
    """An answer, ready to be drawn."""

    answer: Answer
    contents: tuple[ContentView, ...]


class ParameterView(msgspec.Struct, frozen=True):
    """A parameter, ready to be drawn."""

    parameter: Parameter
    type: str
    limits: tuple[str, ...]


class OperationPage(msgspec.Struct, frozen=True):
    """One operation, and the others of its group."""

    kept: Kept
    style: str
    line: Line
    operation: Operation
    siblings: list[Line]
    parameters: tuple[ParameterView, ...]
    body: tuple[ContentView, ...]
    answers: tuple[AnswerView, ...]
    needs: tuple[str, ...]
    curl: str
    links: dict[str, str]  # names of schemas to their slugs


def operation(tx: Tx, ref: str, slug: str) -> OperationPage:
    """Raises NotFound where there is no such operation."""
    digest, kept = _digest(tx, ref)
    found = store.whole(tx.conn, digest, slug)
    if found is None:
        raise NotFound(f"{ref} has no operation {slug!r} now. Its reference lists those there are.")
    filed = store.schemas_by_name(tx.conn, digest, found.needs)
    named = {item.name: item.schema for item in filed}
    one = found.operation
    server = next(iter(one.servers), "") or next((s.url for s in kept.overview.servers), "")
    return OperationPage(
        kept=kept,
        style=style_words(kept),
        line=found.line,
        operation=one,
        siblings=store.lines_of_group(tx.conn, digest, found.line.group),
        parameters=tuple(
            ParameterView(item, type_words(item.schema), tuple(bound_words(item.schema)))
            for item in sorted(one.parameters, key=lambda item: list(Place).index(item.place))
        ),
        body=_contents(one.body.contents, named) if one.body else (),
        answers=tuple(
            AnswerView(answer, _contents(answer.contents, named)) for answer in one.answers
        ),
        needs=tuple(map(_need, one.needs)),
        curl=curl(one, server, named),
        links={item.name: item.slug for item in filed},
    )


def _contents(contents: Sequence[Content], named: Mapping[str, Schema]) -> tuple[ContentView, ...]:
    return tuple(
        ContentView(
            media=item.media,
            title=item.title,
            description=item.description,
            type=type_words(item.schema),
            fields=fields(item.schema, named),
            headers=fields(item.headers, named) if item.headers is not None else None,
            examples=item.examples,
            made_up="" if item.examples else example_text(item, named),
        )
        for item in contents
    )


def _need(need: Need) -> str:
    if not need.schemes:
        return "anyone"
    return "who has " + " and ".join(
        f"{name} with {', '.join(scopes)}" if scopes else name for name, scopes in need.schemes
    )


class SchemaPage(msgspec.Struct, frozen=True):
    """One schema and who uses it."""

    name: str
    type: str
    schema: Schema
    fields: Fields
    example: str
    users: list[Line]
    links: dict[str, str]


def schema(tx: Tx, ref: str, slug: str) -> SchemaPage:
    """Raises NotFound where there is no such schema."""
    digest, _ = _digest(tx, ref)
    found = store.schema(tx.conn, digest, slug)
    if found is None:
        raise NotFound(f"{ref} has no schema {slug!r} now. Its reference lists those there are.")
    filed = store.schemas_by_name(tx.conn, digest, (found.name, *found.needs))
    named = {item.name: item.schema for item in filed}
    return SchemaPage(
        name=found.name,
        type=type_words(found.schema),
        schema=found.schema,
        fields=fields(found.schema, named),
        example=example_text(Content("application/json", found.schema), named),
        users=store.users_of(tx.conn, digest, found.name),
        links={item.name: item.slug for item in filed},
    )


def paths(tx: Tx) -> list[tuple[str, str]]:
    """Every page of every reference, with the ref of its API."""
    pages: dict[str, list[str]] = {}
    for digest, kind, slug in store.slugs(tx.conn):
        pages.setdefault(digest, []).append(f"/{kind}/{quote(slug)}")
    return [
        (f"{views.href(ref)}/reference{page}", ref)
        for ref, digest in store.shown(tx.conn)
        for page in ("", *pages.get(digest, ()))
    ]
