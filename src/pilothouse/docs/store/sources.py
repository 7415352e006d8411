"""Sources, their sites, and the images that their pages show."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, delete, exists, func, insert, select, text, update

from pilothouse.docs.model import Hosted, NavEntry, Picture, Site
from pilothouse.docs.store.tables import blobs, pages, pictures, sites, sources
from pilothouse.kernel.db import upsert

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

AT_ONCE = 400  # values of one query
UNFINISHED = "unfinished"  # in place of a digest while a look writes
_ONE_WRITER = 8400_6  # the key of PostgreSQL's advisory lock for pictures


class SiteRow(msgspec.Struct, frozen=True):
    """A site as lists show it."""

    id: int
    source_id: int
    ref: str
    title: str
    owner: str
    system: str
    root: str
    pages: int
    changed_at: datetime | None
    nav: tuple[NavEntry, ...] = ()  # of one that is asked for by itself


_SHOWN = exists().where(pictures.c.name == blobs.c.name)
_SITE = [sites.c[name] for name in SiteRow.__struct_fields__ if name != "nav"]


def _site(row: Any) -> SiteRow:
    return SiteRow(*(getattr(row, column.name) for column in _SITE))


def put(conn: Connection, source_id: int, spec: str, hosted: Hosted) -> str:
    """Note a source; the digest of what others could link to at the last look."""
    known = conn.execute(select(sources.c.digest).where(sources.c.source_id == source_id)).scalar()
    values = {"spec": spec, **msgspec.structs.asdict(hosted)}
    if known is None:
        conn.execute(insert(sources).values(source_id=source_id, digest="", **values))
    else:
        conn.execute(update(sources).where(sources.c.source_id == source_id).values(**values))
    return known or ""


def mark(conn: Connection, source_id: int, digest: str) -> None:
    """Note how the last look ended: the digest of what others can link to, or UNFINISHED."""
    conn.execute(update(sources).where(sources.c.source_id == source_id).values(digest=digest))


def specs(conn: Connection) -> dict[int, str]:
    """Every source that has docs."""
    return {
        row.source_id: row.spec for row in conn.execute(select(sources.c.source_id, sources.c.spec))
    }


def hosted(conn: Connection, source_id: int) -> Hosted:
    columns = [sources.c[name] for name in Hosted.__struct_fields__]
    row = conn.execute(select(*columns).where(sources.c.source_id == source_id)).one_or_none()
    return Hosted(*row) if row else Hosted()


def of_repositories(conn: Connection, names: Collection[str]) -> dict[int, Hosted]:
    """Sources of these repositories, whatever their hosts."""
    columns = [sources.c[name] for name in Hosted.__struct_fields__]
    found: dict[int, Hosted] = {}
    wanted = sorted(names)
    for start in range(0, len(wanted), AT_ONCE):
        here = func.lower(sources.c.repository).in_(wanted[start : start + AT_ONCE])
        for row in conn.execute(select(sources.c.source_id, *columns).where(here)):
            found[row.source_id] = Hosted(row.host, row.repository, row.branch, row.folder)
    return found


def put_sites(conn: Connection, source_id: int, wanted: Sequence[Site]) -> dict[str, int]:
    """Write sites down; their ids by ref."""
    here = sites.c.source_id == source_id
    known = {row.ref: row.id for row in conn.execute(select(sites.c.id, sites.c.ref).where(here))}
    rows = [
        {
            "source_id": source_id,
            "ref": site.ref,
            "title": site.title[:400],
            "owner": site.owner,
            "system": site.system,
            "root": site.root,
            "nav": msgspec.json.encode(site.nav).decode(),
        }
        for site in wanted
    ]
    fresh = [row | {"pages": 0} for row in rows if row["ref"] not in known]
    if fresh:
        made = conn.execute(insert(sites).returning(sites.c.id, sites.c.ref), fresh)
        known |= {row.ref: row.id for row in made}
    for row in rows:
        conn.execute(update(sites).where(sites.c.id == known[row["ref"]]).values(row))
    return {site.ref: known[site.ref] for site in wanted}


def count_pages(conn: Connection, source_id: int) -> None:
    """Bring the counts of a source's sites up to date."""
    of_site = pages.c.site_id == sites.c.id
    total = select(func.count()).where(of_site).scalar_subquery()
    newest = select(func.max(pages.c.changed_at)).where(of_site).scalar_subquery()
    where = sites.c.source_id == source_id
    conn.execute(update(sites).where(where).values(pages=total, changed_at=newest))


def drop_sites(conn: Connection, source_id: int, kept: Collection[int] = ()) -> list[str]:
    """Forget the sites of a source, but for some; the refs of those that went."""
    here = sites.c.source_id == source_id
    rows = conn.execute(select(sites.c.id, sites.c.ref).where(here)).all()
    gone = [row for row in rows if row.id not in kept]
    for start in range(0, len(gone), AT_ONCE):
        ids = [row.id for row in gone[start : start + AT_ONCE]]
        conn.execute(delete(sites).where(sites.c.id.in_(ids)))
    return [row.ref for row in gone]


def drop(conn: Connection, source_id: int) -> None:
    """Forget a source that has no pages any more."""
    drop_pictures(conn, source_id, list(known_pictures(conn, source_id)))
    conn.execute(delete(sources).where(sources.c.source_id == source_id))


def site_of(conn: Connection, ref: str) -> SiteRow | None:
    """The docs of an entity."""
    query = select(*_SITE, sites.c.nav).where(sites.c.ref == ref)
    row = conn.execute(query.order_by(sites.c.source_id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    nav = msgspec.json.decode(row.nav, type=tuple[NavEntry, ...])
    return msgspec.structs.replace(_site(row), nav=nav)


def with_refs(conn: Connection, refs: Sequence[str]) -> set[int]:
    """Sources with docs of any of these entities."""
    found: set[int] = set()
    for start in range(0, len(refs), AT_ONCE):
        here = sites.c.ref.in_(refs[start : start + AT_ONCE])
        found |= set(conn.execute(select(sites.c.source_id).where(here).distinct()).scalars())
    return found


def sites_of(conn: Connection, source_id: int) -> list[SiteRow]:
    query = select(*_SITE).where(sites.c.source_id == source_id)
    return [_site(row) for row in conn.execute(query)]


def listed(
    conn: Connection, *, owner: str = "", system: str = "", limit: int = 100, offset: int = 0
) -> tuple[list[SiteRow], int]:
    """Sites by title, of an owner or a system if one is given; and how many there are."""
    where = sites.c.pages > 0
    if owner:
        where &= sites.c.owner == owner
    if system:
        where &= sites.c.system == system
    query = select(*_SITE).where(where).order_by(sites.c.title, sites.c.id)
    found = [_site(row) for row in conn.execute(query.limit(limit).offset(offset))]
    if not offset and len(found) < limit:
        return found, len(found)
    return found, conn.execute(select(func.count()).select_from(sites).where(where)).scalar_one()


def known_pictures(conn: Connection, source_id: int) -> dict[str, tuple[str, str]]:
    """Stamp and name of each image of a source, by path."""
    query = select(pictures.c.path, pictures.c.stamp, pictures.c.name)
    rows = conn.execute(query.where(pictures.c.source_id == source_id))
    return {row.path: (row.stamp, row.name) for row in rows}


def one_writer(conn: Connection) -> None:
    """Have the pictures to oneself until the transaction ends; SQLite's writers do anyway.

    Sources share contents: one must not forget what another begins to show.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_WRITER})


def put_pictures(conn: Connection, source_id: int, found: Sequence[Picture]) -> None:
    """Keep images, each content once."""
    if not found:
        return
    one_writer(conn)
    for picture in found:
        body = {"name": picture.name, "type": picture.type, "body": picture.body}
        conn.execute(
            upsert(conn, blobs).on_conflict_do_nothing(index_elements=[blobs.c.name]).values(body)
        )
        values = {"stamp": picture.stamp, "name": picture.name}
        conn.execute(
            upsert(conn, pictures)
            .values(source_id=source_id, path=picture.path, **values)
            .on_conflict_do_update(
                index_elements=[pictures.c.source_id, pictures.c.path], set_=values
            )
        )


def drop_pictures(
    conn: Connection, source_id: int, paths: Sequence[str], replaced: Collection[str] = ()
) -> None:
    """Forget images that no page shows any more, and contents that others took the place of."""
    if not paths and not replaced:
        return
    one_writer(conn)
    names = set(replaced)
    for start in range(0, len(paths), AT_ONCE):
        here = pictures.c.path.in_(paths[start : start + AT_ONCE])
        gone = delete(pictures).where(pictures.c.source_id == source_id, here)
        names |= set(conn.execute(gone.returning(pictures.c.name)).scalars())
    waiting = sorted(names)
    for start in range(0, len(waiting), AT_ONCE):
        part = blobs.c.name.in_(waiting[start : start + AT_ONCE])
        conn.execute(delete(blobs).where(part, ~_SHOWN))


def sweep_pictures(conn: Connection) -> None:
    """Forget all contents that no source shows: a look that was cut short may have left some."""
    one_writer(conn)
    conn.execute(delete(blobs).where(~_SHOWN))


def blob(conn: Connection, name: str) -> tuple[str, bytes] | None:
    """An image by its name: type and bytes."""
    row = conn.execute(select(blobs.c.type, blobs.c.body).where(blobs.c.name == name)).one_or_none()
    return (row.type, bytes(row.body)) if row else None


def blob_names(conn: Connection) -> list[str]:
    return list(conn.execute(select(blobs.c.name).order_by(blobs.c.name)).scalars())
