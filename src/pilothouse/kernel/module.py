"""How a module presents itself to the program: one `Module(...)` in its module.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from pilothouse.kernel.jobs import JobKind
    from pilothouse.kernel.web.frame import NavItem, Panel


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


class Module(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the program needs to know about one module."""

    name: str
    routes: Sequence[Any] = ()
    panels: Sequence[Panel] = ()
    jobs: Sequence[JobKind] = ()
    handlers: Sequence[Subscription] = ()
    kinds: Sequence[Kind] = ()
    nav: Sequence[NavItem] = ()
    commands: Callable[[Any, Any], None] | None = None  # (cyclopts App, opens the Program)
    upkeep: Callable[[Any, Any], None] | None = None  # (Program, stop Event) beside the worker
    headline: Callable[[Any], Any] | None = None  # (tx) -> Headline | None: the top of Now
    templates: str | None = None  # the package whose templates/ folder it brings
