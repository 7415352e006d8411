"""What stands on the page of one entity: its head, its panels, its other tabs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import yaml

from pilothouse.catalog.model import PlacedProblem, Version
from pilothouse.catalog.rules import graph
from pilothouse.catalog.rules.kinds import reverse_of
from pilothouse.catalog.rules.titles import title_of
from pilothouse.catalog.service import views
from pilothouse.catalog.service.views import Group, Named, text_of
from pilothouse.catalog.store import history, queries, relations
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Tx

RELATED = 200  # a page
MOST_PEOPLE = 12  # of a team, on a page that is not its list of people
RUNBOOK = "runbook"
ANNOTATION_WORDS = {
    "backstage.io/techdocs-ref": "Docs",
    "backstage.io/adr-location": "Decisions",
    "github.com/project-slug": "GitHub",
    "gitlab.com/project-slug": "GitLab",
    "pagerduty.com/integration-key": "PagerDuty",
}
RELATION_WORDS = {
    "ownedBy": "Owned by", "ownerOf": "Owns", "partOf": "Part of", "hasPart": "Has parts",
    "providesApi": "Provides", "apiProvidedBy": "Provided by", "consumesApi": "Consumes",
    "apiConsumedBy": "Consumed by", "dependsOn": "Depends on", "dependencyOf": "Needed by",
    "memberOf": "Member of", "hasMember": "Members", "childOf": "Under", "parentOf": "Over",
}  # fmt: skip


class Head(msgspec.Struct, frozen=True):
    """What stands above every tab of an entity."""

    ref: str
    href: str
    kind: str
    title: str
    name: str
    description: str
    type: str
    lifecycle: str
    tags: tuple[str, ...]
    owner: Named | None
    picture: str
    stale: str | None
    problems: list[PlacedProblem]
    has_definition: bool


def head(tx: Tx, ref: EntityRef) -> Head:
    """Raises NotFound, naming the nearest, when there is no such entity."""
    entity, body = views.present(tx, ref), views.body(tx, ref)
    metadata, spec = body["metadata"], body.get("spec") or {}
    owner = views.owner_ref(str(ref), body)
    profile = _profile(spec)
    return Head(
        ref=str(ref),
        href=views.href(str(ref)),
        kind=body["kind"],
        title=title_of(body),
        name=metadata["name"],
        description=text_of(metadata, "description"),
        type=text_of(spec, "type"),
        lifecycle=text_of(spec, "lifecycle"),
        tags=tuple(tag for tag in metadata.get("tags") or () if isinstance(tag, str)),
        owner=views.name_all(tx, [owner])[owner] if owner else None,
        picture=text_of(profile, "picture"),
        stale=entity.stale,
        problems=views.problems_of(tx, ref),
        has_definition=entity.definition is not None,
    )


def _profile(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The profile of a team or a person, {} where there is none."""
    profile = spec.get("profile")
    return profile if isinstance(profile, dict) else {}


HEAD_LENGTH = 240  # characters of a description in the head of the page
MARKED = re.compile(r"[\n*_`\[]")  # a description that is more than a plain sentence


class Fact(msgspec.Struct, frozen=True):
    """A line of the About panel."""

    label: str
    text: str = ""
    named: Named | None = None
    url: str | None = None


class About(msgspec.Struct, frozen=True):
    """The facts of an entity, and where they were read."""

    description: str  # "" where the head of the page says all of it
    facts: list[Fact]
    labels: dict[str, str]
    annotations: dict[str, str]
    origin: str
    path: str
    line: int
    added_at: datetime
    changed_at: datetime
    version: Version | None


def about(tx: Tx, ref: EntityRef) -> About:
    """Its facts: who, what, where from."""
    entity, body = views.present(tx, ref), views.body(tx, ref)
    metadata, spec = body["metadata"], body.get("spec") or {}
    parents = [
        edge.target
        for edge in views.around(tx, ref)
        if edge.source == str(ref) and edge.type == "partOf"
    ]
    names = views.name_all(tx, parents)
    facts = [Fact("Part of", named=names[parent]) for parent in parents]
    email = text_of(_profile(spec), "email")
    if email:
        facts.append(Fact("E-mail", email, url=f"mailto:{email}"))
    last = history.of_entity(tx.conn, entity.uid, 1)
    description = text_of(metadata, "description")
    said_above = len(description) <= HEAD_LENGTH and not MARKED.search(description)
    return About(
        description="" if said_above else description,
        facts=facts,
        labels=_texts(metadata.get("labels")),
        annotations=_texts(metadata.get("annotations")),
        origin=entity.origin,
        path=entity.path,
        line=entity.line,
        added_at=entity.added_at,
        changed_at=entity.changed_at,
        version=last[0] if last else None,
    )


def _texts(value: object) -> dict[str, str]:
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, Mapping) else {}


class Link(msgspec.Struct, frozen=True):
    """One of metadata.links; `url` is None where a page may not link to it."""

    title: str
    url: str | None
    type: str


def links(tx: Tx, ref: EntityRef) -> list[Link] | None:
    """Its links, runbooks first; None when it has none."""
    found = [
        Link(
            text_of(item, "title") or text_of(item, "url"),
            text_of(item, "url") or None,
            text_of(item, "type"),
        )
        for item in views.body(tx, ref)["metadata"].get("links") or ()
        if isinstance(item, dict)
    ]
    return sorted(found, key=lambda link: link.type != RUNBOOK) or None


class People(msgspec.Struct, frozen=True):
    """The people of a team."""

    people: list[Named]
    total: int


def people(tx: Tx, ref: EntityRef) -> People | None:
    """Who is in it; None for what is no team."""
    if ref.kind != "group":
        return None
    members = relations.sources_of(tx.conn, str(ref), "memberOf", MOST_PEOPLE)
    names = views.name_all(tx, members)
    total = relations.incoming_counts(tx.conn, str(ref)).get("memberOf", 0)
    return People([names[member] for member in members], total)


class Team(msgspec.Struct, frozen=True):
    """The owner of an entity and the people in it."""

    owner: Named
    people: list[Named]
    total: int


def team(tx: Tx, ref: EntityRef) -> Team | None:
    """Who owns it; None for what nobody owns, or for teams and people themselves."""
    owner = views.owner_ref(str(ref), views.body(tx, ref))
    if owner is None:
        return None
    names = views.name_all(tx, [owner])
    members = relations.sources_of(tx.conn, owner, "memberOf", MOST_PEOPLE)
    total = relations.incoming_counts(tx.conn, owner).get("memberOf", 0)
    people = views.name_all(tx, members)
    return Team(names[owner], [people[member] for member in members], total)


class Related(msgspec.Struct, frozen=True):
    """Relations as a drawing and as lists."""

    drawing: graph.Drawing
    groups: list[Group]
    words: dict[str, str]


def related(tx: Tx, ref: EntityRef) -> Related | None:
    """Its relations; None when it has none."""
    groups = views.related(tx, ref)
    if not groups:
        return None
    totals = {group.type: group.total for group in groups}
    return Related(_draw(tx, ref, totals), groups, RELATION_WORDS)


NEAR = 60  # relations of the entity itself that the drawing may use
FAR = 120  # … and of those beside it


def _draw(tx: Tx, ref: EntityRef, totals: Mapping[str, int]) -> graph.Drawing:
    text = str(ref)
    edges = views.around(tx, ref)
    near = [edge for edge in edges if edge.source == text][:NEAR]
    near += [edge for edge in edges if edge.source != text][:NEAR]
    beside = {edge.target if edge.source == text else edge.source for edge in near}
    far = relations.around(tx.conn, sorted(beside)[:25], FAR)
    drawn = list(dict.fromkeys((e.source, e.type, e.target) for e in [*near, *far]))
    names = views.name_all(tx, sorted({text, *(e[0] for e in drawn), *(e[2] for e in drawn)}))
    return graph.draw(text, drawn, names, totals=totals)


class RelatedPage(msgspec.Struct, frozen=True):
    """One type of relation, page by page."""

    words: str
    items: list[Named]
    total: int
    size: int = RELATED


def related_page(tx: Tx, ref: EntityRef, relation: str, offset: int) -> RelatedPage:
    """Raises NotFound for a relation that does not exist."""
    if relation not in RELATION_WORDS:
        raise NotFound(f"there is no relation {relation!r}")
    kept = next((k for k in RELATION_WORDS if reverse_of(k) == relation), None)
    if kept is None:
        refs = relations.targets_of(tx.conn, str(ref), relation, RELATED, offset)
        total = relations.outgoing_counts(tx.conn, str(ref)).get(relation, 0)
    else:
        refs = relations.sources_of(tx.conn, str(ref), kept, RELATED, offset)
        total = relations.incoming_counts(tx.conn, str(ref)).get(kept, 0)
    names = views.name_all(tx, refs)
    return RelatedPage(RELATION_WORDS[relation], [names[item] for item in refs], total)


class Owned(msgspec.Struct, frozen=True):
    """What a team or a person owns, a line each."""

    items: list[views.Item]
    total: int


MOST_OWNED = 20


def owned(tx: Tx, ref: EntityRef) -> Owned | None:
    """What it owns; None for what owns nothing and is neither team nor person."""
    wanted = queries.Wanted(
        filter=((queries.Test("relations.ownedby", (str(ref),)),),), order="label", limit=MOST_OWNED
    )
    rows = queries.matching(tx.conn, wanted)
    if not rows and ref.kind not in {"group", "user"}:
        return None
    total = len(rows) if len(rows) < MOST_OWNED else queries.count(tx.conn, wanted)
    return Owned(views.items(tx, rows), total)


class Text(msgspec.Struct, frozen=True):
    """A text and the language to colour it by."""

    text: str
    language: str
    size: int
    cut: bool = False


MOST_SHOWN = 1_000_000  # characters of a definition on its page


def document(tx: Tx, ref: EntityRef) -> Text:
    """Its document as the catalog keeps it, in YAML."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text = yaml.dump(
        views.body(tx, ref), Dumper=dumper, sort_keys=False, allow_unicode=True, width=100
    )
    return Text(text, "yaml", len(text))


LANGUAGES = {"openapi": "yaml", "asyncapi": "yaml", "graphql": "graphql", "grpc": "protobuf"}


def definition(tx: Tx, ref: EntityRef, most: int | None = MOST_SHOWN) -> Text:
    """At most so many of its characters. Raises NotFound when it has none."""
    digest = views.present(tx, ref).definition
    text = queries.definition(tx.conn, digest) if digest else None
    if text is None:
        raise NotFound(f"{ref} has no definition")
    kind = text_of(views.body(tx, ref).get("spec") or {}, "type")
    language = "json" if text.lstrip()[:1] == "{" else LANGUAGES.get(kind, "yaml")
    shown = text[:most]
    return Text(shown, language, len(text), len(shown) < len(text))


class FormerEntity(msgspec.Struct, frozen=True):
    """An entity as it was at an instant."""

    title: str
    body: dict[str, Any]
    text: str
    since: datetime
    origin: str
    path: str
    line: int


def former(tx: Tx, ref: EntityRef, at: datetime) -> FormerEntity:
    """Raises NotFound when it was not in the catalog then."""
    uid = history.last_uid(tx.conn, str(ref))
    found = history.one_as_of(tx.conn, uid, at) if uid else None
    if found is None:
        raise NotFound(f"{ref} was not in the catalog at {at:%Y-%m-%d %H:%M} UTC")
    body = msgspec.json.decode(found.body)
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return FormerEntity(
        title=title_of(body),
        body=body,
        text=yaml.dump(body, Dumper=dumper, sort_keys=False, allow_unicode=True, width=100),
        since=found.at,
        origin=found.origin,
        path=found.path,
        line=found.line,
    )
