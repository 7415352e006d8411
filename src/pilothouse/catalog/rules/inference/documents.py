"""Making documents, with the reason of each field beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.catalog.model import Path, Proposed
from pilothouse.catalog.rules.inference.model import Guess, Owner

if TYPE_CHECKING:
    from collections.abc import Sequence

BACKSTAGE = "backstage.io/v1alpha1"


class Draft:
    """A document that is being written; a field without a value is left out."""

    def __init__(self, kind: str, name: str, reason: str = "") -> None:
        self.kind, self.name = kind, name
        self.metadata: dict[str, Any] = {"name": name}
        self.spec: dict[str, Any] = {}
        self.reasons: dict[Path, str] = {("metadata", "name"): reason} if reason else {}

    @property
    def ref(self) -> str:
        return f"{self.kind.lower()}:default/{self.name}"

    def describe(self, field: str, guess: Guess | None) -> None:
        """Set a field of metadata."""
        if guess and guess.value:
            self.metadata[field] = guess.value
            self.reasons["metadata", field] = guess.reason

    def annotate(self, key: str, value: str, reason: str) -> None:
        self.metadata.setdefault("annotations", {})[key] = value
        self.reasons["metadata", "annotations", key] = reason

    def tag(self, guess: Guess | None) -> None:
        if guess:
            tags = self.metadata.setdefault("tags", [])
            self.reasons["metadata", "tags", len(tags)] = guess.reason
            tags.append(guess.value)

    def link(self, url: str, title: str, kind: str, reason: str) -> None:
        links = self.metadata.setdefault("links", [])
        self.reasons["metadata", "links", len(links), "url"] = reason
        links.append({"url": url, "title": title, "type": kind})

    def set(self, field: str, value: Any, reason: str = "") -> None:
        """Set a field of the spec."""
        self.spec[field] = value
        if reason:
            self.reasons["spec", field] = reason

    def guess(self, field: str, guess: Guess) -> None:
        self.set(field, guess.value, guess.reason)

    def own(self, owner: Owner) -> None:
        self.set("owner", owner.ref, owner.reason)

    def add(self, field: str, refs: Sequence[tuple[str, str]]) -> None:
        """Append refs with their reasons to a list of the spec, each once."""
        for ref, reason in refs:
            listed = self.spec.setdefault(field, [])
            if ref not in listed:
                self.reasons["spec", field, len(listed)] = reason
                listed.append(ref)

    def done(self) -> Proposed:
        body = {"apiVersion": BACKSTAGE, "kind": self.kind, "metadata": _ordered(self.metadata)}
        return Proposed({**body, "spec": self.spec}, self.reasons)


def _ordered(metadata: dict[str, Any]) -> dict[str, Any]:
    order = ("name", "title", "description", "annotations", "tags", "links")
    return {field: metadata[field] for field in order if field in metadata}


def owner_document(owner: Owner) -> Proposed:
    """The team or the person that others' `owner` names, so that the ref leads somewhere."""
    draft = Draft(owner.kind, owner.name, owner.reason)
    if owner.kind == "Group":
        draft.set("type", "team")
    profile = {"displayName": owner.title}
    if owner.email:
        profile["email"] = owner.email
    draft.set("profile", profile)
    if owner.kind == "Group":
        draft.set("children", [])
    else:
        draft.set("memberOf", [], "the teams of this person, as group:default/name")
    return draft.done()
