"""The shape of the data: from nothing, from the version before, and not from the one after."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from tests.kernel.opening import opened

from pilothouse import app
from pilothouse.kernel import migrations
from pilothouse.kernel.db import WRITE, connect, metadata
from pilothouse.kernel.errors import Conflict
from pilothouse.kernel.tx import Database

pytestmark = pytest.mark.empty
# Virtual, or made by one: Alembic sees other columns, and tables that belong to the index.
FULL_TEXT = ("catalog_texts", "search_texts")
GENERATED = ("words", "title_words")  # PostgreSQL keeps its full text in these columns
EVENT = (
    "INSERT INTO events (id, at, type, actor, source, data) "
    "VALUES ('e1', '2026-11-23 02:14:20', 'ship.left', 'system', 'pilothouse', '{}')"
)
JOB = (
    "INSERT INTO jobs (kind, key, payload, due_at, attempts) "
    "VALUES ('ring', 'bell', '{}', '2026-11-23 02:14:20', 3)"
)


@pytest.fixture
def empty(database_url):
    db = Database(connect(database_url))
    yield db
    db.engine.dispose()


def writing(db):
    return db.engine.connect().execution_options(**{WRITE: True})


def test_an_empty_database_is_brought_to_the_newest_shape(empty):
    assert migrations.upgrade(empty) is None
    with empty.read() as tx:
        assert migrations.current(tx.conn) == migrations.revisions()[-1]


def test_a_database_of_this_shape_is_let_be(empty):
    migrations.upgrade(empty)
    assert migrations.upgrade(empty) == migrations.revisions()[-1]


@pytest.mark.parametrize("older", migrations.revisions()[:-1])
def test_a_version_starts_on_the_data_of_those_before_and_keeps_it(empty, older):
    with migrations.locked(empty) as conn:
        migrations.run(conn, older)
        conn.execute(text(EVENT))
        conn.execute(text(JOB))
    assert migrations.upgrade(empty) == older
    with empty.read() as tx:
        assert migrations.current(tx.conn) == migrations.revisions()[-1]
        assert tx.conn.execute(text("SELECT id, type FROM events")).all() == [("e1", "ship.left")]
        assert tx.conn.execute(text("SELECT kind, attempts FROM jobs")).all() == [("ring", 3)]


def test_a_version_refuses_the_data_of_the_one_after(empty):
    migrations.upgrade(empty)
    with writing(empty) as conn, conn.begin():
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Conflict, match=r"newer Pilothouse \(its revision is 9999.*Start the newer"):
        migrations.upgrade(empty)


def test_a_migration_that_is_cut_off_leaves_nothing(empty):
    with pytest.raises(CutOffError), migrations.locked(empty) as conn:  # noqa: PT012
        migrations.run(conn, migrations.revisions()[-1])
        raise CutOffError
    with empty.read() as tx:
        assert migrations.current(tx.conn) is None
        assert inspect(tx.conn).get_table_names() == []


class CutOffError(Exception):
    """What ends a migration here."""


def test_the_tables_that_are_declared_are_those_that_migrations_make(database_url):
    app.modules()  # so that every table is declared
    for db in opened(database_url):
        with writing(db) as conn, conn.begin():
            context = MigrationContext.configure(
                conn,
                opts={
                    "compare_type": True,
                    "include_name": lambda name, kind, parents: (
                        not (kind == "table" and (name or "").startswith(FULL_TEXT))
                        and not (
                            name in GENERATED and parents.get("table_name") == "search_documents"
                        )
                        and not (kind == "index" and (name or "").endswith(GENERATED))
                    ),
                    "include_object": lambda _item, name, kind, _reflected, _to: (
                        not (kind == "table" and name.startswith(FULL_TEXT))
                    ),
                },
            )
            assert compare_metadata(context, metadata) == []


def test_revisions_stand_in_one_line(sqlite_url):
    db = Database(connect(sqlite_url))
    with db.engine.connect() as conn:
        script = ScriptDirectory.from_config(migrations.configuration(conn))
        assert script.get_heads() == [migrations.revisions()[-1]]
        assert [item.revision for item in script.walk_revisions()][::-1] == migrations.revisions()
    db.engine.dispose()
