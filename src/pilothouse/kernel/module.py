"""How a module presents itself to the program: one `Module(...)` in its module.py."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from pilothouse.kernel.actors import Actor, Identity
from pilothouse.kernel.changes import Change
from pilothouse.kernel.cloudevents import CloudEvent
from pilothouse.kernel.events import Event
from pilothouse.kernel.jobs import JobKind
from pilothouse.kernel.measurements.model import Count
from pilothouse.kernel.search import Hit
from pilothouse.kernel.tx import Tx

HEADINGS = ("Watch", "Lookout", "Chart", "Log", "Helm")  # of the navigation


class Reference(msgspec.Struct, frozen=True):
    """A field of a spec that names other entities, and the relation it makes."""

    field: str  # dotted path within spec: "owner", "providesApis"; a list is read as several
    relation: str  # as kept: "ownedBy", "dependsOn"; see pilothouse.catalog.rules
    kind: str | None = None  # kind where the ref names none; None: a bare name is an error
    reverse: bool = False  # the named entity is the relation's source: members, children


class Kind(msgspec.Struct, frozen=True):
    """A kind of entity that a module owns."""

    name: str  # "Check"
    spec: type[msgspec.Struct]  # forbid_unknown_fields decides whether other fields are errors
    api_versions: tuple[str, ...] = ("pilothouse/v1",)
    references: tuple[Reference, ...] = ()


class Subscription(msgspec.Struct, frozen=True):
    """A handler called once as a job for each event of a type; at least once, so idempotent.

    `handle(work, event)` may end its job with its own writes by `with work.finish() as tx:`,
    and then its writes happen exactly once.
    """

    event: str  # an exact type: "catalog.changed"
    name: str  # stable and unique in the program: "search.index"
    handle: Callable[[Any, Any], None]
    lease: timedelta = timedelta(seconds=30)  # how soon another worker takes over from a killed one


class NavItem(msgspec.Struct, frozen=True):
    """A place in the navigation; `key` is the second key of `g` + key."""

    heading: str  # one of HEADINGS
    label: str
    href: str
    key: str = ""


class Headline(msgspec.Struct, frozen=True, order=True):
    """A sentence that says how things are, for the top of Now; the heaviest one stands there."""

    weight: int  # 0 nothing to do, 50 needs care, 100 broken
    state: str  # "ok", "info", "warn", "bad"
    text: str
    detail: str = ""
    href: str = ""
    action: str = ""  # what the link says


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """The worst of what is broken, for the bar at the top of every page."""

    severity: str
    title: str
    href: str
    since: datetime
    who: str = ""
    others: int = 0


class Subject(msgspec.Struct, frozen=True):
    """What a page is about: its name and the entities on it, one or many."""

    page: str  # "entity", "team", "now"; "page": of on-call, by its id; "status": anybody reads it
    refs: tuple[str, ...] = ()


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """A block of a page that a module adds, to its own pages or to another's.

    `load` makes at most three queries for all of the subject's entities; None leaves the panel out.
    """

    name: str  # "catalog.about"; its id on the page
    title: str
    template: str
    load: Callable[[Tx, Subject], Any]
    applies: Callable[[Subject], bool]
    note: Callable[[Any], str] = lambda _data: ""  # beside its title: unit, period, count
    live: str = ""  # types of events after which it is read again: "catalog.*"
    aside: bool = False  # in the narrow column
    order: int = 50


class Tab(msgspec.Struct, frozen=True, kw_only=True):
    """A tab that a module adds to the pages of entities."""

    label: str  # "Docs"
    href: Callable[[Tx, str], str | None]  # (tx, the entity's ref); None where it has no such tab
    order: int = 50


class Exported(msgspec.Struct, frozen=True):
    """A page that belongs in the copy of the portal as plain files.

    It is asked for as a viewer would, and drawn again when one of its entities, what stands beside
    one, or an entity that it links to was in an event since.
    """

    path: str  # "/catalog/component/default/checkout"; with a query for a list of its own
    refs: tuple[str, ...] = ()  # none: it is drawn each time, as lists are
    also: tuple[str, ...] = ()  # other addresses whose links lead to it there
    page: bool = True  # False: it is no HTML (an image, a text) and keeps its name: "/a/b.png"
    version: str = ""  # where given, drawn again only when this, or what it links to, is another
    face: str = ""  # where given, all that pages with a link to it show of it: title, kind


class Counts(Protocol):
    """Counts the good among all in each minute that begins from `start` on and before `end`.

    `labels` chooses among what is measured, by some of the measure's labels. Where a measure is of
    sizes, good are those under `below`: times are in milliseconds. Minutes in which nothing was
    measured are left out: they are unknown. One query, with its index.
    """

    def __call__(
        self,
        tx: Tx,
        labels: Mapping[str, str],
        start: datetime,
        end: datetime,
        below: float | None = None,
    ) -> Iterable[Count]: ...


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """What a module measures that objectives can be about."""

    name: str  # "checks.results"
    labels: tuple[str, ...]  # names of those that it knows: "check", "location"
    counts: Counts
    good: str = ""  # what counts as good, in words: "results that did not fail"
    sized: bool = False  # it has sizes, so `below` means something
    late: int = 2  # minutes after which it does not change any more


class Changing(msgspec.Struct, frozen=True):
    """Types of events that tell of changes, and how they are read: (tx, events) -> changes.

    One event may tell of none (a deployment that did not begin), and is left out then. `read` makes
    at most two queries for all of them.
    """

    events: tuple[str, ...]
    read: Callable[[Tx, Sequence[Event]], Sequence[Change]]


class Receives(msgspec.Struct, frozen=True):
    """CloudEvents that a module takes at /api/events, by the beginnings of their types.

    `read` makes of one what `take` writes, and raises Invalid for what its sender can mend. `take`
    is called in the transaction that stores them, once for each, in the order they came.
    """

    types: tuple[str, ...]  # "pilothouse.alert."
    read: Callable[[CloudEvent, datetime, Actor], Any]
    take: Callable[[Tx, Sequence[Any]], None]
    changes: bool = False  # also those of whatever type that are marked as a change


def receiver_of(modules: Iterable[Module], event: CloudEvent) -> Receives | None:
    """Who takes a CloudEvent; None where no module says so."""
    marked = bool(event.change) and event.change != "false"
    every = (one for module in modules for one in module.receives)
    found = (one for one in every if event.type.startswith(one.types) or (marked and one.changes))
    return next(found, None)


class Module(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Everything the program needs to know about one module."""

    name: str
    routes: Sequence[Any] = ()
    panels: Sequence[Panel] = ()
    jobs: Sequence[JobKind] = ()
    handlers: Sequence[Subscription] = ()
    kinds: Sequence[Kind] = ()
    nav: Sequence[NavItem] = ()
    tabs: Sequence[Tab] = ()
    measures: Sequence[Measure] = ()
    changes: Sequence[Changing] = ()
    receives: Sequence[Receives] = ()
    # Kinds of `pilothouse token create --kind`: (tx, name, entity) -> what is shown this once.
    token_kinds: Mapping[str, Callable[[Tx, str, str], str]] = {}
    finds: Callable[[Tx, str, str], Sequence[Hit]] | None = None  # (tx, text, kind or "")
    burning: Callable[[Tx, Sequence[str]], Collection[str]] | None = None  # of refs, those on fire
    exported: Callable[[Tx], Iterable[Exported]] | None = None
    # People's refs -> of each the refs of teams; who is in none may be left out.
    members: Callable[[Tx, Sequence[str]], Mapping[str, Sequence[str]]] | None = None
    owners: Callable[[Tx, str], Sequence[str]] | None = None  # an entity's ref -> refs of owners
    # Those who signed in -> the ref of a User or None for each, in their order.
    users: Callable[[Tx, Sequence[Identity]], Sequence[str | None]] | None = None
    audited: Sequence[str] = ()  # types of events that the audit page shows
    commands: Callable[[Any, Any], None] | None = None  # (cyclopts App, opens the Program)
    upkeep: Callable[[Any, Any], None] | None = None  # (Program, stop Event) beside the worker
    headline: Callable[[Any], Any] | None = None  # (tx) -> Headline | None: the top of Now
    watch: Callable[[Tx], Watch | None] | None = None  # the bar of every page; one query when calm
    templates: str | None = None  # the package whose templates/ folder it brings
