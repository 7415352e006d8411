"""The tables of docs: sources have sites, sites have pages; some are runbooks or decisions."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from pilothouse.kernel.db import Instant, key, metadata

sources = Table(
    "docs_sources",
    metadata,
    Column("source_id", Integer, primary_key=True, autoincrement=False),  # the catalog's
    Column("spec", String(2000), nullable=False),
    Column("host", key(300), nullable=False),  # where people see its files; "" where unknown
    Column("repository", key(500), nullable=False),
    Column("branch", String(300), nullable=False),
    Column("folder", String(1000), nullable=False),
    Column("digest", String(64), nullable=False),  # of the pages that others can link to
    Index("ix_docs_sources_repository", "host", "repository"),
)

sites = Table(
    "docs_sites",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source_id", Integer, nullable=False),
    Column("ref", key(), nullable=False),
    Column("title", key(400), nullable=False),
    Column("owner", key(), nullable=False),  # refs, "" where there is none
    Column("system", key(), nullable=False),
    Column("root", String(1000), nullable=False),
    Column("nav", Text, nullable=False),  # JSON list of model.NavEntry
    Column("pages", Integer, nullable=False),
    Column("changed_at", Instant),
    UniqueConstraint("source_id", "ref"),
    Index("ix_docs_sites_ref", "ref"),
    Index("ix_docs_sites_owner", "owner", "title"),
    Index("ix_docs_sites_system", "system", "title"),
    Index("ix_docs_sites_title", "title", "id"),
)

pages = Table(
    "docs_pages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source_id", Integer, nullable=False),
    Column("site_id", Integer, ForeignKey("docs_sites.id"), nullable=False),
    Column("path", key(1000), nullable=False),  # within the source
    Column("slug", key(1000), nullable=False),  # within the site, as its address has it
    Column("title", String(400), nullable=False),
    Column("role", String(20), nullable=False),  # model.Role
    Column("stamp", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Column("digest", String(64), nullable=False),  # of the text
    Column("headings", Text, nullable=False),  # JSON of model.Heading, Link, Fault …
    Column("anchors", Text, nullable=False),
    Column("links", Text, nullable=False),
    Column("faults", Text, nullable=False),
    Column("hrefs", Text, nullable=False),  # JSON object: link as written → where it leads
    Column("entries", Integer, nullable=False),  # of the search index
    Column("changed_at", Instant),
    Column("commit_id", String(64)),  # None: not committed as it is
    Column("commit_author", String(300)),
    Column("commit_subject", String(300)),
    UniqueConstraint("source_id", "path"),
    Index("ix_docs_pages_site_id", "site_id", "slug"),
)

runbooks = Table(
    "docs_runbooks",
    metadata,
    Column("page_id", Integer, ForeignKey("docs_pages.id"), primary_key=True, autoincrement=False),
    Column("checks", Text, nullable=False),  # JSON list
    Column("steps", Text, nullable=False),  # JSON list of model.Step
    Column("touched_at", Instant),
    Column("confirmed_at", Instant),
    Column("confirmed_by", String(300)),
    Column("reviewed_at", Instant),  # the later of the two
    Index("ix_docs_runbooks_reviewed_at", "reviewed_at", "page_id"),
)

runbook_refs = Table(
    "docs_runbook_refs",
    metadata,
    Column("ref", key(), primary_key=True),
    Column("page_id", Integer, primary_key=True, autoincrement=False),
    Index("ix_docs_runbook_refs_page_id", "page_id"),
    sqlite_with_rowid=False,
)

confirmations = Table(
    "docs_confirmations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source_id", Integer, nullable=False),
    Column("path", key(1000), nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor", String(300), nullable=False),
    Column("name", String(300), nullable=False),
    Column("digest", String(64), nullable=False),  # of the text that was found right
    Index("ix_docs_confirmations_path", "source_id", "path", "id"),
)

decisions = Table(
    "docs_decisions",
    metadata,
    Column("page_id", Integer, ForeignKey("docs_pages.id"), primary_key=True, autoincrement=False),
    Column("source_id", Integer, nullable=False),
    Column("archive", key(1000), nullable=False),
    Column("number", Integer),
    Column("title", key(400), nullable=False),
    Column("format", String(40), nullable=False),
    Column("status", key(40), nullable=False),  # model.Status
    Column("at", Instant),  # its date, else when its file changed
    Column("missing", Integer, nullable=False),  # of the four questions
    Column("body", Text, nullable=False),  # JSON of model.Decision
    Index("ix_docs_decisions_at", "at", "page_id"),
    Index("ix_docs_decisions_status", "status", "at"),
    Index("ix_docs_decisions_source_id", "source_id"),
)

decision_refs = Table(
    "docs_decision_refs",
    metadata,
    Column("ref", key(), primary_key=True),
    Column("page_id", Integer, primary_key=True, autoincrement=False),
    Index("ix_docs_decision_refs_page_id", "page_id"),
    sqlite_with_rowid=False,
)

supersedes = Table(
    "docs_supersedes",
    metadata,
    Column("newer", Integer, primary_key=True, autoincrement=False),
    Column("older", Integer, primary_key=True, autoincrement=False),
    Index("ix_docs_supersedes_older", "older"),
    sqlite_with_rowid=False,
)

pictures = Table(
    "docs_pictures",
    metadata,
    Column("source_id", Integer, primary_key=True, autoincrement=False),
    Column("path", key(1000), primary_key=True),
    Column("stamp", String(200), nullable=False),
    Column("name", String(80), nullable=False),  # digest and ending: of its address
    Index("ix_docs_pictures_name", "name"),
)

blobs = Table(
    "docs_blobs",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("type", String(100), nullable=False),
    Column("body", LargeBinary, nullable=False),
)
