"""The refs of a spec, as edges in the direction they are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.catalog.model import Edge
from pilothouse.catalog.rules.findings import Findings, Said, described, dotted
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pilothouse.catalog.model import Path
    from pilothouse.kernel.module import Reference


def edges_of(
    ref: EntityRef, spec: dict[str, Any], references: Iterable[Reference], findings: Findings
) -> tuple[Edge, ...]:
    """Every relation that a spec says, once; malformed refs become problems."""
    edges: dict[tuple[str, str, str], Edge] = {}
    for reference in references:
        steps = tuple(reference.field.split("."))
        for path, text in _texts(spec, steps, ("spec",)):
            other = _target(ref, text, reference, path, findings)
            if other is None:
                continue
            ends = (str(other), str(ref)) if reference.reverse else (str(ref), str(other))
            line = findings.line(path)
            edge = Edge(ends[0], reference.relation, ends[1], dotted(path), line)
            edges.setdefault((edge.source, edge.type, edge.target), edge)
    return tuple(edges.values())


def _texts(value: Any, steps: tuple[str, ...], path: Path) -> Iterator[tuple[Path, str]]:
    """The texts that a dotted path leads to, through every list on its way."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, steps, (*path, index))
    elif steps and isinstance(value, dict):
        if steps[0] in value:
            yield from _texts(value[steps[0]], steps[1:], (*path, steps[0]))
    elif not steps and isinstance(value, str) and value:
        yield path, value


def _target(
    ref: EntityRef, text: str, reference: Reference, path: Path, findings: Findings
) -> EntityRef | None:
    findings.lookalikes("lookalike-in-ref", path, text)
    try:
        return EntityRef.parse(text, reference.kind, ref.namespace)
    except Invalid:
        default = f" ({reference.kind.lower()} by default)" if reference.kind else ""
        expected = f"[kind:][namespace/]name{default}" if default else "kind:[namespace/]name"
        bare = reference.kind is None and ":" not in text
        hint = f'say its kind, such as "component:{text}"' if bare else None
        message = f"{dotted(path)}: {described(text)} is no reference, expected {expected}"
        findings.add("bad-ref", path, message, Said(text, expected, hint))
        return None
