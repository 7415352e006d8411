"""Rules about values: types, formats, choices, bounds, alternatives."""

from __future__ import annotations

from collections.abc import Iterator

from pilothouse.apis.model import Schema, Severity
from pilothouse.apis.rules.registry import Difference, Schemas, Way, rule
from pilothouse.apis.rules.telling import alternatives, type_words

BREAKING, WARNING, SAFE = Severity.BREAKING, Severity.WARNING, Severity.SAFE
WIDENINGS = {("int32", "int64"), ("float", "double"), ("date", "date-time")}
LOWER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
UPPER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
EXACT = frozenset({"multipleOf", "uniqueItems"})


def _takes(types: tuple[str, ...]) -> set[str] | None:
    """The types that a value may have; None: any."""
    if not types:
        return None
    return {*types, "integer"} if "number" in types else set(types)


def _fits(inner: tuple[str, ...], outer: tuple[str, ...]) -> bool:
    """Whether every type of the one is a type of the other."""
    small, large = _takes(inner), _takes(outer)
    return large is None or (small is not None and small <= large)


def _is_other(site: Schemas) -> bool:
    """Whether neither side's types hold the other's."""
    old, new = site.old.types, site.new.types
    return not _fits(old, new) and not _fits(new, old)


def _typed(site: Schemas, text: str) -> Difference:
    return Difference(text, was=type_words(site.old), now=type_words(site.new))


def _refs_differ(site: Schemas) -> bool:
    return bool(site.old.ref or site.new.ref) and site.old.ref != site.new.ref


@rule(Schemas, "type-changed", BREAKING, "A value is of another type")
def type_changed(site: Schemas) -> Iterator[Difference]:
    if _is_other(site) or _refs_differ(site):
        yield _typed(site, "It is of another type")


@rule(Schemas, "request-type-narrowed", BREAKING, "What is sent may no longer be of a type")
def request_type_narrowed(site: Schemas) -> Iterator[Difference]:
    old, new = site.old.types, site.new.types
    if site.way is Way.REQUEST and _fits(new, old) and not _fits(old, new):
        yield _typed(site, "It may be of fewer types")


@rule(Schemas, "request-type-widened", SAFE, "What is sent may be of one more type")
def request_type_widened(site: Schemas) -> Iterator[Difference]:
    old, new = site.old.types, site.new.types
    if site.way is Way.REQUEST and _fits(old, new) and not _fits(new, old):
        yield _typed(site, "It may be of more types")


@rule(
    Schemas,
    "response-type-widened",
    BREAKING,
    "What is answered may be of one more type, null among them",
)
def response_type_widened(site: Schemas) -> Iterator[Difference]:
    old, new = site.old.types, site.new.types
    if site.way is Way.RESPONSE and _fits(old, new) and not _fits(new, old):
        yield _typed(site, "It may be of more types")


@rule(Schemas, "response-type-narrowed", SAFE, "What is answered is of fewer types")
def response_type_narrowed(site: Schemas) -> Iterator[Difference]:
    old, new = site.old.types, site.new.types
    if site.way is Way.RESPONSE and _fits(new, old) and not _fits(old, new):
        yield _typed(site, "It is of fewer types")


def _format_eased(site: Schemas) -> bool:
    """Whether all values that were fine before are fine in what is sent."""
    old, new = site.old.format, site.new.format
    return not new or (old, new) in WIDENINGS


def _formatted(site: Schemas, text: str) -> Difference:
    return Difference(text, was=site.old.format or "any", now=site.new.format or "any")


@rule(
    Schemas, "request-format-narrowed", BREAKING, "What is sent must be in a format, or in another"
)
def request_format_narrowed(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.REQUEST and site.old.format != site.new.format and not _format_eased(site):
        yield _formatted(site, "It must be in another format")


@rule(
    Schemas,
    "response-format-changed",
    BREAKING,
    "What is answered is in another format, or in none",
)
def response_format_changed(site: Schemas) -> Iterator[Difference]:
    old, new = site.old.format, site.new.format
    if site.way is Way.RESPONSE and old and old != new:
        yield _formatted(site, "It is in another format")


@rule(
    Schemas, "format-eased", SAFE, "A format is asked for no more, or promised for the first time"
)
def format_eased(site: Schemas) -> Iterator[Difference]:
    if site.old.format == site.new.format:
        return
    if _format_eased(site) if site.way is Way.REQUEST else not site.old.format:
        yield _formatted(site, "Its format is told otherwise")


def _lost(site: Schemas) -> tuple[str, ...]:
    """Values that are no longer among the choices."""
    if not site.new.choices or not site.old.choices:
        return ()
    return tuple(value for value in site.old.choices if value not in set(site.new.choices))


def _gained(site: Schemas) -> tuple[str, ...]:
    if not site.new.choices or not site.old.choices:
        return ()
    return tuple(value for value in site.new.choices if value not in set(site.old.choices))


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(values[:12]) + (f" and {len(values) - 12} more" if len(values) > 12 else "")  # noqa: PLR2004


@rule(Schemas, "request-enum-narrowed", BREAKING, "A value may no longer be sent")
def request_enum_narrowed(site: Schemas) -> Iterator[Difference]:
    if site.way is not Way.REQUEST:
        return
    if lost := _lost(site):
        yield Difference(f"{_listed(lost)} may not be sent any more", was=_listed(lost))
    elif site.new.choices and not site.old.choices:
        yield Difference(
            "Only some values may be sent now", was="any", now=_listed(site.new.choices)
        )


@rule(Schemas, "request-enum-widened", SAFE, "A further value may be sent")
def request_enum_widened(site: Schemas) -> Iterator[Difference]:
    if site.way is not Way.REQUEST:
        return
    if gained := _gained(site):
        yield Difference(f"{_listed(gained)} may be sent too", now=_listed(gained))
    elif site.old.choices and not site.new.choices:
        yield Difference("Any value may be sent now", was=_listed(site.old.choices), now="any")


@rule(
    Schemas, "response-enum-widened", WARNING, "A value is answered that was not among the choices"
)
def response_enum_widened(site: Schemas) -> Iterator[Difference]:
    if site.way is not Way.RESPONSE:
        return
    if gained := _gained(site):
        yield Difference(f"{_listed(gained)} may be answered too", now=_listed(gained))
    elif site.old.choices and not site.new.choices:
        yield Difference("Any value may be answered now", was=_listed(site.old.choices), now="any")


@rule(Schemas, "response-enum-narrowed", SAFE, "A value is no longer answered")
def response_enum_narrowed(site: Schemas) -> Iterator[Difference]:
    if site.way is not Way.RESPONSE:
        return
    if lost := _lost(site):
        yield Difference(f"{_listed(lost)} is not answered any more", was=_listed(lost))
    elif site.new.choices and not site.old.choices:
        yield Difference("Only some values are answered", was="any", now=_listed(site.new.choices))


def _bounds(schema: Schema) -> dict[str, float]:
    return {
        bound.name: bound.value for bound in schema.bounds if bound.name in LOWER | UPPER | EXACT
    }


def _moved(site: Schemas, *, narrower: bool) -> Iterator[Difference]:
    """Bounds that let fewer values through than before, or more."""
    old, new = _bounds(site.old), _bounds(site.new)
    if not narrower:
        old, new = new, old
    for name, value in new.items():
        before = old.get(name)
        if before is not None and _as_wide(name, before, value):
            continue
        was, now = (before, value) if narrower else (value, before)
        yield Difference(
            f"{name} lets {'fewer' if narrower else 'more'} values through",
            was="none" if was is None else f"{was:g}",
            now="none" if now is None else f"{now:g}",
        )


def _as_wide(name: str, before: float, value: float) -> bool:
    if name in LOWER:
        return value <= before
    return value >= before if name in UPPER else value == before


@rule(
    Schemas,
    "request-bound-narrowed",
    BREAKING,
    "What is sent must keep to a tighter bound: length, range, number of items",
)
def request_bound_narrowed(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.REQUEST:
        yield from _moved(site, narrower=True)


@rule(Schemas, "request-bound-eased", SAFE, "What is sent has a wider bound")
def request_bound_eased(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.REQUEST:
        yield from _moved(site, narrower=False)


@rule(
    Schemas,
    "response-bound-eased",
    WARNING,
    "What is answered may be longer, larger or more than was promised",
)
def response_bound_eased(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.RESPONSE:
        yield from _moved(site, narrower=False)


@rule(Schemas, "response-bound-narrowed", SAFE, "What is answered keeps to a tighter bound")
def response_bound_narrowed(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.RESPONSE:
        yield from _moved(site, narrower=True)


def _pattern(site: Schemas, text: str) -> Difference:
    return Difference(text, was=site.old.pattern or "any", now=site.new.pattern or "any")


@rule(
    Schemas,
    "request-pattern-changed",
    BREAKING,
    "What is sent must match a pattern, or another one",
)
def request_pattern_changed(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.REQUEST and site.new.pattern and site.old.pattern != site.new.pattern:
        yield _pattern(site, "It must match another pattern")


@rule(
    Schemas,
    "response-pattern-changed",
    WARNING,
    "What is answered matches another pattern, or none",
)
def response_pattern_changed(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.RESPONSE and site.old.pattern and site.old.pattern != site.new.pattern:
        yield _pattern(site, "It matches another pattern")


def _alternatives_gone(left: Schema, right: Schema) -> list[str]:
    """Alternatives that only the left side has, where both have some."""
    ours, theirs = alternatives(left), alternatives(right)
    if not ours or not theirs:
        return []
    return [name for name in ours if name not in theirs]


@rule(
    Schemas, "request-alternative-removed", BREAKING, "One of several forms may no longer be sent"
)
def request_alternative_removed(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.REQUEST:
        for name in _alternatives_gone(site.old, site.new):
            yield Difference(f"{name} may not be sent any more", was=name)


@rule(Schemas, "request-alternative-added", SAFE, "A further form may be sent")
def request_alternative_added(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.REQUEST:
        for name in _alternatives_gone(site.new, site.old):
            yield Difference(f"{name} may be sent too", now=name)


@rule(
    Schemas,
    "response-alternative-added",
    WARNING,
    "A form may be answered that was not among the known ones",
)
def response_alternative_added(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.RESPONSE:
        for name in _alternatives_gone(site.new, site.old):
            yield Difference(f"{name} may be answered too", now=name)


@rule(Schemas, "response-alternative-removed", SAFE, "A form is no longer answered")
def response_alternative_removed(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.RESPONSE:
        for name in _alternatives_gone(site.old, site.new):
            yield Difference(f"{name} is not answered any more", was=name)


@rule(Schemas, "default-changed", WARNING, "What is left out means something else")
def default_changed(site: Schemas) -> Iterator[Difference]:
    if site.way is Way.REQUEST and site.old.default != site.new.default:
        was, now = site.old.default or "none", site.new.default or "none"
        if site.old.default:
            yield Difference("Its default is another one", was=was, now=now)
