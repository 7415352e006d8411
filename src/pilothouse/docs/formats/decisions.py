"""Decision records: MADR 3 and 4, adr-tools, log4brains, Rust RFCs, Kubernetes KEPs, our own.

Sources: adr/madr (template/adr-template.md of 2.1.2, 3.0.0 and 4.0.0), npryce/adr-tools
(src/template.md), thomvaill/log4brains (docs/adr/template.md), rust-lang/rfcs (0000-template.md),
kubernetes/enhancements (keps/NNNN-kep-template: README.md and kep.yaml).
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from pilothouse.docs.formats.yaml import text_of, texts_of
from pilothouse.docs.model import Answer, Decision, Question, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.docs.model import Parsed

_NUMBER = re.compile(r"(?:^|[^\w.])(?:adr|rfc|kep|dr)?[-_ ]?0*(\d{1,6})(?![\d.])", re.IGNORECASE)
_FILE_NUMBER = re.compile(r"^(?:adr|rfc|kep|dr)?[-_]?(\d{1,6})(?=[-_. ]|$)", re.IGNORECASE)
_DATED = re.compile(r"^(?:19|20)\d{6}(?=[-_])")
_TITLE_NUMBER = re.compile(
    r"^(?:(?:adr|rfc|kep|dr)[-_ #]*)?(\d{1,6})\s*[.:)\N{EM DASH}\N{EN DASH}-]+\s+", re.IGNORECASE
)
_KEP_TITLE = re.compile(r"^kep-\d+:?\s*", re.IGNORECASE)
_FIELD = re.compile(
    r"^\s*(?:[*-]\s+)?[*_]{0,2}(?P<name>[A-Za-z][A-Za-z ()-]{2,30}?)[*_]{0,2}\s*:[*_]{0,2}\s*"
    r"(?P<value>.*\S)\s*$"
)
_MARKDOWN_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)[^)]*\)")
_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_SUPERSEDED = re.compile(
    r"^(?:superseded|superceded|replaced|obsoleted)\b(?:\s+by)?:?", re.IGNORECASE
)
_SUPERSEDES = re.compile(r"^(?:supersedes|supercedes|replaces|obsoletes)\b:?", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_WORDS = re.compile(r"[a-z]+")
HEAD_LINES = 60  # in which fields stand
LONGEST_HEAD = 20_000  # characters of them
LONGEST_FIELD = 1000

_STATUSES = {
    Status.DRAFT: ("draft", "proposed", "provisional", "wip", "idea", "pending", "todo"),
    Status.REVIEW: ("review", "discussion", "discussing", "open", "fcp", "comment"),
    Status.ACCEPTED: (
        "accepted", "approved", "decided", "implementable", "implemented", "adopted", "done",
        "active", "merged", "final", "agreed", "valid", "enforced",
    ),
    Status.REJECTED: ("rejected", "declined", "withdrawn", "abandoned", "postponed", "deferred"),
    Status.DEPRECATED: ("deprecated", "obsolete", "retired", "removed"),
    Status.SUPERSEDED: ("superseded", "superceded", "replaced", "obsoleted"),
}  # fmt: skip
_BY_WORD = {word: status for status, words in _STATUSES.items() for word in words}

# Headings, in lower case and without numbers; each tells which questions its section answers.
_HEADINGS: tuple[tuple[Question, tuple[str, ...]], ...] = (
    (Question.PROBLEM, (
        "problem", "the problem", "context", "context and problem statement", "problem statement",
        "background", "motivation", "the question", "question", "issue", "why are we doing this",
        "goals", "summary and motivation", "context and problem", "situation", "challenge",
    )),
    (Question.PROPOSAL, (
        "proposal", "proposed approach", "the proposal", "decision", "the decision",
        "decision outcome", "solution", "proposed solution", "approach", "design",
        "detailed design", "design details", "guide-level explanation",
        "reference-level explanation", "what we decided", "outcome", "implementation",
        "chosen option",
    )),
    (Question.ALTERNATIVES, (
        "alternatives", "alternatives considered", "considered options", "options",
        "considered alternatives", "options considered", "other options", "what we looked at",
        "rationale and alternatives", "pros and cons of the options", "alternative approaches",
        "prior art", "rejected alternatives", "options considered and rejected",
    )),
    (Question.RATIONALE, (
        "rationale", "the rationale", "rationale and alternatives", "decision drivers", "why",
        "justification", "reasons", "reasoning", "consequences", "pros and cons of the options",
        "trade-offs", "tradeoffs", "drawbacks", "risks and mitigations", "what it costs",
        "positive consequences", "negative consequences", "advantages", "pros and cons",
        "costs and benefits", "argument", "arguments",
    )),
)  # fmt: skip


def read(
    path: str, text: str, parsed: Parsed, companion: Mapping[str, Any] | None = None
) -> Decision:
    """A decision from its file; `companion` is the kep.yaml beside a KEP."""
    values = _values(text, parsed, companion or {})
    title = _title(values, parsed)
    kind = _format(path, text, parsed, companion)
    said = _first(values, "status", "state", "rfc status")
    superseded_by = [*_references(values, "superseded-by", "superseded by", "replaced-by")]
    supersedes = [*_references(values, "supersedes", "replaces", "obsoletes")]
    for line in said.splitlines():
        clean = line.strip(" *-")
        if match := _SUPERSEDED.match(clean):
            superseded_by += _named(clean[match.end() :])
        elif match := _SUPERSEDES.match(clean):
            supersedes += _named(clean[match.end() :])
    status = _status(said, bool(superseded_by))
    if status is Status.UNKNOWN and kind == "Rust RFC" and "/text/" in f"/{path}":
        status, said = Status.ACCEPTED, "merged"  # what lies in text/ was accepted
    return Decision(
        title=title,
        format=kind,
        number=_number(path, values, parsed, kind),
        status=status,
        said=_plain(said.splitlines()[0] if said else "")[:200],
        date=_date(values),
        deciders=_people(values),
        entities=_entities(values),
        supersedes=tuple(dict.fromkeys(supersedes)),
        superseded_by=tuple(dict.fromkeys(superseded_by)),
        answers=answers(parsed),
    )


def answers(parsed: Parsed) -> tuple[Answer, ...]:
    """Which sections answer which of the four questions; an empty section answers nothing."""
    texts = _filled(parsed)
    found: list[Answer] = []
    for heading in parsed.headings:
        key = re.sub(r"^[\d.\s]+", "", heading.title.lower()).strip(" :?.")
        key = re.sub(r"\s*[\[(](?:optional|required)[\])]", "", key)
        for question, names in _HEADINGS:
            if key in names and texts.get(heading.anchor):
                found.append(Answer(question, heading.title, heading.anchor))
    return tuple(found)


def _filled(parsed: Parsed) -> dict[str, bool]:
    """Whether a section, or one below it, says anything; what stands in < > is a template's."""
    filled: dict[str, bool] = {}
    levels = {heading.anchor: heading.level for heading in parsed.headings}
    above: list[str] = []
    for section in parsed.sections[1:]:
        level = levels.get(section.anchor, 2)
        above = [anchor for anchor in above if levels[anchor] < level]
        above.append(section.anchor)
        if section.text.strip():
            filled |= dict.fromkeys(above, True)
    return filled


def _values(text: str, parsed: Parsed, companion: Mapping[str, Any]) -> dict[str, Any]:
    """Fields by lower-case name: kep.yaml, then front matter, then lines of `Name: value`."""
    found: dict[str, Any] = {}
    body = _COMMENT.sub("", text[:LONGEST_HEAD]).split("\n")[parsed.front.lines :]
    for line in body[:HEAD_LINES]:
        if line.startswith("## "):
            break
        if match := _FIELD.match(line[:LONGEST_FIELD]):
            found.setdefault(match["name"].strip().lower(), match["value"])
    status = _section(body, "status")
    if status and "status" not in found:
        found["status"] = status
    found |= {str(key).lower(): value for key, value in parsed.front.values.items()}
    return found | {str(key).lower(): value for key, value in companion.items()}


def _section(lines: list[str], name: str) -> str:
    """The text of a section, its paragraphs a line each."""
    found: list[str] = []
    inside = False
    for line in lines[: HEAD_LINES * 2]:
        if line.startswith("#"):
            if inside:
                break
            inside = line.strip("# ").strip().lower() == name
        elif inside and line.strip():
            found.append(line.strip()[:LONGEST_FIELD])
    return "\n".join(found)


def _first(values: Mapping[str, Any], *names: str) -> str:
    for name in names:
        value = values.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if value is not None and not isinstance(value, (dict, list, str)):
            return text_of(value)
    return ""


def _title(values: Mapping[str, Any], parsed: Parsed) -> str:
    title = _first(values, "title") or parsed.title
    if "rfc pr" in values and (name := _first(values, "feature name")):
        title = _plain(name.replace("_", " ").replace("-", " ")).capitalize()
    title = _KEP_TITLE.sub("", _TITLE_NUMBER.sub("", title)).strip()
    return (title or parsed.title)[:300]


def _format(path: str, text: str, parsed: Parsed, companion: Mapping[str, Any] | None) -> str:
    names = {heading.title.lower() for heading in parsed.headings}
    head = text[:3000].lower()
    kinds = (
        ("KEP", companion is not None or "kep-number" in parsed.front.values),
        ("Rust RFC", "rfc pr:" in head or "feature name:" in head),
        ("log4brains", bool(_DATED.match(path.rpartition("/")[2])) and "context" in head),
        ("MADR", "context and problem statement" in names or "considered options" in names),
        ("adr-tools", {"status", "context", "decision"} <= names),
    )
    return next((kind for kind, holds in kinds if holds), "document")


def _number(path: str, values: Mapping[str, Any], parsed: Parsed, kind: str) -> int | None:
    folder, _, name = path.rpartition("/")
    said = _first(values, "kep-number", "number", "rfc", "adr", "id")
    if said.isascii() and said.isdecimal() and len(said) < 7:  # noqa: PLR2004
        return int(said)
    if _DATED.match(name):
        return None
    if kind == "KEP" and (match := _FILE_NUMBER.match(folder.rpartition("/")[2])):
        return int(match[1])
    if match := _FILE_NUMBER.match(name) or _TITLE_NUMBER.match(parsed.title):
        return int(match[1])
    return None


def _status(said: str, superseded: bool) -> Status:
    if superseded:
        return Status.SUPERSEDED
    lines = said.lower().splitlines()
    for line in lines:
        if _SUPERSEDES.match(line):
            continue
        for word in _WORDS.findall(_plain(line)):
            if word in _BY_WORD:
                return _BY_WORD[word]
    return Status.UNKNOWN


def _date(values: Mapping[str, Any]) -> str:
    for name in (
        "date",
        "decided",
        "accepted",
        "start date",
        "creation-date",
        "created",
        "updated",
    ):
        value = values.get(name)
        if isinstance(value, dt.date):
            return f"{value.year:04}-{value.month:02}-{value.day:02}"
        if isinstance(value, str) and (match := _DATE.search(value)):
            try:
                return dt.date(*map(int, match.groups())).isoformat()
            except ValueError:
                continue
    return ""


def _people(values: Mapping[str, Any]) -> tuple[str, ...]:
    names = ("deciders", "decision-makers", "approvers", "decided by", "decision makers", "authors")
    for name in names:
        if found := texts_of(values.get(name)):
            return tuple(_plain(one).lstrip("@") for one in found if not one.startswith(("{", "<")))
    return ()


def _entities(values: Mapping[str, Any]) -> tuple[str, ...]:
    names = ("entities", "components", "services", "affects", "concerns")
    found = [text for name in names for text in texts_of(values.get(name))]
    return tuple(dict.fromkeys(found))


def _references(values: Mapping[str, Any], *names: str) -> list[str]:
    return [
        reference
        for name in names
        for text in texts_of(values.get(name))
        for reference in _named(text)
    ]


def _named(text: str) -> list[str]:
    """What a text refers to: paths of links, else numbers."""
    if paths := [target for _, target in _MARKDOWN_LINK.findall(text)]:
        return paths
    if re.search(r"\.md\b", text):
        return [part for part in re.split(r"[\s,]+", text) if part.endswith(".md")]
    return [str(int(number)) for number in _NUMBER.findall(text)]


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[*_`]", "", _MARKDOWN_LINK.sub(r"\1", text)).split())
