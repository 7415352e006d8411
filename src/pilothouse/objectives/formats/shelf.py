"""The documents that objectives are made of, and where in them something is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

import msgspec

from pilothouse.objectives.model import documents as written

KINDS: Mapping[str, type[msgspec.Struct]] = {
    "SLO": written.Slo,
    "SLI": written.Indicator,
    "Service": written.Service,
    "DataSource": written.DataSource,
    "AlertPolicy": written.AlertPolicy,
    "AlertCondition": written.AlertCondition,
    "AlertNotificationTarget": written.AlertNotificationTarget,
}
KIND_NAMES = {kind.lower(): kind for kind in KINDS}
T = TypeVar("T", bound=msgspec.Struct)


class Place(msgspec.Struct, frozen=True):
    """A field of a document."""

    ref: str
    path: tuple[str | int, ...] = ()

    def within(self, *names: str | int) -> Place:
        """A field of this one."""
        return Place(self.ref, (*self.path, *names))


class Flaw(Exception):
    """Why an objective cannot be measured, and where that is written."""

    def __init__(self, said: str, at: Place) -> None:
        super().__init__(said)
        self.at = at


class Known(msgspec.Struct, frozen=True):
    """A measure of our own, as far as documents are concerned."""

    labels: tuple[str, ...]
    sized: bool


class Shelf:
    """The documents that there are, by ref, and the measures."""

    def __init__(
        self, documents: Mapping[str, Mapping[str, Any]], measures: Mapping[str, Known]
    ) -> None:
        self.documents, self.measures = documents, measures

    def find(self, kind: str, name: str, at: Place, struct: type[T]) -> tuple[T, Place]:
        """The spec of a document that another names there, and its place. Raises Flaw."""
        namespace = at.ref.partition(":")[2].partition("/")[0]
        ref = f"{kind}:{namespace}/{name}".lower()
        body = self.documents.get(ref)
        if body is None:
            called = KIND_NAMES.get(kind, kind)
            raise Flaw(f"there is no {called} called {name}{self._near(ref)}", at)
        return msgspec.convert(body["spec"], struct), Place(ref, ("spec",))

    def _near(self, ref: str) -> str:
        beginning = ref.rpartition("/")[0] + "/"
        names = [one.removeprefix(beginning) for one in self.documents if one.startswith(beginning)]
        found = get_close_matches(ref.removeprefix(beginning), names, n=1)
        return f": probably {found[0]} is meant" if found else ""


def near(name: str, known: list[str]) -> str:
    """What is probably meant by a name that is none, or what there is."""
    found = get_close_matches(name, known, n=1)
    if found:
        return f": probably {found[0]} is meant"
    return f": there are {', '.join(sorted(known))}" if known else ""
