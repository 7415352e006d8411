"""Files that a failed visit announced: taken once, shown to whoever may see the check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.checks.store import evidence, reading
from pilothouse.checks.store.evidence import File
from pilothouse.kernel.errors import Invalid, NotFound

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

NAMES = {"screenshot.png": "image/png", "har.json": "application/json"}
MOST_BYTES = 8_000_000  # of one file
MOST_KEPT = 300_000_000  # of all of them
_PNG = b"\x89PNG\r\n\x1a\n"


def take(tx: Tx, at: str, result_id: int, file: File) -> None:
    """Keep a file of a visit from a location; "": from any.

    Raises NotFound for one that no kept result from there named, Invalid for what is none.
    """
    name, body = file.name, file.body
    if name not in NAMES:
        raise NotFound(f"evidence is called {' or '.join(NAMES)}")
    if (name.endswith(".png") and not body.startswith(_PNG)) or not body:
        raise Invalid(f"that is no {NAMES[name]}")
    if name.endswith(".json") and body.lstrip()[:1] != b"{":
        raise Invalid("that is no JSON object")
    found = [
        check
        for check, result in evidence.announced(tx.conn, result_id).items()
        if name in result.evidence and at in ("", result.location)
    ]
    if not found:
        raise NotFound(f"no result with the id {result_id} that is kept named a {name}")
    evidence.put(tx.conn, found[0], result_id, file)


def file(tx: Tx, ref: str, result_id: int, name: str) -> tuple[str, bytes]:
    """A file of a result of a check, and its content type. Raises NotFound."""
    check = reading.by_ref(tx.conn, [ref]).get(ref)
    body = evidence.get(tx.conn, check.id, result_id, name) if check else None
    if body is None or name not in NAMES:
        raise NotFound("that file is not kept (any more)")
    return NAMES[name], body


def shrink(tx: Tx) -> bool:
    """Delete a little where there is too much; whether there was."""
    return evidence.shrink(tx.conn, MOST_KEPT) > 0
