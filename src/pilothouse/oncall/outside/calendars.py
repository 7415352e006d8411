"""Calendars that schedules name: a file beside their document, or an https address."""

from __future__ import annotations

import posixpath
from contextlib import closing
from typing import TYPE_CHECKING

from pilothouse.catalog.outside.sources import open_source
from pilothouse.kernel import outgoing
from pilothouse.kernel.errors import Invalid
from pilothouse.oncall.formats.ics import MOST_BYTES

if TYPE_CHECKING:
    from pathlib import Path

OK = 200


def beside(spec: str, workdir: Path, document: str, path: str) -> bytes:
    """A file of a source, named from the folder of a document.

    Raises NotFound, Invalid for one that is too large or outside, SourceUnreachable.
    """
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(document), path))
    if path.startswith("/") or joined.startswith(("..", "/")):
        raise Invalid(f"{path} leads out of the source")
    with closing(open_source(spec, workdir)) as source:
        return source.read(joined, MOST_BYTES)


def fetch(url: str, trusted: frozenset[str]) -> bytes:
    """A calendar of the web. Raises Forbidden, Unreachable, Invalid for an answer that is none."""
    reply = outgoing.fetch("GET", url, {"Accept": "text/calendar"}, trusted=trusted)
    if reply.status != OK:
        raise Invalid(f"{outgoing.host_of(url)} answered {reply.status}")
    return reply.body
