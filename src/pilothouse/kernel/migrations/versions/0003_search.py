"""The index of full text."""

import string

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "search_documents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=400), nullable=False),
        sa.Column("origin", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("href", sa.String(length=2000), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("ref", sa.String(length=400), nullable=False),
        sa.Column("owner", sa.String(length=400), nullable=False),
        sa.Column("trail", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_documents")),
    )
    op.create_index("uq_search_documents_key", "search_documents", ["key"], unique=True)
    op.create_index("ix_search_documents_origin", "search_documents", ["origin"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        _sqlite_text()
    else:
        _postgresql_text()


def _sqlite_text() -> None:
    """FTS5 beside the table, kept by triggers; rows are replaced, never updated."""
    op.execute(
        "CREATE VIRTUAL TABLE search_texts USING fts5(title, text, content='search_documents', "
        "content_rowid='id', tokenize='unicode61 remove_diacritics 2', "
        "prefix='2 3', detail='column')"
    )
    op.execute(
        "CREATE TRIGGER search_documents_put AFTER INSERT ON search_documents BEGIN "
        "INSERT INTO search_texts(rowid, title, text) VALUES (new.id, new.title, new.text); END"
    )
    op.execute(
        "CREATE TRIGGER search_documents_drop AFTER DELETE ON search_documents BEGIN "
        "INSERT INTO search_texts(search_texts, rowid, title, text) "
        "VALUES ('delete', old.id, old.title, old.text); END"
    )


def _postgresql_text() -> None:
    """Words only: PostgreSQL's parser would keep a path or a host name as one word."""
    signs = string.punctuation.replace("'", "''").replace("\\", "\\\\").replace(":", "\\:")
    for column, of in (("title_words", "title"), ("words", "title || ' ' || text")):
        plain = f"translate({of}, E'{signs}', repeat(' ', {len(string.punctuation)}))"
        op.execute(
            f"ALTER TABLE search_documents ADD COLUMN {column} tsvector "
            f"GENERATED ALWAYS AS (to_tsvector('simple', {plain})) STORED"
        )
        op.execute(
            f"CREATE INDEX ix_search_documents_{column} ON search_documents USING gin ({column})"
        )
