"""What the pages of docs show, ready to be drawn."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import origins, views
from pilothouse.catalog.service.views import Named
from pilothouse.docs.model import Change, Decision, Heading, Rendered, Role, Status
from pilothouse.docs.rules import paths, trees
from pilothouse.docs.rules.trees import Branch
from pilothouse.docs.service import drawing, runbooks
from pilothouse.docs.service.runbooks import Runbook
from pilothouse.docs.store import decisions, pages, sources
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.refs import EntityRef
    from pilothouse.kernel.tx import Tx

LIST = 100  # a page
MOST_LISTED = 8  # in a panel
MOST_DECIDED = 5
MOST_CONTENTS = 60  # lines of a table of contents


class Listed(msgspec.Struct, frozen=True):
    """The docs of an entity in a list."""

    ref: str
    title: str
    href: str
    entity: Named
    owner: Named | None
    pages: int
    changed_at: datetime | None


class Decided(msgspec.Struct, frozen=True):
    """A decision in a list, or in the head of its page."""

    href: str
    decision: Decision
    at: datetime | None
    entity: Named  # in whose docs it stands
    owner: Named | None = None

    @property
    def label(self) -> str:
        """Its number and title, as people name it."""
        number = self.decision.number
        return self.decision.title if number is None else f"{number} {self.decision.title}"


class Page(msgspec.Struct, frozen=True):
    """One page with all that stands around it."""

    ref: str
    slug: str
    title: str
    role: Role
    html: Rendered
    contents: tuple[Heading, ...]
    tree: list[Branch]
    site: str  # the title of the docs
    home: str  # the address of their first page
    entity: Named
    owner: Named | None
    change: Change
    path: str
    view: str  # where people read the file, and where they change it
    edit: str
    runbook: Runbook | None = None
    decided: Decided | None = None
    concerned: tuple[Named, ...] = ()
    older: tuple[Decided, ...] = ()
    newer: tuple[Decided, ...] = ()

    @property
    def href(self) -> str:
        return paths.href(self.ref, self.slug)

    def to(self, slug: str) -> str:
        """The address of another page of the same docs."""
        return paths.href(self.ref, slug)


def has_docs(tx: Tx, ref: str) -> str | None:
    """The address of an entity's docs; None where it has none."""
    site = _site(tx, ref)
    return paths.href(ref, "") if site is not None and site.pages else None


def page(tx: Tx, ref: EntityRef, slug: str) -> Page:
    """A page of an entity's docs; "" is the first. Raises NotFound when there is none."""
    text = str(ref)
    site = _site(tx, text)
    if site is None or not site.pages:
        views.present(tx, ref)  # the nearest is named where there is no such entity
        raise NotFound(
            f"{ref} has no docs. Put Markdown files into docs/ beside its catalog file, or name "
            "their folder by the annotation backstage.io/techdocs-ref"
        )
    numbers = decisions.numbers(tx.conn, site.id)
    leaves = [
        trees.Leaf(row.path, row.slug, row.title, row.role, numbers.get(row.id))
        for row in pages.of_site(tx.conn, site.id)
    ]
    if not slug and (leaf := trees.first(leaves, site.nav)) is not None:
        slug = leaf.slug
    whole = pages.by_slug(tx.conn, site.id, slug)
    if whole is None:
        raise NotFound(f"The docs of {ref} have no page {slug}: it may have been moved or removed")
    refs = [text, *([site.owner] if site.owner else [])]
    names = views.name_all(tx, refs)
    hosted = sources.hosted(tx.conn, whole.source_id)
    inside = f"{hosted.folder}/{whole.path}" if hosted.folder else whole.path
    there = origins.file_pages(hosted.host, hosted.repository, hosted.branch, inside)
    found = Page(
        ref=text,
        slug=slug,
        title=whole.title,
        role=whole.role,
        html=drawing.draw(whole.text, whole.digest, whole.hrefs),
        contents=contents(whole.headings),
        tree=trees.around(trees.tree(site.title, leaves, site.nav), slug),
        site=site.title,
        home=paths.href(text, ""),
        entity=names[text],
        owner=names.get(site.owner),
        change=whole.change,
        path=whole.path,
        view=there.view,
        edit=there.edit,
    )
    return _with_role(tx, found, whole.id)


def contents(headings: Sequence[Heading]) -> tuple[Heading, ...]:
    """The highest two levels of headings that a page has."""
    if not headings:
        return ()
    top = min(heading.level for heading in headings)
    shown = tuple(heading for heading in headings if heading.level <= top + 1 and heading.title)
    if len(shown) > MOST_CONTENTS:
        shown = tuple(heading for heading in shown if heading.level == top)
    return shown[:MOST_CONTENTS]


def _with_role(tx: Tx, found: Page, page_id: int) -> Page:
    if found.role is Role.RUNBOOK:
        return msgspec.structs.replace(found, runbook=runbooks.of_page(tx, page_id))
    if found.role is not Role.DECISION or (row := decisions.one(tx.conn, page_id)) is None:
        return found
    older, newer = decisions.beside(tx.conn, page_id)
    refs = decisions.refs_of(tx.conn, page_id)
    rows = _decided(tx, [row, *older, *newer])
    names = views.name_all(tx, refs)
    return msgspec.structs.replace(
        found,
        decided=rows[0],
        older=tuple(rows[1 : 1 + len(older)]),
        newer=tuple(rows[1 + len(older) :]),
        concerned=tuple(names[ref] for ref in refs),
    )


def _decided(tx: Tx, rows: Sequence[decisions.Row]) -> list[Decided]:
    refs = {row.ref for row in rows} | {row.owner for row in rows if row.owner}
    names = views.name_all(tx, sorted(refs))
    return [
        Decided(
            paths.href(row.ref, row.slug),
            row.decision,
            row.at,
            names[row.ref],
            names.get(row.owner),
        )
        for row in rows
    ]


class Sites(msgspec.Struct, frozen=True):
    """A page of the list of docs."""

    items: list[Listed]
    total: int


def sites(tx: Tx, *, owner: str = "", limit: int = LIST, offset: int = 0) -> Sites:
    """Docs by title: all of them, or those of an owner."""
    rows, total = sources.listed(tx.conn, owner=owner, limit=limit, offset=offset)
    refs = {row.ref for row in rows} | {row.owner for row in rows if row.owner}
    names = views.name_all(tx, sorted(refs))
    return Sites(
        [
            Listed(
                row.ref,
                row.title,
                paths.href(row.ref, ""),
                names[row.ref],
                names.get(row.owner),
                row.pages,
                row.changed_at,
            )
            for row in rows
        ],
        total,
    )


class Line(msgspec.Struct, frozen=True):
    """A line of a panel; `note` stands beside it."""

    title: str
    href: str
    note: str = ""


class Around(msgspec.Struct, frozen=True):
    """The docs that stand on an entity's page."""

    home: str
    all_pages: int  # of its own docs
    pages: list[Line]
    decided: list[Line]
    more_decided: bool
    sites: list[Line]  # of what it owns, or of its parts
    total: int


def around(tx: Tx, ref: EntityRef) -> Around | None:
    """Docs and decisions of an entity, or of what a team owns or a system has in it."""
    text = str(ref)
    site = _site(tx, text)
    rows = pages.of_role(tx.conn, site.id, Role.PAGE) if site is not None else []
    decided = decisions.concerning(tx.conn, text, MOST_DECIDED + 1)
    owned, total = _of_others(tx, ref)
    if not rows and not decided and not owned:
        return None
    leaves = [trees.Leaf(row.path, row.slug, row.title, row.role) for row in rows]
    items = [
        item
        for branch in (trees.tree(site.title, leaves, site.nav) if site is not None else ())
        for item in branch.items
        if item.slug
    ]
    return Around(
        home=paths.href(text, ""),
        all_pages=site.pages if site is not None else 0,
        pages=[Line(item.title, paths.href(text, item.slug)) for item in items[:MOST_LISTED]],
        decided=[
            Line(
                row.title if row.number is None else f"{row.number} {row.title}",
                paths.href(row.ref, row.slug),
                "" if row.status == Status.UNKNOWN else row.status,
            )
            for row in decided[:MOST_DECIDED]
        ],
        more_decided=len(decided) > MOST_DECIDED,
        sites=owned,
        total=total,
    )


def _of_others(tx: Tx, ref: EntityRef) -> tuple[list[Line], int]:
    """Docs of what a team or a person owns, or of the parts of a system; and how many."""
    if ref.kind not in ("group", "user", "system"):
        return [], 0
    text, system = str(ref), ref.kind == "system"
    rows, total = sources.listed(
        tx.conn,
        owner="" if system else text,
        system=text if system else "",
        limit=MOST_LISTED,
    )
    found = [Line(row.title, paths.href(row.ref, ""), counted(row.pages, "page")) for row in rows]
    return found, total


def _site(tx: Tx, ref: str) -> sources.SiteRow | None:
    """The docs of an entity, asked for once a transaction."""
    return tx.once(("docs.site", ref), lambda: sources.site_of(tx.conn, ref))


class Question(msgspec.Struct, frozen=True):
    """Which decisions are asked for."""

    status: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    about: str = ""
    q: str = ""
    incomplete: bool = False


class Archive(msgspec.Struct, frozen=True):
    """A page of the list of decisions, and what it can be narrowed by."""

    items: list[Decided]
    total: int
    statuses: list[tuple[str, int]]
    owners: list[tuple[Named, int]]
    incomplete: int
    about: Named | None


def archive(tx: Tx, question: Question, limit: int = LIST, offset: int = 0) -> Archive:
    """Decisions, the newest first."""
    wanted = decisions.Wanted(
        question.status, question.owner, question.about, question.q, question.incomplete
    )
    rows, total = decisions.listed(tx.conn, wanted, limit, offset)
    statuses, owners, incomplete = decisions.counts(tx.conn)
    refs = [ref for ref, _ in owners] + ([question.about] if question.about else [])
    names = views.name_all(tx, refs)
    return Archive(
        _decided(tx, rows),
        total,
        statuses,
        [(names[ref], count) for ref, count in owners],
        incomplete,
        names.get(question.about),
    )


def picture(tx: Tx, name: str) -> tuple[str, bytes]:
    """An image of a page: its type and bytes. Raises NotFound when no page shows it."""
    found = sources.blob(tx.conn, name)
    if found is None:
        raise NotFound("no page shows this image any more")
    return found


def addresses(tx: Tx) -> list[tuple[str, str]]:
    """Address and entity of every page, and of the docs of every entity."""
    found = pages.all_addresses(tx.conn)
    homes = [(paths.href(ref, ""), ref) for ref in sorted({ref for ref, _ in found})]
    return homes + [(paths.href(ref, slug), ref) for ref, slug in found if slug]


def pictures(tx: Tx) -> list[str]:
    """Addresses of all images."""
    return [f"/docs/files/{name}" for name in sources.blob_names(tx.conn)]
