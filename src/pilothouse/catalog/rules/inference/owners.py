"""Who owns a folder: CODEOWNERS first, then whoever commits most."""

from __future__ import annotations

import fnmatch
import re
from collections import Counter

import msgspec

from pilothouse.catalog.model import Author, Survey
from pilothouse.catalog.rules.inference.model import Owner
from pilothouse.catalog.rules.inference.naming import name_of

FILES = ("CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", "docs/CODEOWNERS")
_ROBOT = re.compile(
    r"\[bot\]|^(dependabot|renovate|github-actions|greenkeeper|semantic-release)", re.IGNORECASE
)
_NOREPLY = re.compile(r"(?:\d+\+)?([^@+]+)@users\.noreply\.github\.com")
_EVERYTHING = frozenset(("*", "**", "/", "/*", "/**", "**/*"))


class Rule(msgspec.Struct, frozen=True):
    """A line of CODEOWNERS."""

    pattern: str
    owners: tuple[str, ...]
    file: str
    line: int


def rules(survey: Survey) -> list[Rule]:
    """The rules of the first CODEOWNERS there is, in their order: the last match wins."""
    for file in FILES:
        if file in survey.texts:
            return [rule for rule in map_lines(file, survey.texts[file]) if rule.owners]
    return []


def map_lines(file: str, text: str) -> list[Rule]:
    """Lines of a CODEOWNERS file, with the default owners of GitLab's sections."""
    found, default = [], tuple[str, ...]()
    for number, line in enumerate(text.splitlines(), 1):
        words = re.sub(r"(?:^|\s)#.*", "", line).split()
        if not words:
            continue
        if words[0].startswith(("[", "^[")):
            default = tuple(word for word in words if "@" in word)
            continue
        named = tuple(word for word in words[1:] if "@" in word)
        found.append(Rule(words[0], named or default, file, number))
    return found


def owner_of(folder: str, survey: Survey, ruled: list[Rule]) -> Owner:
    """Who owns a folder, and why we think so."""
    for rule in reversed(ruled):
        if _covers(rule.pattern, folder):
            return _named(rule.owners, f"from {rule.file} line {rule.line}", survey)
    if ruled:
        often = Counter(owner for rule in ruled for owner in rule.owners).most_common(1)[0][0]
        return _named((often,), f"named most often in {ruled[0].file}", survey)
    people = [author for author in survey.authors if not _ROBOT.search(author.name)]
    if people:
        total = sum(author.commits for author in people)
        share = f"{people[0].commits:,} of {total:,} commits in {survey.period}"
        return _person(people[0], share)
    return Owner("Group", "owners", "Owners", "nobody was found: name the team that owns it")


def _named(owners: tuple[str, ...], reason: str, survey: Survey) -> Owner:
    """The first team of a rule, else its first person."""
    team = next((owner for owner in owners if owner.startswith("@") and "/" in owner), None)
    if team:
        name = team.rpartition("/")[2]
        return Owner("Group", name_of(name), name, reason)
    first = owners[0]
    if first.startswith("@"):
        return Owner("User", name_of(first), first.removeprefix("@"), reason)
    known = next((author for author in survey.authors if author.email == first), None)
    local = first.partition("@")[0]
    return Owner("User", name_of(local), known.name if known else local, reason, email=first)


def _person(author: Author, reason: str) -> Owner:
    hidden = _NOREPLY.fullmatch(author.email)
    local = hidden[1] if hidden else author.email.partition("@")[0]
    email = "" if hidden or "@" not in author.email else author.email
    name = name_of(local, name_of(author.name))
    return Owner("User", name, author.name or name, reason, email=email)


def _covers(pattern: str, folder: str) -> bool:
    """Whether a rule is about a whole folder, "" being the repository."""
    if pattern in _EVERYTHING:
        return True
    if not folder:
        return False
    steps = re.sub(r"(?:/\*{0,2})?$", "", pattern).removeprefix("**/").strip("/").split("/")
    parts = folder.split("/")
    anchored = pattern.startswith("/") or len(steps) > 1
    starts = (0,) if anchored and not pattern.startswith("**/") else range(len(parts))
    return any(
        len(parts) - start >= len(steps) and all(map(fnmatch.fnmatchcase, parts[start:], steps))
        for start in starts
    )
