"""Where entities come from, in Backstage's words: annotations, locations, ancestry."""

from __future__ import annotations

import hashlib
import posixpath
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from pilothouse.catalog.formats import locations
from pilothouse.catalog.store import brief, queries, sources
from pilothouse.catalog.store import locations as place_store
from pilothouse.catalog.store.queries import Row
from pilothouse.kernel.errors import Invalid, NotFound

if TYPE_CHECKING:
    from pilothouse.catalog.model import Source
    from pilothouse.kernel.refs import EntityRef
    from pilothouse.kernel.tx import Tx

# git@host:owner/repo.git, and addresses with a scheme, with or without a user
_SCP = re.compile(r"^(?:[^@/\s]+@)(?P<host>[^:/\s]+):(?P<path>[^\s]+)$")
_URL = re.compile(r"^(?P<scheme>https?|ssh|git)://(?:[^@/]+@)?(?P<host>[^/]+)/(?P<path>[^\s]+)$")
_SECRETS = re.compile(r"(?<=://)[^@/]*@|\?[^#]*")
_COMMIT = re.compile(r"\b[0-9a-f]{40}\b")
# Names of hosts and how their web pages show a file, its editor and its folder.
_PAGES = (
    ("gitlab", "-/blob", "-/edit", "-/tree"),
    ("bitbucket", "src", None, "src"),
    ("gitea", "src/branch", "_edit/branch", "src/branch"),
    ("forgejo", "src/branch", "_edit/branch", "src/branch"),
    ("codeberg", "src/branch", "_edit/branch", "src/branch"),
    ("github", "blob", "edit", "tree"),
)


class Location(msgspec.Struct, frozen=True, rename="camel"):
    """A source, as Backstage gives a registered location."""

    id: str
    type: str
    target: str
    entity_ref: str


class Ancestor(msgspec.Struct, frozen=True):
    """One step of the way from a registered source to an entity."""

    row: Row
    parents: tuple[str, ...]


class _Repository(msgspec.Struct, frozen=True):
    """A git source as its host shows it: `url[//folder][#branch]` is how sources name it."""

    web: str
    host: str
    folder: str
    revision: str


class FilePages(msgspec.Struct, frozen=True):
    """Where people read a file and where they change it; "" where its host is not known."""

    view: str = ""
    edit: str = ""


def file_pages(host: str, repository: str, revision: str, path: str) -> FilePages:
    """The pages that a host of repositories has for a file."""
    pages = next((one for one in _PAGES if one[0] in host), None)
    if pages is None:
        return FilePages()
    _, view, edit, _ = pages
    web = f"https://{host}/{repository}"
    editable = edit and not _COMMIT.search(revision)
    return FilePages(
        f"{web}/{view}/{revision}/{path}", f"{web}/{edit}/{revision}/{path}" if editable else ""
    )


@lru_cache(maxsize=4096)
def provenance(origin: str, path: str) -> dict[str, str]:
    """The annotations that Backstage would add to an entity from this file of this source."""
    kind, target = _location(origin)
    by, from_ = "backstage.io/managed-by-location", "backstage.io/managed-by-origin-location"
    repository = _repository(origin)
    if repository is None:
        file = origin if origin.endswith(f"/{path}") else posixpath.join(origin, path)
        return {by: f"file:{file}", from_: f"{kind}:{target}"}
    web, path = repository.web, posixpath.join(repository.folder, path)
    pages = next((one for one in _PAGES if one[0] in repository.host), None)
    if pages is None:
        return {by: f"url:{web}/{path}", from_: f"{kind}:{target}"}
    _, view, edit, tree = pages
    folder = posixpath.dirname(path)
    url = f"{web}/{view}/{repository.revision}/{path}"
    source = f"{web}/{tree}/{repository.revision}/{folder}{'/' if folder else ''}"
    found = {by: f"url:{url}", from_: f"{kind}:{target}", "backstage.io/view-url": url}
    if edit and not _COMMIT.search(repository.revision):
        found["backstage.io/edit-url"] = f"{web}/{edit}/{repository.revision}/{path}"
    return found | {"backstage.io/source-location": f"url:{source}"}


def annotate(body: dict[str, Any], origin: str, path: str) -> None:
    """Add what the source says to a body of our own; what the file says stays."""
    said = body["metadata"].get("annotations") or {}
    body["metadata"]["annotations"] = {**provenance(origin, path), **said}


def shown(origin: str) -> str:
    """A source as anybody may see it: without name, password and query."""
    return origin if _repository(origin) is None else _SECRETS.sub("", origin)


def web_address(origin: str) -> str:
    """Where a repository stands in the web, without secrets; "" for a folder or a file."""
    repository = _repository(origin)
    return repository.web if repository else ""


def _location(origin: str) -> tuple[str, str]:
    return ("file" if _repository(origin) is None else "url", shown(origin))


def _repository(origin: str) -> _Repository | None:
    """None for a folder or a file."""
    address, _, revision = origin.partition("#")
    match = _URL.match(address.partition("?")[0]) or _SCP.match(address)
    if match is None:
        return None
    said = match.groupdict()
    scheme = "http" if said.get("scheme") == "http" else "https"
    host = match["host"].lower()
    if said.get("scheme") in ("ssh", "git"):
        host = host.partition(":")[0]  # the port of ssh is not that of the web
    name, _, folder = match["path"].partition("//")
    web = f"{scheme}://{host}/{name.strip('/').removesuffix('.git')}"
    return _Repository(web, host, folder.strip("/"), revision or "HEAD")


def all_locations(tx: Tx) -> list[Location]:
    """Every source, in the order it was given."""
    return [_as_location(source) for source in sources.all_sources(tx.conn)]


def location(tx: Tx, location_id: str) -> Location:
    """Raises NotFound for an id that no source has."""
    for found in all_locations(tx):
        if found.id == location_id:
            return found
    raise NotFound(f"Found no location with ID {location_id}")


def location_of(tx: Tx, ref: EntityRef) -> Location:
    """The source of an entity. Raises NotFound when it is not in the catalog."""
    place = brief.places(tx.conn, [str(ref)]).get(str(ref))
    if place is None:
        raise NotFound(f"found no entity for ref {ref}")
    return location(tx, str(place.source_id))


def _as_location(source: Source) -> Location:
    kind, target = _location(source.spec)
    digest = hashlib.sha1(f"{kind}:{target}".encode(), usedforsecurity=False).hexdigest()
    return Location(str(source.id), kind, target, f"location:default/generated-{digest}")


def ancestry(tx: Tx, ref: EntityRef) -> list[Ancestor]:
    """An entity, the Locations that name its file, those that name theirs, and so on.

    Raises NotFound when the entity is not in the catalog.
    """
    rows = queries.by_refs(tx.conn, [str(ref)])
    if not rows:
        raise NotFound(f"No such entity {ref}")
    source_id = brief.places(tx.conn, [str(ref)])[str(ref)].source_id
    including = place_store.including_files(tx.conn, source_id)
    named = place_store.located(tx.conn, source_id, sorted(including)) if including else []
    found: list[Ancestor] = []
    seen, waiting = {str(ref)}, [rows[str(ref)]]
    while waiting:
        row = waiting.pop(0)
        parents = [one for one in named if one.ref != row.ref and _names(one, row.path)]
        found.append(Ancestor(row, tuple(one.ref for one in parents)))
        waiting += [one for one in parents if one.ref not in seen]
        seen |= {one.ref for one in parents}
    return found


def _names(one: Row, path: str) -> bool:
    """Whether a Location entity names a file of its source."""
    for item in locations.location_spec(msgspec.json.decode(one.body)).targets:
        hosted = locations.hosted_file(item.target)
        try:
            target = hosted.path if hosted else locations.resolve_path(one.path, item.target)
        except Invalid:
            continue
        if target == path:
            return True
        if locations.is_glob(target) and locations.matching(target, [path]):
            return True
    return False
