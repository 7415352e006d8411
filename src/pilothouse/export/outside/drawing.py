"""Pages drawn by the portal's own application, asked within this process as a viewer would."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import msgspec
import structlog
from litestar import Request

from pilothouse.catalog.service.views import NAMES
from pilothouse.export.model import Drawn, Failed, Planned
from pilothouse.export.rules.links import Copier
from pilothouse.export.rules.private import scrub, scrub_page
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.program import Program
from pilothouse.kernel.web.frame import DRAWN, Frame
from pilothouse.kernel.words import stamp

log = structlog.get_logger("pilothouse.export")

READER = Actor("copy", "a reader of the copy", Role.VIEWER)
FINE, GONE = 200, frozenset((404, 410))
NOT_THERE = "it is not there any more"
TEXTS = ("text/", "application/json", "application/yaml", "application/xml", "image/svg")
MARKED = ("text/html", "application/xml", "image/svg")


class Site(msgspec.Struct, frozen=True):
    """What whoever draws must know of the whole copy."""

    files: dict[str, str]  # by address
    contacts: frozenset[str]
    at: datetime


class Finish:
    """Makes pages of the copy of pages of the portal, and draws those that only the copy has."""

    def __init__(self, program: Program, site: Site) -> None:
        self.frame = Frame(program.modules, site.files)
        self._at = stamp(site.at)
        self._contacts = site.contacts
        self._copier = Copier(site.files)

    def page(self, planned: Planned, known: str, html: str) -> Drawn:
        """A page of the portal as a page of the copy."""
        html = scrub_page(html, self._contacts)
        copied = self._copier.copy(html, planned.address, planned.file)
        done = _drawn(planned, known, copied.html.encode(), self._at)
        return msgspec.structs.replace(
            done, links=tuple(sorted(copied.links)), assets=tuple(sorted(copied.assets))
        )

    def file(self, planned: Planned, known: str, kind: str, data: bytes) -> Drawn:
        """Something else as a file of the copy."""
        if kind.startswith(TEXTS):
            clean = scrub_page if kind.startswith(MARKED) else scrub
            data = clean(data.decode("utf-8", "replace"), self._contacts).encode()
        return _drawn(planned, known, data, None)

    def own(self, planned: Planned, known: str, template: str, **context: Any) -> Drawn:
        """A page that only the copy has."""
        request = Request[Any, Any, Any](scope_of(planned.address))  # pyright: ignore[reportArgumentType]
        answer = self.frame.page(request, f"export/{template}", **context)
        return self.page(planned, known, answer.content)


class Painter:
    """Draws pages of one copy."""

    def __init__(self, program: Program, site: Site) -> None:
        from pilothouse.kernel.web.build import Application
        from pilothouse.kernel.web.live import Live
        from pilothouse.kernel.web.serving import Served

        self._finish = Finish(program, site)
        self._names: dict[str, Any] = {}  # of entities, that pages of one batch share
        db = dataclasses.replace(program.db, shared={NAMES: self._names})
        inner = Program(program.settings, db, program.modules)
        self._app: Any = Application(Served(inner, self._finish.frame, Live(db)))

    def draw(self, wanted: Sequence[tuple[Planned, str]]) -> list[Drawn | Failed]:
        """Draw pages, each given with the digest that the copy has of it, "" for none."""
        self._names.clear()  # they may be others by now
        return asyncio.run(self._draw(wanted))

    async def _draw(self, wanted: Sequence[tuple[Planned, str]]) -> list[Drawn | Failed]:
        return [await self._one(planned, known) for planned, known in wanted]

    async def _one(self, planned: Planned, known: str) -> Drawn | Failed:
        try:
            status, kind, body = await _ask(self._app, planned.address)
        except Exception as error:
            log.exception("export.not_drawn", address=planned.address)
            return Failed(planned.address, f"{type(error).__name__}: {error}")
        if status in GONE:
            return Failed(planned.address, NOT_THERE)
        if status != FINE:
            return Failed(planned.address, f"the portal answered {status}")
        if planned.page:
            return self._finish.page(planned, known, body.decode())
        return self._finish.file(planned, known, kind, body)


def _drawn(planned: Planned, known: str, data: bytes, at: str | None) -> Drawn:
    """Whether it says anything new is judged without the time at which it was drawn."""
    digest = digest_of(data)
    if digest == known:
        return Drawn(planned.address, planned.file, digest)
    if at is not None:
        data = data.replace(DRAWN.encode(), at.encode())
    return Drawn(planned.address, planned.file, digest, data=data)


def digest_of(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


async def _ask(app: Any, address: str) -> tuple[int, str, bytes]:
    """Status, content type and body of one address."""
    said: list[Mapping[str, Any]] = []

    async def receive() -> Mapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        said.append(message)

    await app(scope_of(address), receive, send)
    body = b"".join(message.get("body", b"") for message in said[1:])
    headers = dict(said[0]["headers"])
    return said[0]["status"], headers.get(b"content-type", b"").decode("latin-1"), body


def scope_of(address: str) -> dict[str, Any]:
    """The ASGI scope of a GET by the reader of the copy."""
    path, _, query = address.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"accept", b"text/html,*/*")],
        "client": ("127.0.0.1", 0),
        "server": ("localhost", 80),
        "state": {},
        "user": READER,
    }
