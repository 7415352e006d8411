"""Rules about objects: which properties there are, and which of them must be there."""

from __future__ import annotations

from collections.abc import Iterator

from pilothouse.apis.model import Property, Schema, Severity
from pilothouse.apis.rules.registry import Difference, Schemas, Way, rule
from pilothouse.apis.rules.telling import type_words

BREAKING, WARNING, SAFE = Severity.BREAKING, Severity.WARNING, Severity.SAFE
NUMBER = "number"  # of a field of a protocol buffer


def seen(schema: Schema, way: Way) -> dict[str, Property]:
    """The properties that go this way: a read-only one is never sent, a write-only one only."""
    return {
        item.name: item
        for item in schema.properties
        if not (item.schema.read_only if way is Way.REQUEST else item.schema.write_only)
    }


def _lost(site: Schemas) -> list[Property]:
    """What only the old version has; nothing where the new one is no object at all."""
    if site.new.types and not set(site.old.types or ("object",)) & set(site.new.types):
        return []
    new = {item.name for item in site.new.properties}
    return [item for name, item in seen(site.old, site.way).items() if name not in new]


def _gained(site: Schemas) -> list[Property]:
    old = {item.name for item in site.old.properties}
    return [item for name, item in seen(site.new, site.way).items() if name not in old]


def _kept(site: Schemas) -> Iterator[tuple[Property, Property]]:
    new = seen(site.new, site.way)
    for name, item in seen(site.old, site.way).items():
        if name in new:
            yield item, new[name]


@rule(
    Schemas,
    "request-property-removed",
    BREAKING,
    "A property is no longer taken: what it asked for is not done",
)
def request_property_removed(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.REQUEST:
        for item in _lost(site):
            yield Difference(f"The property {item.name} is not taken any more", f".{item.name}")


@rule(Schemas, "request-required-property-added", BREAKING, "A property is new and must be sent")
def request_required_property_added(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.REQUEST:
        for item in _gained(site):
            if item.required and not item.schema.default:
                text = f"The property {item.name} is new and must be sent"
                yield Difference(text, f".{item.name}", now=type_words(item.schema))


@rule(Schemas, "request-optional-property-added", SAFE, "A property is new and may be left out")
def request_optional_property_added(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.REQUEST:
        for item in _gained(site):
            if not item.required or item.schema.default:
                text = f"The property {item.name} is new"
                yield Difference(text, f".{item.name}", now=type_words(item.schema))


@rule(
    Schemas,
    "request-property-became-required",
    BREAKING,
    "A property that could be left out must be sent",
)
def request_property_became_required(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.REQUEST:
        for old, new in _kept(site):
            if new.required and not old.required:
                yield Difference(f"The property {new.name} must be sent now", f".{new.name}")


@rule(
    Schemas,
    "request-property-became-optional",
    SAFE,
    "A property that had to be sent may be left out",
)
def request_property_became_optional(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.REQUEST:
        for old, new in _kept(site):
            if old.required and not new.required:
                yield Difference(f"The property {new.name} may be left out now", f".{new.name}")


@rule(Schemas, "response-property-removed", BREAKING, "A property is no longer answered")
def response_property_removed(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.RESPONSE:
        for item in _lost(site):
            must = "required " if item.required else ""
            text = f"The {must}property {item.name} is gone from the answer"
            yield Difference(text, f".{item.name}", was=type_words(item.schema))


@rule(
    Schemas,
    "response-property-became-optional",
    BREAKING,
    "A property that was always answered may be absent",
)
def response_property_became_optional(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.RESPONSE:
        for old, new in _kept(site):
            if old.required and not new.required:
                text = f"The property {new.name} may be absent from the answer"
                yield Difference(text, f".{new.name}")


@rule(Schemas, "response-property-added", SAFE, "A property is answered that was not")
def response_property_added(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.RESPONSE:
        for item in _gained(site):
            text = f"The property {item.name} is new in the answer"
            yield Difference(text, f".{item.name}", now=type_words(item.schema))


@rule(
    Schemas,
    "response-property-became-required",
    SAFE,
    "A property that could be absent is always answered",
)
def response_property_became_required(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.RESPONSE:
        for old, new in _kept(site):
            if new.required and not old.required:
                yield Difference(f"The property {new.name} is always answered now", f".{new.name}")


@rule(
    Schemas,
    "property-direction-changed",
    BREAKING,
    "A property became read-only, so it is not taken; or write-only, so it is not answered",
)
def property_direction_changed(site: Schemas) -> Iterator[Difference]:
    new = {item.name: item.schema for item in site.new.properties}
    for name in seen(site.old, site.way):
        if name not in new:
            continue
        if site.way is Way.REQUEST and new[name].read_only:
            yield Difference(f"The property {name} is read-only now", f".{name}")
        if site.way is Way.RESPONSE and new[name].write_only:
            yield Difference(f"The property {name} is write-only now", f".{name}")


@rule(Schemas, "property-deprecated", WARNING, "A property is marked as deprecated")
def property_deprecated(site: Schemas) -> Iterator[Difference]:
    for old, new in _kept(site):
        if new.schema.deprecated and not old.schema.deprecated:
            yield Difference(f"The property {new.name} is deprecated now", f".{new.name}")


@rule(
    Schemas,
    "request-object-closed",
    BREAKING,
    "Properties that are not declared may no longer be sent",
)
def request_object_closed(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.REQUEST and site.new.closed and not site.old.closed:
        yield Difference("Other properties may not be sent any more")


@rule(Schemas, "request-object-opened", SAFE, "Properties that are not declared may be sent")
def request_object_opened(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.REQUEST and site.old.closed and not site.new.closed:
        yield Difference("Other properties may be sent now")


@rule(Schemas, "field-number-changed", BREAKING, "A field of a protocol buffer has another number")
def field_number_changed(site: Schemas) -> Iterator[Difference]:
    for old, new in _kept(site):
        was, now = _number(old), _number(new)
        if was is not None and now is not None and was != now:
            text = f"The field {new.name} has another number"
            yield Difference(text, f".{new.name}", f"{was:g}", f"{now:g}")


def _number(item: Property) -> float | None:
    return next((bound.value for bound in item.schema.bounds if bound.name == NUMBER), None)
