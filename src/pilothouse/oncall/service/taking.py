"""What others tell is taken in, in the order they said it: in one transaction for many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from pilothouse.catalog.service import annotated, browsing
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.events import Event
from pilothouse.kernel.refs import EntityRef
from pilothouse.oncall.service import paging
from pilothouse.oncall.store import keys

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx
    from pilothouse.oncall.model.intake import Told
    from pilothouse.oncall.model.paging import Signal

CHANGED = "changes.reported"  # read by whoever asks what changed
KINDS = ("component", "api", "resource", "system", "domain", "group")


def take_in(tx: Tx, told: Sequence[Told]) -> None:
    """Alerts page, are had by someone, are over. Of one that nobody knows, no word is kept."""
    known = _Known.of(tx, told)
    for action, run in groupby(told, lambda one: one.action):
        together = list(run)
        if action == "raise":
            signals = [known.signal(one) for one in together]
            paging.take_many(tx, [one for one in signals if one is not None])
            continue
        for one in together:
            _take(tx, one, known)
    if used := sorted({one.of for one in told if one.of}):
        keys.touch(tx.conn, used, tx.now)


def _take(tx: Tx, told: Told, known: _Known) -> None:
    if told.action == "acknowledge":
        paging.acknowledge_key(tx, told.key, told.by, "events")
    elif told.action == "clear":
        paging.clear(tx, told.key)
    else:
        ref = known.ref(told.entity, told.names)
        data = {**told.change, "by": told.by}
        tx.emit(Event(type=CHANGED, entities=(ref,) if ref else (), data=data, source="oncall"))


class _Known(msgspec.Struct, frozen=True):
    """Which entities are in the catalog, of all that are named: by ref and by name."""

    refs: frozenset[str]
    names: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, tx: Tx, told: Sequence[Told]) -> _Known:
        """Two queries for all."""
        asked = [one.signal.entity if one.signal else one.entity for one in told]
        refs = sorted({ref for one in asked if (ref := _ref(one))})
        names = sorted({name.lower()[:300] for one in told for name in one.names if name})
        return cls(
            frozenset(browsing.rows_of(tx, refs)) if refs else frozenset(),
            annotated.called(tx, names, KINDS) if names else {},
        )

    def signal(self, told: Told) -> Signal | None:
        """The alert with the entity that it is about; without one where that is not known."""
        signal = told.signal
        if signal is None:
            return None
        ref = self.ref(signal.entity, told.names)
        detail = signal.detail
        if signal.entity and not ref:
            detail = f"{signal.entity} is not in the catalog.\n{detail}"
        return msgspec.structs.replace(signal, entity=ref, detail=detail)

    def ref(self, said: str, names: Sequence[str]) -> str:
        """The entity by its ref, else by a name: a component before others. "" for none."""
        if (ref := _ref(said)) in self.refs:
            return ref
        for name in names:
            if found := self.names.get(name.lower()):
                return min(found, key=lambda one: (not one.startswith("component:"), one))
        return ""


def _ref(said: str) -> str:
    if not said:
        return ""
    try:
        return str(EntityRef.parse(said[:300], "component"))
    except Invalid:
        return ""
