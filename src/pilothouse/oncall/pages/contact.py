"""How one is reached: contact methods, in order, tested by one click."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlencode

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect

from pilothouse.catalog.service import views
from pilothouse.kernel import clock
from pilothouse.kernel.actors import Actor, Role
from pilothouse.kernel.auth.outside import keys
from pilothouse.kernel.errors import Busy, Invalid, NotFound, PilothouseError
from pilothouse.kernel.program import Program
from pilothouse.kernel.web.access import needs, public
from pilothouse.kernel.web.asking import AnyRequest, text
from pilothouse.kernel.web.frame import Frame
from pilothouse.kernel.web.limits import Buckets
from pilothouse.oncall.outside import providers, sending, web_push
from pilothouse.oncall.rules import contacts, links
from pilothouse.oncall.service import inbox, methods, noticing, showing_methods
from pilothouse.oncall.service.inbox import Kept

FORM: Any = Body(media_type=RequestEncodingType.URL_ENCODED)
OWN = needs(Role.VIEWER)  # … and it is one's own, or an admin asks: asked with the method
HERE = "/account/contact"
TESTS = Buckets(1 / 30, 6)  # of one who asks: each costs a provider's call, and may ring somewhere
Doing = Literal["test", "arrived", "remove", "up", "down"]
WORKER = """\
self.addEventListener("push", (event) => {
  const said = event.data ? event.data.json() : {};
  const shown = { body: said.body, tag: said.tag, data: said.url, requireInteraction: true };
  event.waitUntil(self.registration.showNotification(said.title || "Pilothouse", shown));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  if (event.notification.data) event.waitUntil(self.clients.openWindow(event.notification.data));
});
"""


class Adding(msgspec.Struct, frozen=True):
    """The form that adds a method."""

    channel: str = "email"
    address: str = ""
    after: str = "0"  # minutes
    urgency: str = "both"
    person: str = ""


@get("/", opt=OWN, sync_to_thread=True)
def contact(
    request: AnyRequest,
    actor: NamedDependency[Actor],
    program: NamedDependency[Program],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """One's methods, or those of the person an admin asks for."""
    return _page(request, program, frame, (actor, text(request, "person")))


def _page(
    request: AnyRequest, program: Program, frame: Frame, whose: tuple[Actor, str], **said: Any
) -> Response[str]:
    """`said`: what was wrong with the form, what was typed, the status."""
    actor, person = whose
    able = showing_methods.able(program.settings)
    with program.db.read(actor) as tx:
        found = showing_methods.page(tx, actor, person, able)
    key = keys.secret_key(program.settings)
    secrets = {
        one.id: links.webhook_secret(key, one.id)
        for one in found.methods
        if one.channel == "webhook"
    }
    return frame.page(
        request,
        "oncall/contact.html",
        title="How you are reached" if found.own else f"How {found.title} is reached",
        status_code=said.get("status", 200),
        found=found,
        labels=showing_methods.LABELS,
        secrets=secrets,
        push_key=web_push.public_key(key),
        form=said.get("form", Adding()),
        error=said.get("error", ""),
    )


@post("/", opt=OWN, sync_to_thread=True, status_code=303)
def add(
    request: AnyRequest,
    data: Annotated[Adding, FORM],
    actor: NamedDependency[Actor],
    program: NamedDependency[Program],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """One more method."""
    person = data.person or actor.ref or ""
    try:
        able = showing_methods.able(program.settings)
        if data.channel not in able:
            raise Invalid(f"{data.channel[:20]!r} is not set up here")
        delay = contacts.after(data.after)
        wanted = methods.wanted(data.channel, data.address, delay, data.urgency)
        with program.db.begin(actor) as tx:
            methods.add(tx, keys.secret_key(program.settings), person, wanted)
    except PilothouseError as error:
        said = {"error": str(error), "form": data, "status": error.status}
        return _page(request, program, frame, (actor, data.person), **said)
    return _back(actor, person)


@post("/{method:str}/{doing:str}", opt=OWN, sync_to_thread=True, status_code=303)
def change(
    method: FromPath[str],
    doing: FromPath[str],
    actor: NamedDependency[Actor],
    program: NamedDependency[Program],
) -> Redirect:
    """Test a method, say that the test arrived, move or remove it."""
    if doing not in get_args(Doing):
        raise NotFound("There is no page at this address.")
    which = method[:32]
    if doing == "test":
        return _back(actor, _test(program, actor, which))
    with program.db.begin(actor) as tx:
        if doing == "arrived":
            found = methods.arrived(tx, which)
        elif doing == "remove":
            found = methods.remove(tx, which)
        else:
            found = methods.move(tx, which, -1 if doing == "up" else 1)
    return _back(actor, found.person)


def _test(program: Program, actor: Actor, which: str) -> str:
    """Send a test now, so that the answer is there when the page is; whose method it is.

    Raises NotFound, and Busy where there were too many.
    """
    to = providers.of(program.settings, keys.secret_key(program.settings))
    with program.db.read(actor) as tx:
        person = methods.find(tx, which).person
        method = methods.opened(tx, to.key, which, person)
    if TESTS.wait(actor.id):
        raise Busy("that were many tests: wait half a minute")
    if method is None:
        raise NotFound("there is no such contact method")
    message = noticing.test_message(to.home, person, clock.uuid7(), clock.now())
    answer = sending.send(method, message, to)
    with program.db.begin(actor) as tx:
        methods.answered(tx, which, answer)
        if answer.fine:
            inbox.keep(tx, method, Kept(message))
    return person


def _back(actor: Actor, person: str) -> Redirect:
    query = "" if person == actor.ref else "?" + urlencode({"person": person})
    return Redirect(f"{HERE}{query}#methods", status_code=303)


@get("/contact-worker.js", opt=public(), sync_to_thread=False, include_in_schema=False)
def worker() -> Response[str]:
    """What shows push messages in a browser; it is nobody's secret."""
    return Response(WORKER, media_type="text/javascript")


@get("/inbox", opt=needs(Role.VIEWER), sync_to_thread=True)
def inbox_page(
    request: AnyRequest, program: NamedDependency[Program], frame: NamedDependency[Frame]
) -> Response[str]:
    """What the people of the demo were told. Of the demo only: everybody reads it."""
    if not program.settings.inbox:
        raise NotFound("There is no page at this address.")
    key = keys.secret_key(program.settings)
    with program.db.read() as tx:
        found = inbox.read(tx, key)
        names = views.name_all(tx, [one.message.person for one, _ in found])
    return frame.page(
        request, "oncall/inbox.html", title="Inbox of the demo", found=found, names=names
    )


routes = [Router(HERE, route_handlers=[contact, add, change]), worker, inbox_page]
