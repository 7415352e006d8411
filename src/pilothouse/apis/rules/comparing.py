"""Two versions of a definition, side by side: all pairs that the rules look at, and their verdicts.

A schema with a name is compared once for each direction, however many operations use it; the
finding then names them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from pilothouse.apis.model import (
    Answer,
    Body,
    Comparison,
    Content,
    Contract,
    Finding,
    Operation,
    Parameter,
    Place,
    Schema,
    Severity,
)
from pilothouse.apis.rules import operations as _operations  # registers its rules
from pilothouse.apis.rules import properties as _properties
from pilothouse.apis.rules import values as _values
from pilothouse.apis.rules.flat import flat, only_alternative, same_values, unchanged
from pilothouse.apis.rules.registry import (
    Answers,
    Bodies,
    Contents,
    Contracts,
    Difference,
    Operations,
    Parameters,
    Rule,
    Schemas,
    Site,
    Way,
    differences,
)

__all__ = ["RULE_FILES", "compare", "weighed"]

RULE_FILES = (_operations, _properties, _values)
MOST_OPERATIONS = 20  # named in one finding
MOST_FINDINGS = 2_000  # kept of one comparison
DEEPEST = 60
SAME = "the same values as before, written in another way: types generated from it change"

Key = tuple[str, str, Way]  # a named schema before and after, and its direction


def compare(old: Contract, new: Contract) -> Comparison:
    """What changed from one version to the next, the heaviest first."""
    return weighed(_Run(old, new).findings())


def weighed(found: list[Finding]) -> Comparison:
    """Findings, the heaviest first."""
    weights = list(Severity)
    found = sorted(found, key=lambda finding: weights.index(finding.severity))
    return Comparison(tuple(found[:MOST_FINDINGS]))


@dataclass(slots=True)
class _Found:
    """Findings of one named schema or of one operation, and the named schemas it leads to."""

    findings: list[Finding] = field(default_factory=list)
    leads_to: set[Key] = field(default_factory=set)


class _Run:
    def __init__(self, old: Contract, new: Contract) -> None:
        self.old, self.new = old, new
        self.before = {item.name: item.schema for item in old.schemas}
        self.after = {item.name: item.schema for item in new.schemas}
        self.alike = unchanged(self.before, self.after)
        self.named: dict[Key, _Found] = {}
        self.waiting: list[Key] = []
        self.here = _Found()

    def findings(self) -> list[Finding]:
        """Everything that differs."""
        self._look(Contracts(self.old, self.new), "")
        found = self.here.findings
        known = {operation.key: operation for operation in self.new.operations}
        told: dict[str, _Found] = {}
        for before in self.old.operations:
            if (after := known.get(before.key)) is not None and self._may_differ(before, after):
                self.here = told[before.key] = _Found()
                self._operation(before, after)
        while self.waiting:
            key = self.waiting.pop()
            self.here = self.named[key]
            old, new = self.before[key[0]], self.after[key[1]]
            self._inner(old, new, key[2], key[1], 0)
        for key, one in told.items():
            found += [
                msgspec.structs.replace(item, operations=(key,), touched=1) for item in one.findings
            ]
        return found + self._of_schemas(told)

    def _may_differ(self, before: Operation, after: Operation) -> bool:
        """Whether anything in or below an operation is not as it was."""
        return before != after or len(self.alike) < len(self.after)

    def _of_schemas(self, told: dict[str, _Found]) -> list[Finding]:
        """Findings of named schemas, each with the operations that lead to it."""
        users: dict[Key, list[str]] = {}
        for operation, one in told.items():
            seen = set(one.leads_to)
            waiting = list(seen)
            while waiting:
                for key in self.named[waiting.pop()].leads_to - seen:
                    seen.add(key)
                    waiting.append(key)
            for key in seen:
                users.setdefault(key, []).append(operation)
        return [
            msgspec.structs.replace(
                item,
                operations=tuple(users.get(key, ())[:MOST_OPERATIONS]),
                touched=len(users.get(key, ())),
            )
            for key, one in self.named.items()
            for item in one.findings
        ]

    def _look(self, site: Site, place: str, note: str = "") -> None:
        for rule, difference in differences(site):
            self.here.findings.append(_finding(rule, difference, place, note))

    def _operation(self, before: Operation, after: Operation) -> None:
        place = after.key
        self._look(Operations(before, after), place)
        known = {(item.place, item.name): item for item in after.parameters}
        for old in before.parameters:
            if (new := known.get((old.place, old.name))) is not None:
                self._parameter(old, new, f"{place}: {new.place} parameter {new.name}")
        if before.body and after.body:
            self._body(before.body, after.body, f"{place}: body")
        answers = {answer.status: answer for answer in after.answers}
        for old in before.answers:
            if (new := answers.get(old.status)) is not None:
                self._answer(old, new, f"{place}: answer {new.status}")

    def _parameter(self, old: Parameter, new: Parameter, place: str) -> None:
        self._look(Parameters(old, new), place)
        self._schema(old.schema, new.schema, Way.REQUEST, place, 0)

    def _body(self, old: Body, new: Body, place: str) -> None:
        self._look(Bodies(old, new), place)
        self._contents(old.contents, new.contents, Way.REQUEST, place)

    def _answer(self, old: Answer, new: Answer, place: str) -> None:
        self._look(Answers(old, new), place)
        known = {header.name.lower(): header for header in new.headers}
        for header in old.headers:
            if (now := known.get(header.name.lower())) is not None:
                at = f"{place}: {Place.HEADER} {now.name}"
                self._schema(header.schema, now.schema, Way.RESPONSE, at, 0)
        self._contents(old.contents, new.contents, Way.RESPONSE, place)

    def _contents(
        self, old: tuple[Content, ...], new: tuple[Content, ...], way: Way, place: str
    ) -> None:
        self._look(Contents(old, new), place)
        known = {content.media: content for content in new}
        told: set[tuple[str, str]] = set()
        for before in old:
            after = known.get(before.media)
            if after is None:
                continue
            # Media types with one schema between them would say everything twice.
            pair = (str(before.schema), str(after.schema))
            if pair not in told:
                told.add(pair)
                self._schema(before.schema, after.schema, way, place, 0)
            if before.headers and after.headers:
                self._schema(before.headers, after.headers, way, f"{place}: headers", 0)

    def _schema(self, old: Schema, new: Schema, way: Way, place: str, depth: int) -> None:
        if depth > DEEPEST:
            return
        plain = not (old.types or new.types)  # a nullable reference is looked at where it stands
        if plain and old.ref in self.before and new.ref in self.after:
            if old.ref == new.ref and new.ref in self.alike:
                return
            key = (old.ref, new.ref, way)
            self.here.leads_to.add(key)
            if key not in self.named:
                self.named[key] = _Found()
                self.waiting.append(key)
            return
        if old != new or (old.ref or new.ref) or self.alike != self.after.keys():
            self._inner(old, new, way, place, depth)

    def _inner(self, old: Schema, new: Schema, way: Way, place: str, depth: int) -> None:
        before, after = flat(old, self.before), flat(new, self.after)
        note = ""
        if before != after and same_values(before, after, self.before, self.after):
            note = SAME
        self._look(Schemas(before, after, way), place, note)
        for name, one, other in self._shared(before, after):
            self._schema(one, other, way, f"{place}{name}", depth + 1)

    def _shared(self, old: Schema, new: Schema) -> Iterator[tuple[str, Schema, Schema]]:
        """What both have within them; a form that can only be null beside it is looked through."""
        before, after = self._seen_through(old), self._seen_through(new)
        known = {item.name: item.schema for item in after.properties}
        for item in before.properties:
            if item.name in known:
                yield f".{item.name}", item.schema, known[item.name]
        if before.items is not None and after.items is not None:
            yield "[]", before.items, after.items
        if before.extra is not None and after.extra is not None:
            yield ".*", before.extra, after.extra
        ours, theirs = (*old.one_of, *old.any_of), (*new.one_of, *new.any_of)
        forms = {_form(part): part for part in theirs}
        for part in ours:
            if (other := forms.get(_form(part))) is not None and _form(part):
                yield f" as {_form(part)}", part, other

    def _seen_through(self, schema: Schema) -> Schema:
        inner = only_alternative(schema)
        return schema if inner is None or schema.properties else flat(inner, self.after)


def _form(schema: Schema) -> str:
    """What tells one form of a value from another."""
    return schema.ref or schema.title


def _finding(rule: Rule, difference: Difference, place: str, note: str) -> Finding:
    return Finding(
        rule=rule.code,
        severity=rule.severity,
        text=difference.text,
        place=f"{place}{difference.at}",
        was=difference.was[:400],
        now=difference.now[:400],
        note=note,
    )
