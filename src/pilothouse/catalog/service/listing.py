"""The catalog list: which entities, in which order, and what one can narrow them by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from pilothouse.catalog.rules.search import entity_text
from pilothouse.catalog.service import browsing, views
from pilothouse.catalog.service.views import Item
from pilothouse.catalog.store import history
from pilothouse.catalog.store.queries import Test, Wanted
from pilothouse.kernel.tx import Tx

PAGE = 50
MOST_OPTIONS = 12  # of one facet; those that are chosen are always among them
FACETS = (("kind", "Kind"), ("type", "Type"), ("lifecycle", "Lifecycle"), ("owner", "Owner"))
ORDERS = (("label", "Name"), ("changed", "Last changed"), ("type", "Type"))
_KEYS = {"kind": "kind", "type": "spec.type", "lifecycle": "spec.lifecycle"}
PLURALS = {
    "component": "Components",
    "api": "APIs",
    "resource": "Resources",
    "system": "Systems",
    "domain": "Domains",
    "group": "Teams",
    "user": "People",
    "location": "Locations",
    "template": "Templates",
}


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What the list was asked: the query string of its page."""

    kind: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    lifecycle: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    q: str = ""
    sort: str = "label"
    offset: int = 0

    def query(self, **changes: object) -> str:
        """The query string of this question with some parts changed."""
        values = msgspec.structs.asdict(self) | changes
        defaults = msgspec.structs.asdict(Question())
        pairs = [
            (name, item)
            for name, value in values.items()
            if value != defaults[name]
            for item in (value if isinstance(value, tuple) else (value,))
        ]
        return urlencode(pairs)


class Option(msgspec.Struct, frozen=True):
    """One box of a facet."""

    value: str
    label: str
    count: int
    chosen: bool


class Facet(msgspec.Struct, frozen=True):
    """One way to narrow the list."""

    name: str
    label: str
    options: list[Option]

    @property
    def rows(self) -> list[tuple[str, str, int, bool]]:
        """The options as the page's macro takes them."""
        return [msgspec.structs.astuple(option) for option in self.options]  # pyright: ignore[reportReturnType]


class Listing(msgspec.Struct, frozen=True):
    """The list as it is shown."""

    question: Question
    heading: str
    items: list[Item]
    total: int
    facets: list[Facet]
    at: datetime | None = None

    @property
    def section(self) -> str:
        """The item of the navigation that this list is."""
        return (
            PLURALS.get(self.question.kind[0], "Everything")
            if len(self.question.kind) == 1
            else "Everything"
        )

    @property
    def nothing_at_all(self) -> bool:
        """Whether the catalog is empty, rather than the question too narrow."""
        return not self.total and self.question == Question()


def listing(tx: Tx, question: Question) -> Listing:
    """Answer a question to the list."""
    wanted, counts = _wanted(question), _counts(tx, question)
    rows = browsing.rows_in_order(tx, wanted)
    # Each entity has one value of a facet, if only none: those of one not chosen add up to all.
    free = next((name for name, _ in FACETS if not getattr(question, name)), None)
    total = sum(many for _, many in counts[free]) if free else browsing.count(tx, wanted)
    items = views.items(tx, rows)
    return Listing(question, heading(question), items, total, _facets(tx, question, counts))


def heading(question: Question) -> str:
    """What the list is called: its kind, when there is one."""
    if len(question.kind) != 1:
        return "Catalog"
    return PLURALS.get(question.kind[0], question.kind[0].title())


def listing_at(tx: Tx, question: Question, at: datetime) -> Listing:
    """The same question to the catalog as it was at an instant; from the history, so slower."""
    kind = question.kind[0] if len(question.kind) == 1 else None
    rows = [
        former
        for former in history.all_as_of(tx.conn, at, kind)
        if _fits(question, former.ref, msgspec.json.decode(former.body))
    ]
    part = rows[question.offset : question.offset + PAGE]
    return Listing(question, heading(question), views.former_items(tx, part), len(rows), [], at)


def _fits(question: Question, ref: str, body: Mapping[str, Any]) -> bool:
    metadata, spec = body["metadata"], body.get("spec") or {}
    chosen = (
        (question.kind, ref.partition(":")[0]),
        (question.type, views.text_of(spec, "type").lower()),
        (question.lifecycle, views.text_of(spec, "lifecycle").lower()),
        (question.owner, views.owner_ref(ref, body) or ""),
    )
    if any(values and value not in values for values, value in chosen):
        return False
    tags = metadata.get("tags") or ()
    return (not question.tag or any(tag in tags for tag in question.tag)) and (
        question.q.lower() in entity_text(body).lower()
    )


def _wanted(question: Question, without: str = "") -> Wanted:
    tests = [
        Test(key, tuple(value.lower() for value in values))
        for name, key in (*_KEYS.items(), ("tag", "metadata.tags"))
        if name != without and (values := getattr(question, name))
    ]
    if question.owner and without != "owner":
        tests.append(Test("relations.ownedby", tuple(owner.lower() for owner in question.owner)))
    return Wanted(
        filter=(tuple(tests),) if tests else (),
        text=question.q.strip(),
        order={"changed": "changed", "type": "spec.type"}.get(question.sort, "label"),
        descending=question.sort == "changed",
        offset=question.offset,
        limit=PAGE,
    )


def facets(tx: Tx, question: Question) -> list[Facet]:
    """What the list can be narrowed by; each facet counts as if it were not chosen itself."""
    return _facets(tx, question, _counts(tx, question))


def _counts(tx: Tx, question: Question) -> dict[str, list[tuple[str, int]]]:
    """For each facet its values and their numbers; those that look at the same counted at once."""
    together: dict[Wanted, list[str]] = {}
    for name, _ in FACETS:
        together.setdefault(_wanted(question, without=name), []).append(name)
    counts: dict[str, list[tuple[str, int]]] = {}
    for wanted, names in together.items():
        counts |= browsing.counts_by(tx, names, wanted)
    return counts


def _facets(
    tx: Tx, question: Question, counts: Mapping[str, Sequence[tuple[str, int]]]
) -> list[Facet]:
    found = [_facet(tx, question, name, label, counts[name]) for name, label in FACETS]
    return [facet for facet in found if facet.options]


def _facet(
    tx: Tx, question: Question, name: str, label: str, counts: Sequence[tuple[str, int]]
) -> Facet:
    chosen: Sequence[str] = getattr(question, name)
    counted = [(value, total) for value, total in counts if value]
    shown = counted[:MOST_OPTIONS]
    shown += [pair for pair in counted[MOST_OPTIONS:] if pair[0] in chosen]
    names = _option_names(tx, name, [value for value, _ in shown])
    options = [
        Option(value, names.get(value, value), total, value in chosen) for value, total in shown
    ]
    return Facet(name, label, options)


def _option_names(tx: Tx, name: str, values: Sequence[str]) -> Mapping[str, str]:
    if name == "kind":
        return {value: PLURALS.get(value, value.title()) for value in values}
    if name == "owner":
        return {ref: item.title for ref, item in views.name_all(tx, values).items()}
    return {}
