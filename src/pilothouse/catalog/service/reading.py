"""A file's bytes become entities and problems. Pure but for `Place`, which the edge hands in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from pilothouse.catalog.formats import locations, placeholders, yaml
from pilothouse.catalog.model import Document, Entity, FileReading, Path, Problem, Severity
from pilothouse.catalog.rules import problems, validity
from pilothouse.catalog.rules.findings import Findings, Said, dotted
from pilothouse.kernel.errors import NotFound, PilothouseError
from pilothouse.kernel.module import Kind

LONGEST_REF = 300  # kind, namespace and name have 63 characters at most
MOST_PROBLEMS = 100  # kept for one file; a last one says how many more there are


class Place(msgspec.Struct, frozen=True):
    """How to reach the rest of a source from one of its files."""

    read: Callable[[str], bytes]  # a path; raises one of the four errors
    expand: Callable[[str], Sequence[str]]  # a glob
    exists: Callable[[str], bool]
    local: Callable[[str], str]  # the path that a web address of this repository means


class _Run:
    """One file as it is read."""

    def __init__(self, path: str, kinds: Mapping[str, Kind], place: Place) -> None:
        self.path, self.kinds, self.place = path, kinds, place
        self.entities: list[Entity] = []
        self.invalid: list[tuple[int, str | None, str]] = []
        self.problems: list[Problem] = []
        self.includes: dict[str, None] = {}

    def take(self, document: Document) -> None:
        """Judge one document, and note what else it names."""
        entity, found = self._judged(document)
        self.problems += found
        if entity is None:
            why = next((p.message for p in found if p.severity is Severity.ERROR), "not valid")
            ref = validity.ref_of(document)
            self.invalid.append((document.index, ref and str(ref), why))
            return
        self.entities.append(entity)
        if entity.ref.kind == "location":
            self._follow(document, entity)

    def _judged(self, document: Document) -> tuple[Entity | None, list[Problem]]:
        if found := _unkeepable(document):
            return None, found
        resolved = placeholders.resolve_placeholders(document, self._read_target)
        if resolved.document is not document and (found := _unkeepable(resolved.document)):
            return None, found
        entity, found = validity.judge(resolved.document, self.kinds)
        found = [*resolved.problems, *found]
        if entity is not None:
            found += _endless(document, entity)
        valid = not any(problem.severity is Severity.ERROR for problem in found)
        return entity if valid else None, found

    def _resolve(self, target: str) -> str:
        if locations.is_url(target):
            return self.place.local(target)
        return locations.resolve_path(self.path, target)

    def _read_target(self, target: str) -> bytes:
        return self.place.read(self._resolve(target))

    def _follow(self, document: Document, entity: Entity) -> None:
        findings = Findings(document)
        named = locations.location_spec(entity.body)
        for item in named.targets:
            try:
                self._include(item.target, optional=named.optional)
            except PilothouseError as error:
                steps = tuple(int(s) if s.isdigit() else s for s in item.field.split("."))
                said = Said(item.target, "a file or a glob in the same source")
                findings.add("bad-location", steps, str(error), said)
        self.problems += findings.problems

    def _include(self, target: str, *, optional: bool) -> None:
        """Note the path or glob that a target means. Raises NotFound when nothing is there yet."""
        path = self._resolve(target)
        self.includes[path] = None
        there = self.place.expand(path) if locations.is_glob(path) else self.place.exists(path)
        if not there and not optional:
            raise NotFound(f"{target} names no file in this source")


def _unkeepable(document: Document) -> list[Problem]:
    """A NUL, which YAML can write with an escape, and no database can hold in a text."""
    findings = Findings(document)
    if (path := _nul(document.value, ())) is not None:
        shown = tuple(step.replace("\0", "\\0") if isinstance(step, str) else step for step in path)
        message = f"{dotted(shown)} has a NUL character, which no text can have"
        findings.add("yaml-control-character", path, message)
    return [msgspec.structs.replace(problem, field=None) for problem in findings.problems]


def _nul(value: Any, path: Path) -> Path | None:
    """The way to the first text with a NUL in it."""
    if isinstance(value, str):
        return path if "\0" in value else None
    items: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        if isinstance(key, str) and "\0" in key:
            return (*path, key)
        if (found := _nul(item, (*path, key))) is not None:
            return found
    return None


def _endless(document: Document, entity: Entity) -> list[Problem]:
    """References longer than the ref of any entity can be."""
    findings = Findings(document)
    for edge in entity.edges:
        if max(len(edge.source), len(edge.target)) > LONGEST_REF:
            said = Said(expected=f"a ref of at most {LONGEST_REF} characters")
            steps = tuple(int(s) if s.isdigit() else s for s in edge.field.split("."))
            findings.add("bad-ref", steps, f"{edge.field} is longer than any ref", said)
    return findings.problems


def read_file(
    path: str, stamp: str, data: bytes, kinds: Mapping[str, Kind], place: Place
) -> FileReading:
    """Read one catalog file.

    Never raises for what is in `data`: whatever is wrong is a problem with its line.
    """
    reading = yaml.read_documents(data)
    run = _Run(path, kinds, place)
    for document in reading.documents:
        run.take(document)
    found = problems.capped([*reading.problems, *run.problems], MOST_PROBLEMS)
    placed = tuple(msgspec.structs.replace(problem, file=path) for problem in found)
    broken = next((p.message for p in reading.problems if p.severity is Severity.ERROR), None)
    return FileReading(
        path=path,
        stamp=stamp,
        entities=tuple(run.entities),
        invalid=tuple(run.invalid),
        problems=placed,
        includes=tuple(run.includes),
        unreadable=None if reading.ok else broken or "the file cannot be read",
    )


def unreadable(path: str, stamp: str, error: PilothouseError) -> FileReading:
    """A file that could not even be opened: what it gave before stays, and why is said."""
    problem = Problem(
        code="unreadable-file", severity=Severity.ERROR, message=str(error), file=path
    )
    return FileReading(path=path, stamp=stamp, problems=(problem,), unreadable=str(error))
