"""Where all links of a source lead, once all its pages are known."""

from __future__ import annotations

import hashlib
import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from pilothouse.docs.model import Fault, Picture, Role
from pilothouse.docs.outside.files import Files
from pilothouse.docs.rules import links, paths
from pilothouse.docs.service import elsewhere, taking
from pilothouse.kernel.errors import PilothouseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pilothouse.docs.jobs.looking import Look
    from pilothouse.docs.model import Kept, Site
    from pilothouse.docs.service.reading import Layout

MOST_PICTURES = 2000  # of one source
PICTURES_AT_ONCE = 20  # written in one transaction
# github.com/o/r/blob/main/x · gitlab.com/g/s/r/-/blob/main/x · codeberg.org/o/r/src/branch/main/x
_HOSTED = re.compile(
    r"/(?P<repository>[^/]+(?:/[^/]+)+?)(?:/-)?/(?:blob|tree|src)(?:/branch)?/(?P<rest>[^/]+/.+)"
)


@dataclass(slots=True)
class Linking:
    """Where all links of a source lead, once all its pages are known."""

    look: Look
    layout: Layout
    pages: Mapping[str, Kept]
    sites: dict[int, Site] = field(init=False)

    def __post_init__(self) -> None:
        by_ref = {site.ref: site for site in self.layout.sites}
        self.sites = {
            number: by_ref[ref] for ref, number in self.look.site_ids.items() if ref in by_ref
        }

    def address(self, page: Kept) -> str:
        """The address of a page."""
        return paths.href(self.sites[page.site_id].ref, page.slug)

    def run(self) -> dict[int, dict[str, str]]:
        """What changed of where links lead, by page; what is wrong goes to the look's faults."""
        options = {
            (path, link.target, link.image): links.candidates(
                link, path, self.sites[page.site_id].root
            )
            for path, page in self.pages.items()
            for link in page.links
            if links.is_local(link.target)
        }
        wanted = {option for found in options.values() for option in found} - self.pages.keys()
        pictures = self._pictures(wanted)
        files = set(self.look.files.stamps(one for one in wanted if not one.endswith("/")))
        folders = self.look.files.folders(sorted(one for one in wanted if one.endswith("/")))
        abroad = self._abroad()
        addresses = {path: self.address(page) for path, page in self.pages.items()}
        anchors = {path: page.anchors for path, page in self.pages.items()}
        changed: dict[int, dict[str, str]] = {}
        reached: dict[str, frozenset[str]] = {}
        for path, page in self.pages.items():
            around = links.Around(
                path=path,
                root=self.sites[page.site_id].root,
                pages=addresses,
                anchors=anchors,
                files=files | folders,
                pictures=pictures,
                view=lambda one, site=self.sites[page.site_id]: self._view(one, site),
                elsewhere=abroad.get,
            )
            found = links.resolve(page.links, around)
            self.look.faults += [(path, fault, "") for fault in (*page.faults, *found.faults)]
            reached[path] = found.reached | self._below(path, page, options, folders)
            if found.hrefs != page.hrefs:
                changed[page.id] = found.hrefs
        self._orphans(reached)
        return changed

    def _below(
        self,
        path: str,
        page: Kept,
        options: Mapping[tuple[str, str, bool], Sequence[str]],
        folders: set[str],
    ) -> frozenset[str]:
        """A link to a folder reaches all pages in it."""
        named = {
            option
            for link in page.links
            for option in options.get((path, link.target, link.image), ())
            if option in folders and option != "/"
        }
        return (
            frozenset(one for one in self.pages if one.startswith(tuple(named)))
            if named
            else (frozenset())
        )

    def _view(self, path: str, site: Site) -> str | None:
        """Where people see what is no page.

        The list of an archive, a folder's first page, or the page that a host has of a file.
        """
        if path.rstrip("/") in site.archives:
            return f"/rfcs?about={quote(site.ref, safe='')}"
        if path.endswith("/") and path != "/":
            first = next((one for one in self.pages if one.startswith(path)), None)
            if first is not None:
                return self.address(self.pages[first])
        return taking.view_of(self.look.files.hosted(), path.rstrip("/"))

    def _abroad(self) -> dict[str, links.Elsewhere]:
        """What web addresses mean that name files in repositories that are sources here too."""
        targets = {link.target for page in self.pages.values() for link in page.links}
        asked: dict[tuple[str, str], list[str]] = {}
        for target in targets:
            if target.startswith(("https://", "http://")) and (key := _hosted(target)):
                asked.setdefault(key, []).append(target)
        if not asked:
            return {}
        with self.look.program.db.read() as tx:
            found = elsewhere.meant(tx, set(asked))
        return {
            target: one for key, one in self._there_or_gone(found).items() for target in asked[key]
        }

    def _there_or_gone(
        self, found: Mapping[elsewhere.Address, Sequence[links.Elsewhere]]
    ) -> dict[elsewhere.Address, links.Elsewhere]:
        """Pages; and Markdown files that are in no copy of their branch that is read here."""
        known = {key: several[0] for key, several in found.items() if several[0].href}
        missed = {
            key: current
            for key, several in found.items()
            if key not in known
            and (current := [one for one in several if one.current and paths.is_page(one.path)])
        }
        sought: dict[str, set[str]] = {}
        for one in (one for several in missed.values() for one in several):
            sought.setdefault(one.source, set()).add(one.path)
        lacking = {spec: self._lacking(spec, named) for spec, named in sought.items()}
        for key, several in missed.items():
            if all(one.path in lacking[one.source] for one in several):
                known[key] = several[0]
        return known

    def _lacking(self, spec: str, named: set[str]) -> set[str]:
        """Files that the copy of a source does not have; it is as its last look left it."""
        try:
            with Files(spec, Path(self.look.program.settings.data)) as files:
                return files.lacking(named)
        except PilothouseError:
            return set()  # the catalog tells why it cannot be read

    def _pictures(self, wanted: Iterable[str]) -> dict[str, str]:
        """Addresses of the images that pages name; what is new of them is kept."""
        named = [path for path in wanted if posixpath.splitext(path)[1].lower() in links.PICTURES]
        stamps = self.look.files.stamps(sorted(named)[:MOST_PICTURES])
        known = self.look.known.pictures
        fresh = [path for path, stamp in stamps.items() if known.get(path, ("", ""))[0] != stamp]
        names = {path: known[path][1] for path in stamps if path in known}
        for start in range(0, len(fresh), PICTURES_AT_ONCE):
            part = list(self._brought(fresh[start : start + PICTURES_AT_ONCE], stamps))
            with self.look.program.db.begin() as tx:
                taking.keep_pictures(tx, self.look.known, part)
            names |= {picture.path: picture.name for picture in part}
        self.look.unused = sorted(known.keys() - stamps.keys())
        self.look.replaced = {known[path][1] for path in fresh if path in known}
        return {path: f"/docs/files/{name}" for path, name in names.items()}

    def _brought(self, fresh: Iterable[str], stamps: Mapping[str, str]) -> Iterator[Picture]:
        for path in fresh:
            try:
                body = self.look.files.read(path)
            except PilothouseError as error:
                self.look.faults.append((path, Fault("docs-unreadable", str(error)), ""))
                continue
            ending = posixpath.splitext(path)[1].lower()
            if links.can_run(ending, body):
                message = "The image has a script in it, and is not shown"
                self.look.faults.append((path, Fault("docs-unsafe-image", message), ""))
                continue
            name = hashlib.sha256(body).hexdigest()[:40] + ending
            yield Picture(path, stamps[path], name, links.PICTURES[ending], body)

    def _orphans(self, reached: Mapping[str, frozenset[str]]) -> None:
        """Pages that nobody comes to: no other page links there, no nav names them."""
        linked = {page for path, found in reached.items() for page in found if page != path}
        for site in self.sites.values():
            named = _named(site)
            own = [path for path in self.pages if self.layout.pages[path].site.ref == site.ref]
            if not named and not any(paths.is_index(path) for path in own):
                continue  # nothing there means to lead to the others
            for path in own:
                page = self.pages[path]
                if page.role is Role.PAGE and path not in linked and path not in named:
                    if paths.is_index(path) or path in site.files:
                        continue
                    words = "No page links here" + (", and nav does not name it" if named else "")
                    fault = Fault("docs-orphan-page", words)
                    self.look.faults.append((path, fault, site.ref))


def _named(site: Site) -> set[str]:
    """The pages that a nav names."""
    found: set[str] = set()
    waiting = list(site.nav)
    while waiting:
        entry = waiting.pop()
        waiting += entry.children
        found.add(entry.path)
    return found - {""}


def _hosted(target: str) -> tuple[str, str] | None:
    """Host and repository, and the path with its branch, that a web address means."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    match = _HOSTED.fullmatch(unquote(parts.path))
    if match is None:
        return None
    return f"{parts.netloc}/{match['repository']}".lower(), match["rest"]
