"""Problems: every code with its weight, and how a problem is written for people and machines."""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec

from pilothouse.catalog.model import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Code(msgspec.Struct, frozen=True):
    """A kind of problem: how much it weighs, and what it means, in a sentence for the docs."""

    severity: Severity
    meaning: str


_TABLE = {
    Severity.ERROR: {
        "yaml-syntax": "The document is not YAML.",
        "yaml-duplicate-key": "A key stands twice in one mapping.",
        "yaml-too-large": "The file is larger than catalog files may be.",
        "yaml-too-deep": "Collections stand in one another more than 100 levels deep.",
        "yaml-alias": "An alias has no anchor, holds itself, or aliases repeat too much.",
        "yaml-encoding": "The file is not UTF-8.",
        "yaml-control-character": "The file has a NUL or another control character.",
        "not-a-mapping": "The document is a text or a list where an entity is expected.",
        "unknown-root-field": "Beside apiVersion, kind, metadata and spec nothing is allowed.",
        "missing-field": "A required field is absent.",
        "wrong-type": "A value is of another type than its field, or empty.",
        "bad-name": "metadata.name breaks the rule for names.",
        "bad-namespace": "metadata.namespace is not a lower-case DNS label.",
        "lookalike-letter": "A name has a Cyrillic or Greek letter that looks Latin.",
        "bad-kind": "kind breaks the rule for kinds.",
        "bad-api-version": "apiVersion breaks its rule, or this kind has no such version.",
        "bad-key": "The key of a label or an annotation breaks its rule.",
        "bad-label": "A label's value breaks the rule for label values.",
        "bad-tag": "A tag breaks the rule for tags.",
        "bad-url": "A link's url is not an address.",
        "bad-ref": "A reference is not [kind:][namespace/]name.",
        "unknown-field": "A kind of ours has no such field.",
        "bad-field": "A field of a kind of ours has a value that it cannot have.",
        "bad-placeholder": "A placeholder's target cannot be read.",
        "bad-location": "A Location's target cannot be read or leads out of its source.",
        "unreadable-file": "The file cannot be opened, or may not be.",
        "unreachable-source": "The source cannot be read; all that it gave stays.",
        "duplicate-ref": "Another document holds this name already; this one is left out.",
    },
    Severity.WARNING: {
        "yaml-tag": "A YAML tag that means nothing here; the value is read without it.",
        "misspelt-field": "A field that nobody reads, one slip away from one that is read.",
        "misspelt-kind": "A kind that nobody knows, one slip away from a known one.",
        "bad-link": "A link that is not http, https or mailto is never shown as a link.",
        "lookalike-in-ref": "A reference has a Cyrillic or Greek letter that looks Latin.",
        "contested-ref": "Another document claims this name too; this one keeps it.",
        "dangling-ref": "A reference names an entity that is not in the catalog.",
    },
    Severity.NOTICE: {
        "unknown-kind": "A kind that nobody here knows; it is kept and shown.",
    },
}
CODES: Final[Mapping[str, Code]] = MappingProxyType(
    {
        code: Code(severity, meaning)
        for severity, codes in _TABLE.items()
        for code, meaning in codes.items()
    }
)
_WEIGHT = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTICE: 2}
_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTICE: "notice"}
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


def for_terminal(problem: Problem) -> str:
    """`file:line:column: error: message [code]`, one line, control characters made visible."""
    place = f"{problem.file}:{problem.line}:{problem.column}: " if problem.file else ""
    text = f"{place}{problem.severity}: {_sentence(problem)} [{problem.code}]"
    return text.translate(_CONTROL)


def for_github(problem: Problem) -> str:
    """A workflow command that marks the line in a pull request.

    Source of the format: GitHub Docs, "Workflow commands for GitHub Actions", and the escapes of
    actions/toolkit, core/src/command.ts.
    """
    properties = {
        "file": problem.file,
        "line": str(problem.line),
        "col": str(problem.column),
        "title": problem.code,
    }
    marked = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{_GITHUB[problem.severity]} {marked}::{_data(_sentence(problem))}"


def capped(problems: Iterable[Problem], most: int = 100) -> list[Problem]:
    """At most so many problems of each file, the heaviest kept, and one that counts the others."""
    by_file: dict[str, list[Problem]] = {}
    for problem in problems:
        by_file.setdefault(problem.file, []).append(problem)
    return [problem for found in by_file.values() for problem in _capped(found, most)]


def _capped(problems: list[Problem], most: int) -> list[Problem]:
    if len(problems) <= most:
        return problems
    order = sorted(range(len(problems)), key=lambda at: (_WEIGHT[problems[at].severity], at))
    kept = set(order[:most])
    left = [problem for at, problem in enumerate(problems) if at not in kept]
    heaviest = min(left, key=lambda problem: _WEIGHT[problem.severity])
    codes = Counter(problem.code for problem in left).most_common(3)
    more = msgspec.structs.replace(
        heaviest,
        message=f"and {len(left):,} more",
        ref=None,
        field=None,
        found=", ".join(f"{count:,} {code}" for code, count in codes),
        expected=None,
        hint=None,
    )
    return [*(problem for at, problem in enumerate(problems) if at in kept), more]


def _sentence(problem: Problem) -> str:
    parts = [problem.message]
    if problem.field and problem.field not in problem.message:
        parts.insert(0, f"{problem.field}: ")
    if problem.advice:
        parts.append(f" ({problem.advice})")
    return "".join(parts)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
