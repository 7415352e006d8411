"""Where catalog files are: location refs, Location entities' targets, and globs. Strings only.

Source of the formats: npm @backstage/catalog-model 1.10.1 (parseLocationRef) and the Location kind.
"""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit

import msgspec

from pilothouse.kernel.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

# npm @backstage/catalog-model: control characters and line breaks do not hide the word.
_SCRIPT = re.compile(
    r"^[\x00-\x1f ]*" + r"[\r\n\t]*".join("javascript") + r"[\r\n\t]*:", re.IGNORECASE
)
_GLOB = re.compile(r"[*?\[{]")
# github.com/o/r/blob/main/x, gitlab.com/g/s/r/-/blob/main/x, bitbucket.org/o/r/src/main/x
_HOSTED = re.compile(
    r"^/(?P<repository>[^/]+(?:/[^/]+)+?)(?:/-)?/(?:blob|tree|raw|edit|src)/"
    r"(?P<revision>[^/]+)(?:/(?P<path>.*))?$"
)
_MOST_BRACES = 64


class LocationRef(msgspec.Struct, frozen=True):
    """`<type>:<target>`, such as `url:https://example.com/catalog-info.yaml`."""

    type: str
    target: str

    def __str__(self) -> str:
        return f"{self.type}:{self.target}"


class LocationTarget(msgspec.Struct, frozen=True):
    """One file or glob that a Location names, with the field that says so."""

    field: str
    target: str


class LocationSpec(msgspec.Struct, frozen=True):
    """What a Location entity points at; `type` is None when it is its own file's."""

    targets: tuple[LocationTarget, ...]
    type: str | None = None
    optional: bool = False  # presence: optional; what is missing is no problem


class HostedFile(msgspec.Struct, frozen=True):
    """A file of a repository, as web addresses of code hosts write it."""

    host: str
    repository: str  # "owner/name"
    revision: str
    path: str


def parse_location_ref(text: str) -> LocationRef:
    """Raises Invalid, in Backstage's words, for what is not `<type>:<target>`."""
    kind, colon, target = text.partition(":")
    kind, target = kind.strip(), target.strip()
    if not (colon and kind and target):
        raise Invalid(
            f"Unable to parse location ref '{text}', expected '<type>:<target>', "
            "e.g. 'url:https://host/path'"
        )
    if kind in ("http", "https"):
        raise Invalid(
            f"Invalid location ref '{text}', please prefix it with 'url:', e.g. 'url:{text}'"
        )
    if _SCRIPT.match(target):
        raise Invalid(f"Invalid location ref '{text}', target is a javascript: URL")
    return LocationRef(kind, target)


def location_spec(body: dict[str, Any]) -> LocationSpec:
    """The targets of a valid Location entity, `spec.target` before `spec.targets`."""
    spec = body.get("spec") or {}
    found = [LocationTarget("spec.target", spec["target"])] if spec.get("target") else []
    found += [
        LocationTarget(f"spec.targets.{index}", target)
        for index, target in enumerate(spec.get("targets") or ())
    ]
    return LocationSpec(tuple(found), spec.get("type"), spec.get("presence") == "optional")


def is_url(target: str) -> bool:
    return urlsplit_or_none(target) is not None


def urlsplit_or_none(text: str) -> tuple[str, str] | None:
    """Host and path of an http or https address, None for anything else."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return None
    return parts.netloc.rpartition("@")[2].lower(), unquote(parts.path)


def resolve_path(base_file: str, target: str) -> str:
    """The path within the source that `target` means, seen from the file `base_file`.

    A leading "/" is the source's root. Raises Invalid when it leads out of the source.
    """
    if "\0" in target or "\\" in target:
        raise Invalid(f'the path "{target}" has a character that paths here cannot have')
    folder = "" if target.startswith("/") else posixpath.dirname(base_file)
    path = posixpath.normpath(posixpath.join(folder, target.lstrip("/") or "."))
    if path == ".." or path.startswith("../"):
        raise Invalid(f'the path "{target}" leads out of the source that "{base_file}" is in')
    return path


def resolve_url(base: str, target: str) -> str:
    """The address that `target` means, seen from the file at the address `base`.

    A path with a leading "/" is the root of the repository where the address shows one.
    """
    if target.startswith("/") and not target.startswith("//"):
        hosted = hosted_file(base)
        if hosted and hosted.path:
            root = base.partition("?")[0].removesuffix(hosted.path)
            return urljoin(root, target.lstrip("/"))
    return urljoin(base, target)


def hosted_file(url: str) -> HostedFile | None:
    """The file that a web address of GitHub, GitLab, Bitbucket or Gitea shows, if it does."""
    parts = urlsplit_or_none(url)
    match = _HOSTED.match(parts[1]) if parts else None
    if parts is None or match is None:
        return None
    return HostedFile(parts[0], match["repository"], match["revision"], match["path"] or "")


def is_glob(target: str) -> bool:
    return _GLOB.search(target) is not None


def matching(pattern: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Those of `paths` that a glob means, in byte order.

    `*` and `?` stay within a folder, `**` does not, `[a-z]` and `{a,b}` as in a shell; a hidden
    file or folder is meant only by a pattern that writes its dot. Takes time in proportion to
    the lengths, whatever the pattern.
    """
    patterns = [_steps(one) for one in _braces(pattern)]
    found = {path for path in paths if any(_fits(one, path.split("/")) for one in patterns)}
    return tuple(sorted(found, key=lambda path: path.encode("utf-8", "surrogateescape")))


def _braces(pattern: str) -> list[str]:
    """`a{b,c}` is `ab` and `ac`; braces within braces are not read."""
    done, waiting = [], [pattern]
    while waiting and len(done) + len(waiting) <= _MOST_BRACES:
        one = waiting.pop(0)
        match = re.search(r"\{([^{}]*,[^{}]*)\}", one)
        if match is None:
            done.append(one)
            continue
        before, after = one[: match.start()], one[match.end() :]
        waiting += [before + choice + after for choice in match[1].split(",")]
    return done + waiting


Step = re.Pattern[str] | None  # None is "**"


@lru_cache(maxsize=256)
def _steps(pattern: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    written = pattern.removeprefix("./").split("/")
    for step in written:
        if step != "**":
            steps.append(re.compile(_step(step)))
        elif steps[-1:] != [None]:
            steps.append(None)
    return (*steps, re.compile(_step("*"))) if written[-1] == "**" else tuple(steps)


def _fits(steps: tuple[Step, ...], parts: list[str]) -> bool:
    """Goes back to the last "**" only, which is enough: an earlier one could do no better."""
    at = place = 0
    after, retry = -1, 0  # the step after the last "**", and the part it was tried at
    while place < len(parts):
        step = steps[at] if at < len(steps) else _NOTHING
        if step is None:
            at += 1
            after, retry = at, place
        elif step.fullmatch(parts[place]):
            at, place = at + 1, place + 1
        elif after >= 0 and not parts[retry].startswith("."):
            retry += 1
            at, place = after, retry
        else:
            return False
    return at == len(steps)


_NOTHING = re.compile(r"(?!)")


def _step(step: str) -> str:
    """A step as an expression that goes back to the last `*` only."""
    first, *others = (_chunk(chunk) for chunk in _CHUNKS.split(step))
    hidden = "" if step.startswith(".") else r"(?!\.)"
    if not others:
        return hidden + first
    middle = "".join(f"(?>.*?{chunk})" for chunk in others[:-1] if chunk)
    return f"(?s:{hidden}{first}{middle}.*{others[-1]})"


_CHUNKS = re.compile(r"\*+(?![^\[]*\])")  # a star, but for one in brackets
_BRACKETS = re.compile(r"\[([!^]?)(\]?[^\]]*)\]|(.)", re.DOTALL)


def _chunk(chunk: str) -> str:
    """A part of a step without stars; it always matches the same number of letters."""
    return "".join(
        _letters(match[2], negated=bool(match[1]))
        if match[3] is None
        else "."
        if match[3] == "?"
        else re.escape(match[3])
        for match in _BRACKETS.finditer(chunk)
    )


def _letters(inside: str, *, negated: bool) -> str:
    """`a-z_` of `[a-z_]`; a range that runs backwards is three letters."""
    out = ""
    while inside:
        if inside[1:2] == "-" and len(inside) > 2 and inside[0] <= inside[2]:  # noqa: PLR2004
            out += f"{re.escape(inside[0])}-{re.escape(inside[2])}"
            inside = inside[3:]
        else:
            out += re.escape(inside[0])
            inside = inside[1:]
    return f"[{'^' if negated else ''}{out}]" if out else re.escape("[]")
