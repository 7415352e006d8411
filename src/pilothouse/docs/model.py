"""The nouns of docs: sites of pages, runbooks with their steps, decisions with their questions."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class Role(StrEnum):
    """What a page is for."""

    PAGE = "page"
    RUNBOOK = "runbook"
    DECISION = "decision"


class Heading(msgspec.Struct, frozen=True):
    """A heading of a page, as its table of contents has it."""

    level: int  # 2 is the highest; the title of the page is none of them
    title: str
    anchor: str
    line: int


class Link(msgspec.Struct, frozen=True):
    """Where a page points to, as written."""

    target: str
    line: int
    image: bool = False


class Section(msgspec.Struct, frozen=True):
    """The plain text under one heading; the first has none."""

    title: str
    anchor: str
    text: str


class Step(msgspec.Struct, frozen=True):
    """Something to do, of a runbook's task lists; it can be ticked off."""

    text: str
    section: str = ""  # the heading that it stands under
    depth: int = 0  # 0: of the list itself; 1: part of the step before it
    commands: tuple[str, ...] = ()
    done: bool = False  # ticked in the file itself
    line: int = 1


class Fault(msgspec.Struct, frozen=True):
    """What is wrong in a file, before anybody judges how much it weighs."""

    code: str
    message: str
    line: int = 1
    found: str | None = None
    expected: str | None = None
    hint: str | None = None


class FrontMatter(msgspec.Struct, frozen=True):
    """What stands between the first two `---`; {} where it cannot be read."""

    values: dict[str, Any] = {}
    lines: int = 0  # that it takes
    faults: tuple[Fault, ...] = ()


class Parsed(msgspec.Struct, frozen=True):
    """What a Markdown file says, but for how it looks."""

    title: str
    front: FrontMatter
    headings: tuple[Heading, ...] = ()
    anchors: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    sections: tuple[Section, ...] = ()
    steps: tuple[Step, ...] = ()
    faults: tuple[Fault, ...] = ()


class Rendered(msgspec.Struct, frozen=True):
    """HTML that is safe to show."""

    html: str
    has_diagrams: bool = False


class NavEntry(msgspec.Struct, frozen=True):
    """A place in the order of pages; without a path it is the heading of its children."""

    title: str
    path: str = ""  # within the docs folder
    url: str = ""  # elsewhere
    children: tuple[NavEntry, ...] = ()


class MkDocs(msgspec.Struct, frozen=True):
    """What is read of a mkdocs.yml."""

    site_name: str = ""
    docs_dir: str = "docs"
    nav: tuple[NavEntry, ...] = ()
    ignored: tuple[str, ...] = ()  # plugins, extensions of Markdown that are not read
    faults: tuple[Fault, ...] = ()


class Declared(msgspec.Struct, frozen=True):
    """What docs need to know of an entity of a source."""

    ref: str
    kind: str  # lower case
    title: str
    path: str  # of its catalog file
    owner: str = ""
    system: str = ""
    techdocs: str = ""  # backstage.io/techdocs-ref
    decisions: str = ""  # backstage.io/adr-location
    runbooks: tuple[tuple[str, str], ...] = ()  # links of type runbook: title, url


class Site(msgspec.Struct, frozen=True):
    """The docs of one entity in one source, before they are kept."""

    ref: str
    title: str
    root: str  # the folder that its pages are named from
    owner: str = ""
    system: str = ""
    folders: tuple[str, ...] = ()  # whose Markdown files are its pages
    files: tuple[str, ...] = ()  # and single ones
    archives: tuple[str, ...] = ()  # folders of decisions
    runbooks: tuple[str, ...] = ()  # pages that a link names as runbooks
    config: str = ""  # its mkdocs.yml
    nav: tuple[NavEntry, ...] = ()  # paths within the source


class Status(StrEnum):
    """How a decision stands."""

    DRAFT = "draft"
    REVIEW = "in review"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DEPRECATED = "deprecated"
    SUPERSEDED = "superseded"
    UNKNOWN = "unknown"


class Question(StrEnum):
    """What a good decision answers."""

    PROBLEM = "problem"
    PROPOSAL = "proposed approach"
    ALTERNATIVES = "alternatives considered"
    RATIONALE = "rationale"


class Answer(msgspec.Struct, frozen=True):
    """A section that answers one of the questions."""

    question: Question
    title: str
    anchor: str


class Decision(msgspec.Struct, frozen=True):
    """A decision as its file says it."""

    title: str
    format: str  # "MADR", "adr-tools", "log4brains", "Rust RFC", "KEP", "document"
    number: int | None = None
    status: Status = Status.UNKNOWN
    said: str = ""  # the status as written
    date: str = ""  # as written, YYYY-MM-DD where it can be read
    deciders: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()  # refs that it names
    supersedes: tuple[str, ...] = ()  # numbers or paths, as written
    superseded_by: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()

    @property
    def missing(self) -> tuple[Question, ...]:
        """The questions that no section answers."""
        answered = {answer.question for answer in self.answers}
        return tuple(question for question in Question if question not in answered)


class Review(msgspec.Struct, frozen=True):
    """When somebody last saw to it that a runbook is right."""

    at: datetime | None  # None: nobody knows
    by: str = ""
    confirmed: bool = False  # said so by a person; otherwise the file was changed then
    stale: bool = False


class Kept(msgspec.Struct, frozen=True):
    """A page as far as looks at its source need it."""

    id: int
    site_id: int
    path: str
    slug: str
    title: str
    role: Role
    stamp: str
    digest: str
    anchors: tuple[str, ...]
    links: tuple[Link, ...]
    faults: tuple[Fault, ...]
    hrefs: dict[str, str]
    entries: int
    commit_id: str | None


class Change(msgspec.Struct, frozen=True):
    """Who last changed a file, and when; without an id it is not committed as it is."""

    at: datetime | None = None
    id: str | None = None
    author: str = ""
    subject: str = ""


class Runbook(msgspec.Struct, frozen=True):
    """What makes a page a runbook: what it is for, and its steps."""

    refs: tuple[str, ...]
    checks: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()


class Reading(msgspec.Struct, frozen=True):
    """A page as it was read in this look."""

    path: str
    ref: str  # of the entity whose docs it is in
    slug: str
    stamp: str
    role: Role
    text: str
    digest: str
    parsed: Parsed
    faults: tuple[Fault, ...]
    change: Change
    runbook: Runbook | None = None
    decision: Decision | None = None
    archive: str = ""


class Hosted(msgspec.Struct, frozen=True):
    """Where people see the files of a source; "" where that is not known."""

    host: str = ""
    repository: str = ""
    branch: str = ""
    folder: str = ""


class Picture(msgspec.Struct, frozen=True):
    """An image that pages show."""

    path: str
    stamp: str
    name: str  # of its address: a digest and an ending
    type: str
    body: bytes


class Filed(msgspec.Struct, frozen=True):
    """A decision in its archive, as far as others refer to it."""

    id: int
    path: str
    archive: str  # those of one archive refer to each other by number
    number: int | None
    supersedes: tuple[str, ...] = ()
    superseded_by: tuple[str, ...] = ()
