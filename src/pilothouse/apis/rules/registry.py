"""The rules by which two versions of a definition are compared, and what they look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from pilothouse.apis.model import (
    Answer,
    Body,
    Content,
    Contract,
    Operation,
    Parameter,
    Schema,
    Severity,
)


class Way(StrEnum):
    """Who writes a value: the client, or the API."""

    REQUEST = "request"
    RESPONSE = "response"


class Contracts(msgspec.Struct, frozen=True):
    """Two versions of a whole definition."""

    old: Contract
    new: Contract


class Operations(msgspec.Struct, frozen=True):
    """An operation that both versions have."""

    old: Operation
    new: Operation


class Parameters(msgspec.Struct, frozen=True):
    """A parameter that both versions of an operation have."""

    old: Parameter
    new: Parameter


class Bodies(msgspec.Struct, frozen=True):
    """The body of a request that both versions have."""

    old: Body
    new: Body


class Answers(msgspec.Struct, frozen=True):
    """An answer of one status that both versions have."""

    old: Answer
    new: Answer


class Contents(msgspec.Struct, frozen=True):
    """The media types of a body, or the messages of a channel, on both sides."""

    old: tuple[Content, ...]
    new: tuple[Content, ...]


class Schemas(msgspec.Struct, frozen=True):
    """A value in both versions; references are followed and allOf is merged."""

    old: Schema
    new: Schema
    way: Way


Site = Contracts | Operations | Parameters | Bodies | Answers | Contents | Schemas
S = TypeVar("S", bound=Site)


class Difference(msgspec.Struct, frozen=True):
    """What a rule found at the place it looked at."""

    text: str  # a sentence
    at: str = ""  # what follows its place: ".name"
    was: str = ""
    now: str = ""


class Rule(msgspec.Struct, frozen=True):
    """One way in which versions can differ."""

    code: str
    severity: Severity
    words: str  # for the docs
    find: Callable[[Any], Iterator[Difference]]


RULES: dict[str, Rule] = {}
_BY_SITE: dict[type[Any], list[Rule]] = {}


def rule(
    site: type[S], code: str, severity: Severity, words: str
) -> Callable[[Callable[[S], Iterator[Difference]]], Callable[[S], Iterator[Difference]]]:
    """Make a function a rule for sites of this type."""

    def register(find: Callable[[S], Iterator[Difference]]) -> Callable[[S], Iterator[Difference]]:
        made = Rule(code, severity, words, find)
        RULES[code] = made
        _BY_SITE.setdefault(site, []).append(made)
        return find

    return register


def differences(site: Site) -> Iterator[tuple[Rule, Difference]]:
    """What all rules for a site of this type find there."""
    for one in _BY_SITE.get(type(site), ()):
        for found in one.find(site):
            yield one, found
