"""A copy of everything in one file, from either database and into either."""

import gzip
import json
import threading

import pytest
from sqlalchemy import func, insert, select
from tests.kernel.opening import opened

from pilothouse.catalog.service import passes
from pilothouse.kernel import migrations
from pilothouse.kernel.backup import read_backup, write_backup
from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.db import connect, metadata
from pilothouse.kernel.errors import Conflict, Invalid
from pilothouse.kernel.events import Event
from pilothouse.kernel.events import events as journal
from pilothouse.kernel.jobs import store
from pilothouse.kernel.measurements.store import days
from pilothouse.kernel.tx import Database

pytestmark = pytest.mark.empty  # what is restored makes the tables
WAYS = [("sqlite", "sqlite"), ("sqlite", "postgresql"), ("postgresql", "sqlite")]


@pytest.fixture
def two(request, tmp_path, way):
    """A database with something in it, and an empty one."""
    fixtures = {"sqlite": lambda: f"sqlite:///{tmp_path}/{uuid7()}.db"}
    if "postgresql" in way:
        fixtures["postgresql"] = lambda: request.getfixturevalue("postgres_url")
    urls = [fixtures[engine]() for engine in way]
    for source in opened(urls[0]):
        fill(source)
        target = Database(connect(urls[1]))
        yield source, target
        target.engine.dispose()


def fill(db):
    with db.begin() as tx:
        passes.register(tx, ["/somewhere"])
        for number in range(1500):
            tx.emit(Event(type="ship.left", data={"n": number}, dedup_key=f"voyage {number}"))
        tx.emit(Event(type="ship.sunk", entities=("component:default/tug",), data={"x": "ä\n'\"☃"}))
        tx.enqueue("ring", {"n": 1}, key="bell")
        tx.enqueue("ring", {"n": 2})
        rows = [{"rowid": 7, "text": "the tug Äolus"}, {"rowid": 9, "text": "a lighthouse"}]
        tx.conn.execute(insert(metadata.tables["catalog_texts"]), rows)
        tx.conn.execute(insert(days), [{"day": 1, "series_id": 2, "sketch": b"\0\xff bytes"}])


def everything(db):
    with db.read() as tx:
        return {
            table.name: [
                tuple(row)
                for row in tx.conn.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in metadata.sorted_tables
        }


@pytest.mark.parametrize("way", WAYS, ids="-to-".join)
def test_what_was_backed_up_is_restored_whole(two, tmp_path):
    source, target = two
    rows = write_backup(source, tmp_path / "copy")
    assert read_backup(target, tmp_path / "copy") == rows
    before, after = everything(source), everything(target)
    assert after == before
    assert len(after["events"]) == 1501
    with target.read() as tx:
        assert migrations.current(tx.conn) == migrations.revisions()[-1]


@pytest.mark.parametrize("way", WAYS, ids="-to-".join)
def test_numbering_goes_on_after_a_restore(two, tmp_path):
    source, target = two
    write_backup(source, tmp_path / "copy")
    read_backup(target, tmp_path / "copy")
    with target.begin() as tx:
        highest = tx.conn.execute(select(func.max(store.jobs.c.id))).scalar_one()
        tx.enqueue("ring")
        passes.register(tx, ["/elsewhere"])
        assert tx.conn.execute(select(func.max(store.jobs.c.id))).scalar_one() == highest + 1


@pytest.fixture
def copy(tmp_path):
    for db in opened(f"sqlite:///{tmp_path}/source.db"):
        fill(db)
        write_backup(db, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def target(database_url):
    db = Database(connect(database_url))
    yield db
    db.engine.dispose()


def is_empty(db):
    with db.read() as tx:
        return migrations.current(tx.conn) is None


def rewritten(copy, change):
    lines = gzip.decompress(copy.read_bytes()).splitlines(keepends=True)
    copy.write_bytes(gzip.compress(b"".join(change(lines))))


def test_a_truncated_file_restores_nothing(copy, target):
    data = copy.read_bytes()
    for share in (0.1, 0.6, 0.98):
        copy.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(Invalid, match="not a whole backup"):
            read_backup(target, copy)
        assert is_empty(target)
    copy.write_bytes(data)
    assert read_backup(target, copy) > 1500


def test_a_file_whose_end_was_cut_off_neatly_restores_nothing(copy, target):
    rewritten(copy, lambda lines: lines[:-1])
    with pytest.raises(Invalid, match="its end is missing"):
        read_backup(target, copy)
    assert is_empty(target)


def test_a_file_with_a_flipped_bit_restores_nothing(copy, target):
    data = bytearray(copy.read_bytes())
    for place in (len(data) // 2, len(data) - 6):  # in the data, in the checksum
        data[place] ^= 0x10
        copy.write_bytes(data)
        with pytest.raises(Invalid, match="not a"):
            read_backup(target, copy)
        assert is_empty(target)
        data[place] ^= 0x10


@pytest.mark.parametrize(
    ("content", "zipped"),
    [(b"", False), (b"hello", False), (b"", True), (b"hello", True), (b"{}", True)],
)
def test_a_foreign_file_is_refused(tmp_path, sqlite_url, content, zipped):
    (tmp_path / "copy").write_bytes(gzip.compress(content) if zipped else content)
    target = Database(connect(sqlite_url))
    with pytest.raises(Invalid, match=r"not a (whole )?backup"):
        read_backup(target, tmp_path / "copy")
    target.engine.dispose()


@pytest.mark.parametrize(
    "line",
    [
        b'{"table":"nowhere","columns":["id"],"rows":[[1]]}\n',
        b'{"table":"jobs","columns":["id","colour"],"rows":[[1,"red"]]}\n',
        b'{"table":"jobs","columns":["id","kind"],"rows":[[1]]}\n',
        b'{"table":1}\n',
    ],
)
def test_lines_that_do_not_fit_are_refused(copy, target, line):
    rewritten(copy, lambda lines: [lines[0], line, *lines[1:]])
    with pytest.raises(Invalid, match="not a backup that Pilothouse wrote"):
        read_backup(target, copy)
    assert is_empty(target)


@pytest.mark.parametrize(
    "rows",
    [
        [[1, 2, "c2VjcmV0"], [1, 2, "c2VjcmV0"]],  # twice the same key
        [[None, 2, "c2VjcmV0"]],
        [[{"hull": "secret"}, 2, "c2VjcmV0"]],
        [[10**19, 2, "c2VjcmV0"]],
    ],
)
def test_rows_that_the_database_refuses_are_refused_without_saying_them(copy, target, rows):
    columns = [column.name for column in days.columns]
    line = json.dumps({"table": days.name, "columns": columns, "rows": rows}).encode()
    rewritten(copy, lambda lines: [lines[0], line + b"\n", *lines[1:]])
    with pytest.raises(Invalid, match="not a backup that Pilothouse wrote") as refused:
        read_backup(target, copy)
    assert "secret" not in str(refused.value)
    assert is_empty(target)


def test_a_file_that_is_not_there_is_said(tmp_path, sqlite_url):
    target = Database(connect(sqlite_url))
    with pytest.raises(Invalid, match="does not exist"):
        read_backup(target, tmp_path / "copy")
    target.engine.dispose()


def test_a_database_that_is_not_empty_is_not_overwritten(copy, database_url):
    for db in opened(database_url):
        with db.begin() as tx:
            tx.enqueue("kept")
        with pytest.raises(Conflict, match="not empty"):
            read_backup(db, copy)
        with db.read() as tx:
            assert tx.conn.execute(select(store.jobs.c.kind)).scalars().all() == ["kept"]


def test_a_backup_of_a_newer_version_is_refused_by_its_version(copy, target):
    def newer(lines):
        header = json.loads(lines[0]) | {"revision": "9999", "version": "99.1"}
        return [json.dumps(header).encode() + b"\n", *lines[1:]]

    rewritten(copy, newer)
    with pytest.raises(Conflict, match=r"Pilothouse 99\.1, which is newer"):
        read_backup(target, copy)
    assert is_empty(target)


def test_a_backup_of_an_older_version_is_restored_and_brought_up(tmp_path, target):
    line = {
        "table": "jobs",
        "columns": ["id", "kind", "payload", "due_at", "attempts"],
        "rows": [[1, "ring", "{}", "2026-11-23T02:14:20Z", 3]],
    }
    header = {
        "format": "pilothouse-backup/1",
        "revision": "0001",
        "version": "0.0.1",
        "at": "2026-11-23T02:14:20Z",
    }
    lines = [header, line, {"table": "", "columns": [], "rows": []}]
    text_of = b"".join(json.dumps(item).encode() + b"\n" for item in lines)
    (tmp_path / "copy").write_bytes(gzip.compress(text_of))
    assert read_backup(target, tmp_path / "copy") == 1
    with target.read() as tx:
        assert migrations.current(tx.conn) == migrations.revisions()[-1]
        [row] = tx.conn.execute(select(store.jobs)).all()
    assert (row.kind, row.attempts) == ("ring", 3)


def test_the_file_is_for_its_owner_only_and_nothing_is_left_beside_it(copy):
    assert copy.stat().st_mode & 0o077 == 0
    assert list(copy.parent.glob(".*")) == []


def test_an_empty_database_is_not_backed_up(target, tmp_path):
    with pytest.raises(Conflict, match="nothing to back up"):
        write_backup(target, tmp_path / "copy")
    assert list(tmp_path.glob("*copy*")) == []


def test_a_backup_is_of_one_instant_while_others_write(database_url, tmp_path):
    """An event and its job are written together: both are in the copy, or neither."""
    stop = threading.Event()

    def write(db):
        while not stop.is_set():
            with db.begin() as tx:
                tx.emit(Event(type="ship.left"))
                tx.enqueue("ring")

    for db in opened(database_url):
        fill(db)
        threads = [threading.Thread(target=write, args=(db,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for number in range(3):
                write_backup(db, tmp_path / f"copy {number}")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    counts = []
    for number in range(3):
        target = Database(connect(f"sqlite:///{tmp_path}/target {number}.db"))
        read_backup(target, tmp_path / f"copy {number}")
        with target.read() as tx:
            left = select(func.count()).where(journal.c.dedup_key.is_(None))
            rung = select(func.count()).where(store.jobs.c.kind == "ring")
            counts.append((tx.conn.execute(left).scalar_one(), tx.conn.execute(rung).scalar_one()))
        target.engine.dispose()
    assert all(events - 1 == jobs - 2 for events, jobs in counts)
    assert counts[0] < counts[-1]
