"""The pages of post-mortems: all of them, one, one section to be written, what was learned."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect

from pilothouse.incidents.model.postmortems import CAUSES, MOST_ACTIONS, Wanted
from pilothouse.incidents.service import (
    actions,
    keeping,
    learning,
    postmortems,
    reading,
    showing_postmortems,
)
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.errors import Conflict, Invalid, NotFound
from pilothouse.kernel.refs import EntityRef
from pilothouse.kernel.tx import Database
from pilothouse.kernel.web.access import needs
from pilothouse.kernel.web.asking import AnyRequest, text
from pilothouse.kernel.web.frame import Frame

VIEWER, RESPONDER = needs(Role.VIEWER), needs(Role.RESPONDER)
FORM: Any = Body(media_type=RequestEncodingType.URL_ENCODED)
MOST_TICKED = 200
MARKDOWN = "text/markdown; charset=utf-8"
WRITES = {"opt": RESPONDER, "sync_to_thread": True, "include_in_schema": False}


@get("/postmortems", opt=VIEWER, sync_to_thread=True)
def listing(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """All post-mortems, those to be written first, and the action items that stand."""
    with db.read(actor) as tx:
        found = showing_postmortems.listing(tx)
    return frame.page(request, "incidents/postmortems.html", title="Post-mortems", found=found)


@get("/learning", opt=VIEWER, sync_to_thread=True)
def learned(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """What incidents taught: items, causes, repeats, times, each with its list."""
    with db.read(actor) as tx:
        found = learning.learned(tx, text(request, "period"))
    return frame.page(
        request,
        "incidents/learning.html",
        title="What incidents taught",
        found=found,
        periods=learning.PERIODS,
    )


class Added(msgspec.Struct, frozen=True):
    """The form of an action item."""

    title: str = ""
    proof: str = ""
    owner: str = ""
    due_on: str = ""

    def wanted(self) -> Wanted:
        """Raises Invalid for what is no person's ref, or no day."""
        return Wanted(
            title=self.title,
            proof=self.proof,
            owner=person(self.owner),
            due_on=day(self.due_on),
        )


def person(written: str) -> str:
    """A person's ref. Raises Invalid."""
    if not written.strip():
        raise Invalid("Choose one person: an action item without an owner is nobody's.")
    found = EntityRef.parse(written.strip()[:400], "user")
    if found.kind != "user":
        raise Invalid(f"{found} is no person: an action item is exactly one person's.")
    return str(found)


def day(written: str) -> date:
    """A day. Raises Invalid."""
    try:
        return date.fromisoformat(written.strip())
    except ValueError:
        raise Invalid(f"{written[:40]!r} is no day; write 2026-12-01") from None


@get("/", opt=VIEWER, sync_to_thread=True)
def one(
    request: AnyRequest,
    number: FromPath[int],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """One post-mortem; where there is none yet, how to begin it."""
    with db.read(actor) as tx:
        incident = reading.incident(tx, number)
        if postmortems.find(tx, incident) is not None:
            return _page(request, frame, showing_postmortems.shown(tx, number))
    return frame.page(
        request,
        "incidents/postmortem_none.html",
        title=f"Incident {incident.number}",
        incident=incident,
        may=actor.role >= Role.RESPONDER,
    )


def _page(
    request: AnyRequest,
    frame: Frame,
    found: showing_postmortems.Shown,
    refused: Conflict | Invalid | None = None,
    said: Added | None = None,
) -> Response[str]:
    """The page; after an item was refused with what it was to say, and why."""
    return frame.page(
        request,
        "incidents/postmortem.html",
        title=f"Post-mortem: {found.whole.incident.title}",
        status_code=refused.status if refused else 200,
        found=found,
        refused=refused,
        full=isinstance(refused, Conflict),
        said=said or Added(),
        most=MOST_ACTIONS,
        causes=CAUSES,
        file=showing_postmortems.file_of(found.whole.incident.number),
    )


def _back(number: int, place: str = "") -> Redirect:
    return Redirect(f"/postmortems/{number}{place}", status_code=303)


@get("/files/{name:str}", opt=VIEWER, sync_to_thread=True)
def file(
    number: FromPath[int],
    name: FromPath[str],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Response[str]:
    """A post-mortem as a Markdown file."""
    if name != f"incident-{number}.md":
        raise NotFound("There is no such file.")
    with db.read(actor) as tx:
        body = keeping.markdown(tx, number)
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "content-security-policy": "default-src 'none'; sandbox",
    }
    return Response(body, media_type=MARKDOWN, headers=headers)


@post("/draft", status_code=303, **WRITES)
def draft(
    number: FromPath[int], actor: NamedDependency[Actor], db: NamedDependency[Database]
) -> Redirect:
    """Begin one with what is known."""
    with db.begin(actor) as tx:
        postmortems.draft(tx, reading.incident(tx, number))
    return _back(number)


class Text(msgspec.Struct, frozen=True):
    """The form of one section: its text, and the version it was read at."""

    text: str = ""
    base: int = 0


@get("/edit/{section:str}", opt=RESPONDER, sync_to_thread=True, include_in_schema=False)
def edit(
    request: AnyRequest,
    number: FromPath[int],
    section: FromPath[str],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """One section to be written."""
    with db.read(actor) as tx:
        found = showing_postmortems.editing(tx, number, section)
    return _editing(request, frame, found)


def _editing(
    request: AnyRequest, frame: Frame, found: showing_postmortems.Editing, status: int = 200
) -> Response[str]:
    return frame.page(
        request,
        "incidents/postmortem_edit.html",
        title=f"{found.title}: incident {found.incident.number}",
        status_code=status,
        found=found,
        href=f"/postmortems/{found.incident.number}",
    )


@post("/edit/{section:str}", status_code=303, **WRITES)
def save(  # noqa: PLR0913, PLR0917  a form, the place it is of, and who sends it
    request: AnyRequest,
    number: FromPath[int],
    section: FromPath[str],
    data: Annotated[Text, FORM],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Save a section; where somebody else changed the same place, both texts are shown."""
    name = postmortems.section_of(section)
    try:
        with db.begin(actor) as tx:
            incident = reading.incident(tx, number)
            postmortems.save(tx, incident, name, data.text, data.base)
    except postmortems.Clash as clash:
        with db.read(actor) as tx:
            found = showing_postmortems.editing(tx, number, section, clash)
        return _editing(request, frame, found, 409)
    return _back(number, f"#{name}")


@get("/versions/{section:str}", opt=VIEWER, sync_to_thread=True, include_in_schema=False)
def versions(
    request: AnyRequest,
    number: FromPath[int],
    section: FromPath[str],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """All versions of a section, each with what it changed."""
    name = postmortems.section_of(section)
    with db.read(actor) as tx:
        whole = postmortems.whole(tx, number)
        found = postmortems.versions(tx, whole.incident, name)
        shown = showing_postmortems.shown(tx, number)
    return frame.page(
        request,
        "incidents/postmortem_versions.html",
        title=f"{shown.part[name].title}: versions",
        found=found,
        shown=shown,
        name=name,
    )


class Chosen(msgspec.Struct, frozen=True):
    """Boxes that were ticked: one of a name is text, several are a list."""

    pick: str | list[str] = ""
    cause: str | list[str] = ""


def _all(ticked: str | list[str]) -> list[str]:
    return [ticked] if isinstance(ticked, str) else ticked[:MOST_TICKED]


@post("/picks", status_code=303, **WRITES)
def pick(
    number: FromPath[int],
    data: Annotated[Chosen, FORM],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Redirect:
    """Put lines of the incident's timeline into the text."""
    with db.begin(actor) as tx:
        postmortems.pick(tx, reading.incident(tx, number), _all(data.pick))
    return _back(number, "#timeline")


class Noted(msgspec.Struct, frozen=True):
    """Small forms: a thought, a reason, evidence."""

    text: str = ""
    why: str = ""
    evidence: str = ""


@post("/notes", status_code=303, **WRITES)
def note(
    number: FromPath[int],
    data: Annotated[Noted, FORM],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Redirect:
    """Keep a thought that is no action item."""
    with db.begin(actor) as tx:
        postmortems.note(tx, reading.incident(tx, number), data.text)
    return _back(number, "#notes")


@post("/causes", status_code=303, **WRITES)
def set_causes(
    number: FromPath[int],
    data: Annotated[Chosen, FORM],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Redirect:
    """Which kinds of causes it had."""
    with db.begin(actor) as tx:
        kinds = [one for one in _all(data.cause) if one]
        postmortems.set_causes(tx, postmortems.whole(tx, number), kinds)
    return _back(number, "#causes")


@post("/publish", status_code=303, **WRITES)
def publish(
    number: FromPath[int], actor: NamedDependency[Actor], db: NamedDependency[Database]
) -> Redirect:
    """Publish it: two sprints run for its items."""
    with db.begin(actor) as tx:
        postmortems.publish(tx, number)
    return _back(number)


@post("/waive", status_code=303, **WRITES)
def waive(
    number: FromPath[int],
    data: Annotated[Noted, FORM],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Redirect:
    """It need not be written, says somebody by name."""
    with db.begin(actor) as tx:
        postmortems.waive(tx, number, data.why)
    return _back(number)


@post("/take-up", status_code=303, **WRITES)
def take_up(
    number: FromPath[int], actor: NamedDependency[Actor], db: NamedDependency[Database]
) -> Redirect:
    """It is to be written after all."""
    with db.begin(actor) as tx:
        postmortems.take_up(tx, number)
    return _back(number)


@post("/actions", status_code=303, **WRITES)
def add(
    request: AnyRequest,
    number: FromPath[int],
    data: Annotated[Added, FORM],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Add an action item; one that is refused stays in the form, with the reason."""
    try:
        with db.begin(actor) as tx:
            actions.add(tx, number, data.wanted())
    except (Conflict, Invalid) as error:
        with db.read(actor) as tx:
            found = showing_postmortems.shown(tx, number)
        return _page(request, frame, found, error, data)
    return _back(number, "#actions")


@post("/actions/{slot:int}", status_code=303, **WRITES)
def change(
    number: FromPath[int],
    slot: FromPath[int],
    data: Annotated[Added, FORM],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Redirect:
    """Say an item better, give it to somebody else, move its deadline within the two sprints."""
    with db.begin(actor) as tx:
        actions.change(tx, number, slot, data.wanted())
    return _back(number, f"#item-{slot}")


@post("/actions/{slot:int}/done", status_code=303, **WRITES)
def done(
    number: FromPath[int],
    slot: FromPath[int],
    data: Annotated[Noted, FORM],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Redirect:
    """An item is done; here one sees it."""
    with db.begin(actor) as tx:
        actions.done(tx, number, slot, data.evidence)
    return _back(number, f"#item-{slot}")


@post("/actions/{slot:int}/drop", status_code=303, **WRITES)
def drop(
    number: FromPath[int],
    slot: FromPath[int],
    data: Annotated[Noted, FORM],
    actor: NamedDependency[Actor],
    db: NamedDependency[Database],
) -> Redirect:
    """An item is not to be done, says somebody by name."""
    with db.begin(actor) as tx:
        actions.drop(tx, number, slot, data.why)
    return _back(number, f"#item-{slot}")


reading_one = [one, file, edit, versions]
writing_one = [
    draft, save, pick, note, set_causes, publish, waive, take_up, add, change, done, drop,
]  # fmt: skip
one_postmortem = Router("/postmortems/{number:int}", route_handlers=[*reading_one, *writing_one])
routes = [listing, learned, one_postmortem]
