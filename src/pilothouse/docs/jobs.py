"""Background work of docs: bringing what a source's files say into the portal."""

from __future__ import annotations

import hashlib
import posixpath
import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

import structlog

from pilothouse.docs.model import Change, Fault, Picture, Reading, Role
from pilothouse.docs.outside.files import COMPANION, Files
from pilothouse.docs.rules import links, paths
from pilothouse.docs.service import reading, runbooks, taking
from pilothouse.kernel.errors import PilothouseError
from pilothouse.kernel.jobs import JobKind
from pilothouse.kernel.module import Subscription

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pilothouse.docs.model import Kept, Site
    from pilothouse.docs.service.reading import Layout
    from pilothouse.docs.service.taking import Known
    from pilothouse.kernel.events import Event
    from pilothouse.kernel.jobs.worker import Work
    from pilothouse.kernel.program import Program

log = structlog.get_logger("pilothouse.docs")

LOOK = "docs.look"
CHUNK = 50  # pages written in one transaction, which others wait for
MOST_UNCOMMITTED = 500  # known pages whose commit is asked for again
MOST_PICTURES = 2000  # of one source
SOON = timedelta(seconds=1)  # after a change of the catalog: most often the source is told as well
# github.com/o/r/blob/main/x · gitlab.com/g/s/r/-/blob/main/x · codeberg.org/o/r/src/branch/main/x
_HOSTED = re.compile(
    r"/(?P<repository>[^/]+(?:/[^/]+)+?)(?:/-)?/(?:blob|tree|src)(?:/branch)?/(?P<rest>[^/]+/.+)"
)


@dataclass(slots=True)
class Look:
    """One look at the docs of one source."""

    program: Program
    spec: str
    known: Known
    files: Files
    site_ids: Mapping[str, int] = field(default_factory=dict)
    faults: list[tuple[str, Fault, str]] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    before: str = ""  # digest of what others could link to

    def run(self) -> None:
        """Bring the portal to what the files say now."""
        layout = self._layout()
        self.faults += layout.faults
        hosted = self.files.hosted()
        with self.program.db.begin() as tx:
            self.site_ids, self.before = taking.begin(
                tx, self.known, self.spec, hosted, layout.sites
            )
        titles = {one.ref: one.title for one in reading.declared(self.known.declared)}
        for chunk in _chunks(self._read(layout)):
            with self.program.db.begin() as tx:
                taking.take(tx, self.known, self.site_ids, chunk, titles)
            self.touched |= {one.ref for one in chunk}
        self._drop(layout)
        self._finish(layout)

    def _layout(self) -> Layout:
        texts = {path: self.files.text(path) for path in self.files.configs()}
        return reading.layout(
            reading.declared(self.known.declared),
            self.files.pages(),
            {path: text for path, text in texts.items() if text is not None},
            self.files.local,
        )

    def _read(self, layout: Layout) -> Iterator[Reading]:
        """Pages that are new or changed, as they are now."""
        stamps = self.files.stamps(layout.pages)
        beside = {path: _companion(path) for path in layout.pages if _companion(path)}
        companions = self.files.stamps(beside.values())
        todo: dict[str, str] = {}
        for path, placed in layout.pages.items():
            if path not in stamps:
                continue
            companion = companions.get(beside.get(path, ""), "")
            stamp = reading.stamp(placed, stamps[path], companion)
            if path not in self.known.pages or self.known.pages[path].stamp != stamp:
                todo[path] = stamp
        changes = self.files.changes(list(todo))
        for path, stamp in todo.items():
            placed = layout.pages[path]
            try:
                data = self.files.read(path)
            except PilothouseError as error:
                fault = Fault("docs-unreadable", str(error))
                self.faults.append((path, fault, placed.site.ref))
                continue
            companion = beside.get(path, "")
            text = self.files.text(companion) if companion in companions else None
            yield reading.read(placed, data, stamp, changes.get(path, Change()), text)

    def _drop(self, layout: Layout) -> None:
        gone = [page for path, page in self.known.pages.items() if path not in layout.pages]
        if gone:
            refs = {number: ref for ref, number in self.site_ids.items()}
            self.touched |= {refs[page.site_id] for page in gone if page.site_id in refs}
            with self.program.db.begin() as tx:
                taking.drop(tx, gone)

    def _finish(self, layout: Layout) -> None:
        with self.program.db.read() as tx:
            pages = taking.all_pages(tx, self.known.id)
            filed = taking.filed(tx, self.known.id)
            concerned = runbooks.concerned(tx, pages.values())
            self.faults += [(path, fault, "") for path, fault in concerned]
        linking = Linking(self, layout, pages)
        hrefs, changes = linking.run(), self._committed(pages)
        addresses = [(path, linking.address(page)) for path, page in pages.items()]
        digest = taking.digest_of(addresses)
        with self.program.db.begin() as tx:
            taking.link(tx, hrefs, changes)
            outcome = taking.Outcome(self.site_ids, filed, self._whose(pages), self.touched, digest)
            taking.finish(tx, self.known, outcome)
            if digest != self.before:  # what others link to may be here now, or elsewhere
                for number, spec in taking.others(tx, self.known.id).items():
                    log.debug("docs.others_look", source=number)
                    tx.enqueue(LOOK, {"source": spec}, key=spec, after=SOON)

    def _whose(self, pages: Mapping[str, Kept]) -> list[tuple[str, Fault, str]]:
        refs = {number: ref for ref, number in self.site_ids.items()}
        return [
            (path, fault, ref or (refs.get(pages[path].site_id, "") if path in pages else ""))
            for path, fault, ref in self.faults
        ]

    def _committed(self, pages: Mapping[str, Kept]) -> dict[int, Change]:
        """Of pages that were not committed as they are, those that are now."""
        waiting = [
            path
            for path, page in pages.items()
            if page.commit_id is None and path in self.known.pages
        ][:MOST_UNCOMMITTED]
        found = self.files.changes(waiting) if waiting else {}
        return {pages[path].id: change for path, change in found.items() if change.id}


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
        elsewhere = self._elsewhere()
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
                elsewhere=elsewhere.get,
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
        """Where people see what is no page: the list of an archive, a folder's first page, or the
        host's own page of a file.
        """
        if path.rstrip("/") in site.archives:
            return f"/rfcs?about={quote(site.ref, safe='')}"
        if path.endswith("/") and path != "/":
            first = next((one for one in self.pages if one.startswith(path)), None)
            if first is not None:
                return self.address(self.pages[first])
        return taking.view_of(self.look.files.hosted(), path.rstrip("/"))

    def _elsewhere(self) -> dict[str, str]:
        """Our pages for web addresses of files in repositories that are sources here too."""
        targets = {link.target for page in self.pages.values() for link in page.links}
        asked: dict[tuple[str, str], list[str]] = {}
        for target in targets:
            if target.startswith(("https://", "http://")) and (key := _hosted(target)):
                asked.setdefault(key, []).append(target)
        if not asked:
            return {}
        with self.look.program.db.read() as tx:
            found = taking.elsewhere(tx, set(asked))
        return {
            target: href + (f"#{fragment}" if (fragment := urlsplit(target).fragment) else "")
            for key, href in found.items()
            for target in asked[key]
        }

    def _pictures(self, wanted: Iterable[str]) -> dict[str, str]:
        """Addresses of the images that pages name; what is new of them is kept."""
        named = [path for path in wanted if posixpath.splitext(path)[1].lower() in links.PICTURES]
        stamps = self.look.files.stamps(sorted(named)[:MOST_PICTURES])
        known = self.look.known.pictures
        fresh = [path for path, stamp in stamps.items() if known.get(path, ("", ""))[0] != stamp]
        names = {path: known[path][1] for path in stamps if path in known}
        for part in _chunks(self._brought(fresh, stamps)):
            with self.look.program.db.begin() as tx:
                taking.show_pictures(tx, self.look.known, part, ())
            names |= {picture.path: picture.name for picture in part}
        unused = sorted(known.keys() - stamps.keys())
        if unused:
            with self.look.program.db.begin() as tx:
                taking.show_pictures(tx, self.look.known, (), unused)
        return {path: f"/docs/files/{name}" for path, name in names.items()}

    def _brought(self, fresh: Iterable[str], stamps: Mapping[str, str]) -> Iterator[Picture]:
        for path in fresh:
            try:
                body = self.look.files.read(path)
            except PilothouseError as error:
                self.look.faults.append((path, Fault("docs-unreadable", str(error)), ""))
                continue
            ending = posixpath.splitext(path)[1].lower()
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


def _companion(path: str) -> str:
    """The kep.yaml beside a KEP."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/{COMPANION}" if folder and name == "README.md" else ""


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    for item in items:
        chunk.append(item)
        if len(chunk) >= CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def look(program: Program, spec: str) -> None:
    """Look at the docs of one source now; its copy is as the catalog's last look left it.

    A source that cannot be read keeps its docs; the catalog tells why.
    """
    with program.db.read() as tx:
        known = taking.known(tx, spec)
    if known is None:
        return
    try:
        with Files(spec, Path(program.settings.data)) as files:
            Look(program, spec, known, files).run()
    except PilothouseError as error:
        log.warning("docs.source_unreachable", source=spec, error=str(error))


def _look(work: Work) -> None:
    look(work.program, work.job.data()["source"])


def _source_read(work: Work, event: Event) -> None:
    """A source was looked at: its docs are next."""
    spec = event.data["source"]
    with work.finish() as tx:
        tx.enqueue(LOOK, {"source": spec}, key=spec)


def _catalog_changed(work: Work, event: Event) -> None:
    """Entities changed: those of a source that left take their docs along."""
    with work.finish() as tx:
        for source_id in taking.gone(tx):
            taking.forget(tx, source_id)
        for spec in taking.concerned(tx, event.entities):
            tx.enqueue(LOOK, {"source": spec}, key=spec, after=SOON)


jobs = [JobKind(LOOK, _look, lease=timedelta(seconds=60), judges=True)]
handlers = [
    Subscription("catalog.source_read", "docs.read", _source_read),
    Subscription("catalog.changed", "docs.settle", _catalog_changed),
]
