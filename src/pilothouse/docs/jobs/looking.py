"""One look at the docs of one source, from its files to the pages of the portal."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pilothouse.docs.jobs.linking import Linking
from pilothouse.docs.model import Change, Fault, Reading
from pilothouse.docs.outside.files import COMPANION, Files
from pilothouse.docs.service import elsewhere, reading, runbooks, taking
from pilothouse.kernel.errors import PilothouseError
from pilothouse.kernel.faults import crash_point

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pilothouse.docs.model import Kept
    from pilothouse.docs.service.reading import Layout
    from pilothouse.docs.service.taking import Known
    from pilothouse.kernel.program import Program

LOOK = "docs.look"
CHUNK = 50  # pages written in one transaction, which others wait for
MOST_UNCOMMITTED = 500  # known pages whose commit is asked for again
SOON = timedelta(seconds=1)  # after a change of the catalog: most often the source is told as well


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
    markdown: list[str] = field(default_factory=list)  # all files, pages or not
    unused: list[str] = field(default_factory=list)  # pictures
    replaced: set[str] = field(default_factory=set)  # their contents

    @property
    def cut(self) -> bool:
        """Whether the look before was cut short: what it wrote has not been told."""
        return self.before == taking.UNFINISHED

    def run(self) -> None:
        """Bring the portal to what the files say now."""
        layout = self._layout()
        self.faults += layout.faults
        hosted = self.files.hosted()
        with self.program.db.begin() as tx:
            self.site_ids, self.before = taking.begin(
                tx, self.known, self.spec, hosted, layout.sites
            )
        if self.cut:
            self.touched |= set(self.site_ids)
        titles = {one.ref: one.title for one in self.known.declared}
        for chunk in chunks(self._read(layout)):
            with self.program.db.begin() as tx:
                taking.take(tx, self.known, self.site_ids, chunk, titles)
            crash_point("docs.taken")
            self.touched |= {one.ref for one in chunk}
        self._drop(layout)
        self._finish(layout)

    def _layout(self) -> Layout:
        self.markdown = self.files.pages()
        texts = {path: self.files.text(path) for path in self.files.configs()}
        return reading.layout(
            self.known.declared,
            self.markdown,
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
            self._note(gone)
            with self.program.db.begin() as tx:
                taking.drop(tx, self.known, gone)
            crash_point("docs.dropped")

    def _note(self, pages: Iterable[Kept]) -> None:
        """These pages show something else than before, or are gone."""
        refs = {number: ref for ref, number in self.site_ids.items()}
        self.touched |= {refs[page.site_id] for page in pages if page.site_id in refs}

    def _finish(self, layout: Layout) -> None:
        with self.program.db.read() as tx:
            pages = taking.all_pages(tx, self.known.id)
            filed = taking.filed(tx, self.known.id)
            concerned = runbooks.concerned(tx, pages.values())
            self.faults += [(path, fault, "") for path, fault in concerned]
        linking = Linking(self, layout, pages)
        hrefs, changes = linking.run(), self._committed(pages)
        self._note(page for page in pages.values() if page.id in hrefs or page.id in changes)
        linked = [(path, linking.address(page), page.anchors) for path, page in pages.items()]
        hosted = self.files.hosted()
        digest = elsewhere.digest_of(hosted, linked, self.markdown)
        others: list[str] = []
        if digest != self.before:  # what others link to may be here now, or elsewhere
            with self.program.db.read() as tx:
                others = elsewhere.others(tx, self.known.id, hosted)
        with self.program.db.begin() as tx:
            taking.drop_pictures(tx, self.known, self.unused, self.replaced, cut=self.cut)
            taking.link(tx, hrefs, changes)
            outcome = taking.Outcome(self.site_ids, filed, self._whose(pages), self.touched, digest)
            taking.finish(tx, self.known, outcome)
            others += taking.named_by(tx, self._repositories())
            for spec in sorted(set(others) - {self.spec}):
                tx.enqueue(LOOK, {"source": spec}, key=spec, after=SOON)

    def _repositories(self) -> set[str]:
        """Repositories that entities of this source name as those of their docs."""
        found: set[str] = set()
        for one in self.known.declared:
            for reference in (one.techdocs, one.decisions):
                address = reference.removeprefix("url:")
                if one.path and "://" in address:
                    host, *names = address.partition("://")[2].split("/")
                    found.add("/".join([host, *names[:2]]).lower())
        return found

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


def _companion(path: str) -> str:
    """The kep.yaml beside a KEP."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/{COMPANION}" if folder and name == "README.md" else ""


def chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    for item in items:
        chunk.append(item)
        if len(chunk) >= CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
