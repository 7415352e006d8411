"""The verdict on a document: an entity to keep, or not, and everything that is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pilothouse.catalog.model import Document, Entity, Problem
from pilothouse.catalog.rules.envelope import ROOT, check_envelope, near_key
from pilothouse.catalog.rules.findings import Findings, Said, described
from pilothouse.catalog.rules.kinds import BACKSTAGE, backstage_shape
from pilothouse.catalog.rules.nearest import nearest
from pilothouse.catalog.rules.references import edges_of
from pilothouse.catalog.rules.specs import check_backstage, check_struct
from pilothouse.kernel.refs import DEFAULT_NAMESPACE, EntityRef

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.kernel.module import Kind, Reference

_ROOT = ()
_OURS = ("backstage.io", "scaffolder.backstage.io", "pilothouse", "openslo")


def judge(document: Document, kinds: Mapping[str, Kind]) -> tuple[Entity | None, list[Problem]]:
    """Judge one document; `kinds` are those of modules, by name. Placeholders must be filled in.

    No entity where a problem is an error. The codes and their weight: `problems.CODES`.
    """
    findings = Findings(document)
    value = document.value
    if not isinstance(value, dict):
        message = (
            f"a document is a mapping with apiVersion, kind, metadata and spec, found {_a(value)}"
        )
        findings.add("not-a-mapping", _ROOT, message)
        return None, findings.problems
    check_envelope(value, findings)
    ref = ref_of(document)
    references = _check_kind(value, kinds, findings)
    spec = value.get("spec")
    edges = edges_of(ref, spec, references, findings) if ref and isinstance(spec, dict) else ()
    problems = findings.problems
    if ref is not None:
        problems = [msgspec.structs.replace(problem, ref=str(ref)) for problem in problems]
    if ref is None or findings.failed:
        return None, problems
    line = document.start.line
    body = _with_namespace(value)
    return Entity(ref, value["kind"], body, edges, document.index, line), problems


def ref_of(document: Document) -> EntityRef | None:
    """Which entity a document is about, valid or not, as far as it says."""
    value = document.value
    meta = value.get("metadata") if isinstance(value, dict) else None
    if not isinstance(meta, dict):
        return None
    parts = (value.get("kind"), meta.get("namespace", DEFAULT_NAMESPACE), meta.get("name"))
    said = [part for part in parts if isinstance(part, str) and part]
    return EntityRef.of(*said) if len(said) == len(parts) else None


def _check_kind(
    value: dict[str, Any], kinds: Mapping[str, Kind], findings: Findings
) -> tuple[Reference, ...]:
    """Judge the spec by its kind; what comes back are the refs that the kind reads."""
    kind, version = value.get("kind"), value.get("apiVersion")
    if not isinstance(kind, str) or not isinstance(version, str):
        return ()
    known, spec = kinds.get(kind), value.get("spec")
    shape = backstage_shape(kind, spec if isinstance(spec, dict) else None)
    if known is not None and version in known.api_versions:
        if _has_spec(value, findings):
            check_struct(value["spec"], known.spec, findings)
        return known.references
    if shape is not None and version in shape.api_versions:
        if _has_spec(value, findings):
            check_backstage(value["spec"], shape, findings)
        return shape.references
    versions = (known.api_versions if known else ()) + (shape.api_versions if shape else ())
    if versions and version.partition("/")[0] in {one.partition("/")[0] for one in versions}:
        expected = " or ".join(versions)
        message = f"there is no {kind} of apiVersion {described(version)}, only {expected}"
        findings.add("bad-api-version", ("apiVersion",), message, Said(version, expected))
    else:
        _say_unknown(kind, version, kinds, findings)
    return ()


def _has_spec(value: dict[str, Any], findings: Findings) -> bool:
    """Whether there is a mapping to judge; that what stands there is none, the envelope says."""
    if "spec" not in value:
        findings.missing(("spec",), near_key(value, "spec", ROOT))
    return isinstance(value.get("spec"), dict)


def _say_unknown(kind: str, version: str, kinds: Mapping[str, Kind], findings: Findings) -> None:
    known = {*kinds, *BACKSTAGE} - {kind}
    ours = version.partition("/")[0] in _OURS
    if ours and (meant := nearest(kind, known)):
        message = f'nobody here knows the kind "{kind}": probably "{meant}" is meant'
        findings.add("misspelt-kind", ("kind",), message, Said(kind, meant, meant))
        return
    message = f'nobody here knows the kind "{kind}" of {version}; it is kept and shown as it is'
    findings.add("unknown-kind", ("kind",), message, Said(kind))


def _with_namespace(value: dict[str, Any]) -> dict[str, Any]:
    if "namespace" in value["metadata"]:
        return value
    return {**value, "metadata": {"namespace": DEFAULT_NAMESPACE, **value["metadata"]}}


def _a(value: Any) -> str:
    return "only a text" if isinstance(value, str) else described(value)
