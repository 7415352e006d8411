"""What a person writes to name a git source, and what web addresses mean within it."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import msgspec

from pilothouse.catalog.outside.failures import without_credentials
from pilothouse.catalog.outside.paths import checked
from pilothouse.kernel.errors import Invalid

_SCHEMES = frozenset(("http", "https", "ssh", "git", "file"))
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_SCP = re.compile(r"(?P<user>[\w.-]+@)?(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\]):(?P<path>(?!//|:).+)")
# `git check-ref-format`, and nothing that a shell or an option could mean.
_BRANCH = re.compile(
    r"(?![-./])(?!.*(?:\.\.|//|@\{|\.lock(?:/|$)))[^\x00-\x20~^:?*\[\\\x7f]+(?<![./])"
)
# github.com/o/r/blob/main/x · gitlab.com/g/s/r/-/blob/main/x · bitbucket.org/o/r/src/main/x ·
# codeberg.org/o/r/src/branch/main/x
_SHOWN_FILE = re.compile(
    r"/(?P<repository>[^/]+(?:/[^/]+)+?)(?:/-)?"
    r"/(?:blob|tree|raw|edit|src)(?:/branch)?/(?P<rest>[^/]+/.+)"
)


class Address(msgspec.Struct, frozen=True):
    """A git source: `url[//folder][#branch]`."""

    url: str
    branch: str | None = None
    folder: str = ""

    @property
    def shown(self) -> str:
        """The address for people: without name, password and query."""
        branch = f"#{self.branch}" if self.branch else ""
        folder = f"//{self.folder}" if self.folder else ""
        return f"{without_credentials(self.url)}{folder}{branch}"


class Origin(msgspec.Struct, frozen=True):
    """Where the files of a source can be seen by people: on a host of repositories."""

    host: str  # "github.com"
    repository: str  # "owner/name", without ".git"
    branch: str
    folder: str = ""  # of the repository, that the source begins at


def is_address(spec: str) -> bool:
    """Whether a source is named by the address of a git repository, not by a path."""
    return _URL.fullmatch(spec) is not None or _SCP.fullmatch(spec) is not None


def parse_address(spec: str) -> Address:
    """Raises Invalid, without repeating a password, for what git must not be asked for."""
    whole, hash_, branch = spec.partition("#")
    if hash_ and not _BRANCH.fullmatch(branch):
        raise Invalid(f"{without_credentials(spec)}: what follows # is not the name of a branch")
    url, folder = _cut_folder(whole)
    match = _URL.fullmatch(url)
    if match:
        _check_url(url, match[1].lower())
    elif not _SCP.fullmatch(url) or url.startswith("-"):
        raise Invalid(f"{without_credentials(url)} is not the address of a git repository")
    if any(letter.isspace() or not letter.isprintable() for letter in url):
        raise Invalid(f"{without_credentials(url)!r} has a space or a control character in it")
    return Address(url, branch or None, checked(folder) if folder else "")


def _check_url(url: str, scheme: str) -> None:
    shown = without_credentials(url)
    if scheme not in _SCHEMES:
        raise Invalid(
            f"{shown}: sources are read over https, http, ssh, git and file, not over {scheme}"
        )
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        raise Invalid(f"{shown} is not an address") from None
    if (not host and scheme != "file") or host.startswith("-"):
        raise Invalid(f"{shown} names no host")


def _cut_folder(whole: str) -> tuple[str, str]:
    """`https://host/owner/name//folder` is a repository and a folder of it."""
    scheme, mark, rest = whole.partition("://")
    if not mark:
        scheme, rest = "", whole
    lead = len(rest) - len(rest.lstrip("/"))
    cut = rest.find("//", lead)
    if cut == -1:
        return whole, ""
    return f"{scheme}{mark}{rest[:cut]}", rest[cut:].strip("/")


def origin_of(remote: str, branch: str, folder: str = "") -> Origin | None:
    """Where a remote's files can be seen; None for a path, or an address without a repository."""
    if match := _URL.fullmatch(remote):
        if match[1].lower() == "file":
            return None
        try:
            parts = urlsplit(remote)
            host = (parts.hostname or "").lower()
            if parts.scheme in ("http", "https") and parts.port:
                host = f"{host}:{parts.port}"
        except ValueError:
            return None
        path = unquote(parts.path)
    elif match := _SCP.fullmatch(remote):
        host, path = match["host"].lower(), match["path"]
    else:
        return None
    repository = path.strip("/").removesuffix(".git")
    if not host or "/" not in repository:
        return None
    return Origin(host, repository, branch, folder)


def local_path(url: str, origin: Origin | None) -> str:
    """The path within the source that a web address of its own repository means.

    Whatever branch the address names, the file is that of the source's own. Raises Invalid for
    the address of anything else: catalog files fetch nothing.
    """
    parts = urlsplit(url)
    match = _SHOWN_FILE.fullmatch(unquote(parts.path))
    same = (
        origin is not None
        and match is not None
        and parts.netloc.rpartition("@")[2].lower() == origin.host
        and match["repository"].lower() == origin.repository.lower()
    )
    if not (same and origin and match):
        raise Invalid(
            f"{without_credentials(url)} is not in this source, and addresses are not fetched: "
            "give its repository to pilothouse as another source"
        )
    rest = match["rest"]
    branch = f"{origin.branch}/"
    path = rest.removeprefix(branch) if rest.startswith(branch) else rest.partition("/")[2]
    path = checked(path)
    if origin.folder and not path.startswith(f"{origin.folder}/"):
        raise Invalid(f"{path} is outside {origin.folder}, the folder that this source begins at")
    return path.removeprefix(f"{origin.folder}/") if origin.folder else path
