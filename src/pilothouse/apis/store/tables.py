"""The tables of apis. A definition is kept once by its digest, ready to be shown."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from pilothouse.kernel.db import Instant, key, metadata

states = Table(
    "apis_states",
    metadata,
    Column("uid", String(32), primary_key=True),  # of the API's entity
    Column("ref", key(), nullable=False),
    Column("title", String(400), nullable=False),
    Column("owner", key(), nullable=False),  # a ref, or ""
    Column("version_id", Integer, nullable=False),  # of the catalog, up to which it was followed
    Column("digest", String(64)),  # of its definition now
    Column("base", String(64)),  # of its last definition that could be read
    Column("read_as", Integer, nullable=False),  # service.references.READ_AS of then
    Index("ix_apis_states_ref", "ref"),
    Index("ix_apis_states_digest", "digest"),
)

definitions = Table(
    "apis_definitions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("read_as", Integer, nullable=False),  # older than the program's: to be read again
    Column("style", String(20), nullable=False),
    Column("problem", Text),  # why it cannot be read
    Column("operations", Integer, nullable=False),  # how many there are
    Column("schemas", Integer, nullable=False),
    Column("overview", Text, nullable=False),  # JSON of model.Contract without its parts
)

operations = Table(
    "apis_operations",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("slug", key(120), nullable=False),
    Column("group", key(200), nullable=False),
    Column("verb", String(40), nullable=False),
    Column("path", key(2000), nullable=False),
    Column("title", String(400), nullable=False),
    Column("deprecated", Integer, nullable=False),
    Column("words", Text, nullable=False),  # what a search looks through
    Column("needs", Text, nullable=False),  # JSON list: names of schemas that its page shows
    Column("body", Text, nullable=False),  # JSON of model.Operation
    Index("uq_apis_operations_slug", "digest", "slug", unique=True),
    Index("ix_apis_operations_group", "digest", "group", "position"),
)

schemas = Table(
    "apis_schemas",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("slug", key(120), nullable=False),
    Column("name", key(2000), nullable=False),
    Column("needs", Text, nullable=False),  # JSON list: names of schemas that its page shows
    Column("body", Text, nullable=False),  # JSON of model.Schema
    Index("uq_apis_schemas_slug", "digest", "slug", unique=True),
    Index("ix_apis_schemas_name", "digest", "name"),
)

changes = Table(
    "apis_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uid", String(32), nullable=False),
    Column("version_id", Integer, nullable=False),  # of the catalog, that brought it
    Column("ref", key(), nullable=False),
    Column("at", Instant, nullable=False),
    Column("worst", String(20), nullable=False),  # model.Severity
    Column("breaking", Integer, nullable=False),
    Column("warnings", Integer, nullable=False),
    Column("safe", Integer, nullable=False),
    Column("author", String(300), nullable=False),
    Column("commit", String(64), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("findings", Text, nullable=False),  # JSON list of model.Finding
    Column("parties", Text, nullable=False),  # JSON list of model.Party, as they were then
    Index("uq_apis_changes_version", "uid", "version_id", unique=True),
    Index("ix_apis_changes_worst", "worst", "id"),
)

touched = Table(
    "apis_touched",
    metadata,
    Column("ref", key(), primary_key=True),  # of an entity that a change concerns
    Column("change_id", Integer, primary_key=True, autoincrement=False),
    Column("role", String(20), nullable=False),  # model.Role
    sqlite_with_rowid=False,
)
