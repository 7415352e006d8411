"""Reading a repository for what its first catalog file could say; bounded, and without network."""

from __future__ import annotations

import os
import posixpath
import re
from collections import Counter
from pathlib import Path

from pilothouse.catalog.model import Author, Survey
from pilothouse.catalog.outside import git
from pilothouse.catalog.outside.failures import SourceUnreachable
from pilothouse.catalog.outside.folder import Folder
from pilothouse.catalog.outside.paths import is_catalog_path, is_skipped
from pilothouse.kernel.errors import Conflict, Invalid, NotFound

MOST_PATHS = 50_000
MOST_TEXTS = 400
MOST_BYTES = 256 * 1024  # of a manifest; longer ones are not read
HEAD_BYTES = 16 * 1024  # of what only its beginning matters
MOST_HEADED = 20_000_000  # of a file whose beginning is read
MOST_COMMITS = 5000
MOST_AUTHORS = 50
MOST_TAGS = 50
CATALOG_FILE = "catalog-info.yaml"

_WHOLE = re.compile(
    r"(?:^|/)(?:package\.json|pnpm-workspace\.yaml|pyproject\.toml|setup\.cfg|requirements\.txt|"
    r"go\.(?:mod|work)|Cargo\.toml|pom\.xml|(?:settings|build)\.gradle(?:\.kts)?|Gemfile|"
    r"[^/]+\.gemspec|composer\.json|[^/]+\.csproj|(?:docker-)?compose\.ya?ml)$"
    r"|^(?:\.github/|\.gitlab/|docs/)?CODEOWNERS$"
    r"|^\.github/workflows/[^/]+\.ya?ml$|^\.gitlab-ci\.yml$|^Jenkinsfile$|^\.circleci/config\.yml$"
    r"|^(?:azure|bitbucket)-pipelines\.yml$|^\.drone\.yml$|^cloudbuild\.yaml$"
)
_HEAD = re.compile(
    r"(?:^|/)(?:readme(?:\.md|\.rst|\.txt)?|[^/]*(?:openapi|swagger|asyncapi)[^/]*\.(?:ya?ml|json)|"
    r"[^/]+\.proto)$",
    re.IGNORECASE,
)


def survey(path: Path) -> Survey:
    """Look at the folder `path`, in a git repository or not.

    Raises NotFound when there is no such folder.
    """
    root = path.resolve()
    if not root.is_dir():
        raise NotFound(f"{path} is not a folder")
    folder = Folder(root)
    paths = tuple(sorted(_listed(folder))[:MOST_PATHS])
    authors, period = _authors(folder)
    origin = folder.origin()
    return Survey(
        name=root.name,
        paths=paths,
        texts=_texts(folder, paths),
        host=origin.host if origin else "",
        repository=origin.repository if origin else "",
        branch=origin.branch if origin else "",
        folder=origin.folder if origin else "",
        authors=authors,
        period=period,
        tags=_tags(folder),
        existing=tuple(filter(is_catalog_path, paths)),
    )


def write_new(path: Path, text: str, *, force: bool = False) -> Path:
    """Write a catalog file for the folder `path`, and say where it is.

    The file appears whole or not at all. Raises Conflict when there is one (or a .yml) and `force`
    is not set, Invalid when the folder cannot be written to.
    """
    target = path / CATALOG_FILE
    other = target.with_suffix(".yml")
    if other.exists() and not force:
        raise Conflict(f"{other} exists: look at it first, or write beside it with --force")
    fresh = path / f".{CATALOG_FILE}.{os.getpid()}"
    try:
        fresh.write_text(text, encoding="utf-8")
        if force:
            fresh.replace(target)
        else:
            os.link(fresh, target)  # which, unlike a rename, never replaces what is there
    except FileExistsError:
        raise Conflict(f"{target} exists: look at it first, or overwrite it with --force") from None
    except OSError as error:
        raise Invalid(f"{target} cannot be written: {error.strerror}") from None
    finally:
        fresh.unlink(missing_ok=True)
    return target


def _listed(folder: Folder) -> list[str]:
    """Files of the repository that git does not ignore, else all files."""
    argv = git.command_in(folder.root, "ls-files", "-z", "-co", "--exclude-standard")
    try:
        out = git.run(argv, folder.shown)
    except SourceUnreachable:
        return _walked(folder.root)
    return list(dict.fromkeys(os.fsdecode(out).split("\0")[:-1]))


def _walked(root: Path) -> list[str]:
    found: list[str] = []
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not is_skipped(name))
        within = Path(place).relative_to(root)
        found += ((within / name).as_posix() for name in names)
        if len(found) >= MOST_PATHS:
            break
    return found


def _texts(folder: Folder, paths: tuple[str, ...]) -> dict[str, str]:
    """The files that say most, those near the root first."""
    texts: dict[str, str] = {}
    for path in sorted(paths, key=lambda path: (path.count("/"), path)):
        if len(texts) >= MOST_TEXTS:
            break
        try:
            if _WHOLE.search(path):
                data = folder.read(path, MOST_BYTES)
            elif _HEAD.search(path) or posixpath.basename(path).lower() == "readme":
                data = folder.read(path, MOST_HEADED)[:HEAD_BYTES]
            else:
                continue
        except (Invalid, NotFound):
            continue
        texts[path] = data.decode("utf-8", "replace").removeprefix("\ufeff")
    return texts


def _authors(folder: Folder) -> tuple[tuple[Author, ...], str]:
    """Who committed most in the last year, or ever where nobody did."""
    form = ("log", f"--max-count={MOST_COMMITS}", "--no-merges", "--format=%aN%x1f%aE")
    for options, period in ((("--since=1.year",), "the last year"), ((), "all its history")):
        told = git.asked(git.command_in(folder.root, *form, *options, "--", "."))
        if told:
            counts = Counter(told.splitlines())
            names: Counter[str] = Counter()
            shown: dict[str, str] = {}
            for line, count in counts.most_common():
                name, _, email = line.partition("\x1f")
                names[email.lower()] += count
                shown.setdefault(email.lower(), name)
            most = sorted(names.items(), key=lambda item: (-item[1], item[0]))[:MOST_AUTHORS]
            return tuple(Author(shown[email], email, count) for email, count in most), period
    return (), ""


def _tags(folder: Folder) -> tuple[str, ...]:
    form = ("for-each-ref", f"--count={MOST_TAGS}", "--sort=-creatordate")
    told = git.asked(git.command_in(folder.root, *form, "--format=%(refname:short)", "refs/tags"))
    return tuple(told.splitlines()) if told else ()
