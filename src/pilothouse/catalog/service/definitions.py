"""Definitions of APIs for those who read them: their texts, their history, whom they concern."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from pilothouse.catalog.formats.yaml import Limits, read_documents
from pilothouse.catalog.model import Path, Position, Severity
from pilothouse.catalog.service import browsing
from pilothouse.catalog.store import definitions, queries
from pilothouse.catalog.store.definitions import Present, Step

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

__all__ = ["Parsed", "Present", "Step"]

LIMITS = Limits(bytes=60_000_000, alias_nodes=200_000)
DEEPEST = 100  # levels of JSON
LONG = 500_000  # characters
_BYTE = re.compile(r"\(byte (\d+)\)")


class Parsed(msgspec.Struct, frozen=True):
    """What a text of YAML or JSON says; `failed` says why it says nothing."""

    value: Any = None
    locate: Callable[[Path], Position] | None = None
    failed: str = ""
    line: int = 0


def present(tx: Tx, refs: Sequence[str]) -> dict[str, Present]:
    """Entities and the digests of their definitions, by ref; absent ones are left out."""
    return definitions.present(tx.conn, list(refs))


def apis(tx: Tx) -> list[Present]:
    """Every API in the catalog."""
    return definitions.present_of_kind(tx.conn, "api")


def steps(tx: Tx, uid: str, after: int = 0) -> list[Step]:
    """The versions of an entity after one of them, oldest first."""
    return definitions.steps(tx.conn, uid, after)


def text(tx: Tx, digest: str) -> str | None:
    """A definition by its digest."""
    return queries.definition(tx.conn, digest)


def owners(tx: Tx, refs: Sequence[str]) -> dict[str, str]:
    """The owner's ref of each entity that has one."""
    return definitions.owners(tx.conn, list(refs))


def related(tx: Tx, ref: str) -> list[tuple[str, str]]:
    """The relations of an entity that may have left the catalog: type and target."""
    return browsing.relations_of(tx, [ref])[ref]


def parse(text: str) -> Parsed:
    """YAML or JSON within the catalog's bounds; of several documents the first that is there."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            if len(text) > LONG:
                return _not_json(text, str(error))
            # read as YAML, which it may be, it is told better where it goes wrong
        else:
            if _within(value, DEEPEST):
                return Parsed(value)
            return Parsed(failed=f"it nests deeper than {DEEPEST} levels")
    reading = read_documents(text.encode(), limits=LIMITS)
    for problem in reading.problems:
        if problem.severity is Severity.ERROR:
            hint = f": {problem.hint}" if problem.hint else ""
            return Parsed(failed=f"{problem.message}{hint}", line=problem.line)
    if not reading.documents:
        return Parsed(failed="it is empty")
    document = reading.documents[0]
    return Parsed(document.value, document.locate)


def _not_json(text: str, said: str) -> Parsed:
    """Where long JSON goes wrong: reading it once more as YAML would take a minute."""
    found = _BYTE.search(said)
    line = text.encode()[: int(found[1])].count(b"\n") + 1 if found else 0
    return Parsed(failed=_BYTE.sub("", said).strip(), line=line)


def _within(value: Any, levels: int) -> bool:
    """Whether a value nests no deeper than so many levels."""
    if not isinstance(value, dict | list):
        return True
    items = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_within(item, levels - 1) for item in items)
