"""Entities by what their annotations say, for those who are told of a repository."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

import msgspec

from pilothouse.catalog.formats.locations import hosted_file
from pilothouse.catalog.rules.titles import title_of
from pilothouse.catalog.service import browsing, origins, views
from pilothouse.catalog.store.queries import Test, Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.kernel.tx import Tx

SOURCE_LOCATION = "backstage.io/source-location"
MOST = 2000


class Annotated(msgspec.Struct, frozen=True):
    """An entity and where it lies in its repository."""

    ref: str
    name: str  # in lower case
    values: tuple[str, ...]  # of the annotations asked for, in lower case
    folder: str  # within the repository; "" for all of it
    origin: str  # spec of its source


def annotated(tx: Tx, key: str, values: Sequence[str], kinds: Sequence[str]) -> list[Annotated]:
    """Entities of these kinds whose annotation `key` has one of these values, whatever the case."""
    path = f"metadata.annotations.{key}".lower()
    wanted = Wanted(
        filter=((Test(path, tuple(values)), Test("kind", tuple(kinds))),), order="ref", limit=MOST
    )
    found: list[Annotated] = []
    for row in browsing.find(tx, wanted).rows:
        body = msgspec.json.decode(row.body)
        said = body["metadata"].get("annotations") or {}
        value = str(said.get(key, "")).lower()
        found.append(
            Annotated(
                ref=row.ref,
                name=row.ref.rpartition("/")[2],
                values=(value,),
                folder=_folder(row.origin, row.path, said),
                origin=row.origin,
            )
        )
    return found


def _folder(origin: str, path: str, said: dict[str, Any]) -> str:
    """Where its code is: its source location, else the folder of its file."""
    location = said.get(SOURCE_LOCATION) or origins.provenance(origin, path).get(SOURCE_LOCATION)
    if isinstance(location, str):
        kind, _, target = location.partition(":")
        hosted = hosted_file(target) if kind == "url" else None
        if hosted is not None:
            return hosted.path.strip("/")
        if kind == "dir" and not target.startswith(("/", "http")):
            return posixpath.normpath(posixpath.join(posixpath.dirname(path), target)).strip("./")
    return posixpath.dirname(path)


def about(tx: Tx, refs: Sequence[str]) -> dict[str, tuple[str, str, str]]:
    """Of each entity that is there: its title, the ref of its owner ("" for none), its source."""
    found: dict[str, tuple[str, str, str]] = {}
    for ref, row in browsing.rows_of(tx, list(refs)).items():
        body = msgspec.json.decode(row.body)
        found[ref] = (title_of(body), views.owner_ref(ref, body) or "", row.origin)
    return found


class Stated(msgspec.Struct, frozen=True):
    """An entity as its document states it, and where that stands."""

    ref: str
    body: dict[str, Any]
    owner: str  # ref; "" for none
    origin: str
    path: str


def of_kinds(tx: Tx, kinds: Sequence[str], limit: int) -> list[Stated]:
    """The entities of these kinds (in lower case), whatever their source, by ref."""
    wanted = Wanted(filter=((Test("kind", tuple(kinds)),),), order="ref", limit=limit)
    found = []
    for row in browsing.find(tx, wanted).rows:
        body = msgspec.json.decode(row.body)
        owner = views.owner_ref(row.ref, body) or ""
        found.append(Stated(row.ref, body, owner, row.origin, row.path))
    return found


def sources_of(tx: Tx, refs: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Of each entity that is there: the source as people know it, and the file."""
    found = browsing.rows_of(tx, list(refs))
    return {ref: (origins.shown(row.origin), row.path) for ref, row in found.items()}


def annotations_of(tx: Tx, refs: Sequence[str]) -> dict[str, dict[str, str]]:
    """What the annotations of entities say, by ref; those that are not there are left out."""
    return {
        ref: _texts(msgspec.json.decode(row.body)["metadata"].get("annotations") or {})
        for ref, row in browsing.rows_of(tx, list(refs)).items()
    }


def _texts(said: Mapping[str, Any]) -> dict[str, str]:
    return {key: value for key, value in said.items() if isinstance(value, str)}


def called(tx: Tx, names: Sequence[str], kinds: Sequence[str]) -> dict[str, list[str]]:
    """Refs of entities of these kinds by their name; names in lower case."""
    wanted = Wanted(
        filter=((Test("metadata.name", tuple(names)), Test("kind", tuple(kinds))),),
        order="ref",
        limit=MOST,
    )
    found: dict[str, list[str]] = {}
    for row in browsing.find(tx, wanted).rows:
        found.setdefault(row.ref.rpartition("/")[2], []).append(row.ref)
    return found


def carrying(tx: Tx, key: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Of each entity that has this annotation: the ref of its owner ("" for none), all of them."""
    test = Test(f"metadata.annotations.{key}".lower())
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for row in browsing.find(tx, Wanted(filter=((test,),), order="ref", limit=MOST)).rows:
        body = msgspec.json.decode(row.body)
        said = _texts(body["metadata"].get("annotations") or {})
        found[row.ref] = (views.owner_ref(row.ref, body) or "", said)
    return found
