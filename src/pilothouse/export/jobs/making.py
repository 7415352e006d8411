"""One run of the copy: what is new is drawn, what is gone goes, the manifest is written last."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import msgspec
import structlog

from pilothouse import __version__
from pilothouse.export import service
from pilothouse.export.jobs.backmatter import Backmatter
from pilothouse.export.model import MANIFEST, Drawn, Failed, Manifest, Planned, Report
from pilothouse.export.outside.drawing import NOT_THERE, Finish, Site, digest_of
from pilothouse.export.outside.painters import painters
from pilothouse.export.outside.places import Place
from pilothouse.export.rules import deciding
from pilothouse.export.rules.indexing import MOST_TEXT
from pilothouse.export.rules.names import plan
from pilothouse.export.rules.private import scrub
from pilothouse.kernel import assets
from pilothouse.kernel.errors import Conflict
from pilothouse.kernel.faults import crash_point
from pilothouse.kernel.module import Exported
from pilothouse.kernel.program import Program
from pilothouse.kernel.tx import Tx
from pilothouse.kernel.words import stamp

log = structlog.get_logger("pilothouse.export")

ROUNDS = 4  # of drawing again what links to pages that could not be drawn
MADE = "made.js"  # tells every page when the copy was last brought up to date

Told = Callable[[int, int], None]


def _nobody(_done: int, _total: int) -> None:
    """Who is told of progress when nobody asked."""


class Cut(msgspec.Struct, frozen=True):
    """All that is read at one instant: what the copy shows is at least as new."""

    at: datetime
    exported: list[Exported]
    news: service.News
    contacts: frozenset[str]
    journal: str


class How(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is made."""

    apart: bool = False  # this process has others to serve: another one draws
    full: bool = False  # everything is drawn, whatever is known


@dataclass(slots=True)
class Making:
    """One run, from the manifest that is there to the next."""

    program: Program
    place: Place
    how: How = field(default_factory=How)
    tell: Told = _nobody
    stopping: threading.Event = field(default_factory=threading.Event)
    before: Manifest = field(default_factory=Manifest)
    planned: dict[str, Planned] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    drawn: dict[str, Drawn] = field(default_factory=dict)
    failed: dict[str, Failed] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)  # files that no page is, their digests
    missing: set[str] = field(default_factory=set)
    full: bool = False
    written: int = 0

    def run(self) -> Report:
        """Bring the copy up to date.

        Raises Conflict when it is cut off or the copy is a newer program's, Invalid when its
        manifest cannot be read.
        """
        began = time.monotonic()
        self.before = deciding.read_manifest(self.place.read(MANIFEST), str(self.place))
        with self.program.db.read() as tx:
            cut = self._cut(tx)
            program = self._decide(cut)
            back = None if self._is_quiet(cut) else self._backmatter(tx, cut)
        self.missing = self.place.missing(deciding.files_of(self.before), thorough=self.full)
        if back is None and self.missing:
            with self.program.db.read() as tx:
                back = self._backmatter(tx, cut)
        if back is None:
            self.others = dict(self.before.files)
        else:
            self._bring(cut, back)
        self._other(MADE, f'pilothouseMade("{stamp(cut.at)}");\n'.encode())
        removed = self._end(cut, program)
        return Report(
            pages=len(self.planned),
            drawn=len(self.drawn),
            written=self.written,
            removed=removed,
            failed=tuple(self.failed.values()),
            seconds=time.monotonic() - began,
            full=self.full,
        )

    def _cut(self, tx: Tx) -> Cut:
        return Cut(
            at=tx.now,
            exported=service.pages(tx, self.program),
            news=service.news(tx, self.before.made_at, self.before.seen),
            contacts=service.contacts(tx),
            journal=service.journal(tx),
        )

    def _decide(self, cut: Cut) -> str:
        """What belongs in the copy, and whether all of it is drawn; which program draws."""
        self.planned, self.files = plan(cut.exported)
        program = self._program(cut)
        self.full = (
            self.how.full or cut.news.too_many or deciding.is_full(self.before, program, cut.at)
        )
        return program

    def _backmatter(self, tx: Tx, cut: Cut) -> Backmatter:
        """The index is the most that is read, so a run that has nothing to do does without it."""
        found = service.findable(tx, MOST_TEXT)
        return Backmatter(found, self.files, partial(scrub, known=cut.contacts))

    def _is_quiet(self, cut: Cut) -> bool:
        """Whether nothing happened since, and nothing is left to be done."""
        before = self.before
        owed = self.full or cut.news.fresh or before.unfinished
        return (
            not owed
            and self.planned.keys() == before.pages.keys()
            and all(page.digest for page in before.pages.values())
        )

    def _program(self, cut: Cut) -> str:
        """Whatever stands on every page, and whose copy it is: another one means drawing all."""
        nav = [
            item.href
            for module in self.program.modules
            for item in module.nav
            if item.href in self.files
        ]
        static = sorted(assets.manifest(assets.STATIC).files.values())
        return digest_of(" ".join([__version__, cut.journal, *nav, *static]).encode())

    def _bring(self, cut: Cut, back: Backmatter) -> None:
        """Draw and write whatever is not as it should be."""
        self.files |= back.files
        self._announce(back)
        self._draw_all(cut)
        for name, data in back.index.items():
            self._other(name, data)
        for done in back.pages(Finish(self.program, self._site(cut)), cut.at, len(self.planned)):
            self._other(done.file, done.data or b"", done.digest)
            self._assets(done.assets)

    def _site(self, cut: Cut) -> Site:
        return Site(self.files, cut.contacts, cut.at)

    def _announce(self, back: Backmatter) -> None:
        """Say which files this run may write, so that the next one knows them for ours."""
        names = {page.file for page in self.planned.values()} | back.names()
        new = names - deciding.files_of(self.before) | {MADE}
        started = msgspec.structs.replace(
            self.before, unfinished=tuple(sorted({*self.before.unfinished, *new}))
        )
        self.place.write(MANIFEST, msgspec.json.encode(started))
        crash_point("export.announced")

    def _draw_all(self, cut: Cut) -> None:
        """Draw what is due; what links to a page that could not be drawn is drawn without it."""
        todo: Collection[str] = list(self.planned)
        if not self.full:
            news = cut.news
            todo = deciding.due(self.planned, self.before, news.touched, news.beside, self.missing)
        for _ in range(ROUNDS):
            lost = self._draw(cut, [self.planned[one] for one in todo if one in self.planned])
            if not lost:
                break
            todo = deciding.linking_to(lost, self.drawn, self.before)

    @property
    def _trusted(self) -> bool:
        """Whether files hold what the manifest says; asked for all, all is written again."""
        return not (self.before.unfinished or self.how.full)

    def _draw(self, cut: Cut, todo: list[Planned]) -> set[str]:
        """Draw these; the addresses of those that the copy cannot have."""
        lost: set[str] = set()
        pages = self.before.pages
        known = {
            page.address: kept.digest
            for page in todo
            if self._trusted and page.file not in self.missing
            if (kept := pages.get(page.address)) is not None and kept.file == page.file
        }
        wanted = [(page, known.get(page.address, "")) for page in todo]
        drawing = painters(self.program, self._site(cut), len(wanted), apart=self.how.apart)
        done = 0
        try:
            for answers in drawing.draw(wanted):
                for answer in answers:
                    if isinstance(answer, Failed):
                        lost |= self._fail(answer)
                    else:
                        self._keep(answer)
                done += len(answers)
                self.tell(done, len(wanted))
                crash_point("export.drawn")
                if self.stopping.is_set():
                    raise Conflict("the copy was cut off; it is brought up to date again later")
        finally:
            drawing.close()
        return lost

    def _keep(self, page: Drawn) -> None:
        if page.data is not None:
            self.place.write(page.file, page.data)
            self.written += 1
        self._assets(page.assets)
        self.failed.pop(page.address, None)
        self.drawn[page.address] = msgspec.structs.replace(page, data=None)

    def _fail(self, page: Failed) -> set[str]:
        """The copy keeps what it has of a page that cannot be drawn, unless the page is gone."""
        if page.why != NOT_THERE:
            log.warning("export.page_failed", address=page.address, why=page.why)
            self.failed[page.address] = page
        kept = self.before.pages.get(page.address)
        if kept is not None and kept.file not in self.missing and page.why != NOT_THERE:
            return set()
        gone = self.planned.pop(page.address)
        self.drawn.pop(page.address, None)
        self.files = {one: file for one, file in self.files.items() if file != gone.file}
        return {page.address, *gone.also}

    def _assets(self, names: Collection[str]) -> None:
        for name in names:
            if f"static/{name}" not in self.others and (assets.STATIC / name).is_file():
                self._other(f"static/{name}", (assets.STATIC / name).read_bytes())

    def _other(self, name: str, data: bytes, digest: str = "") -> None:
        """A file that is no page of the portal; written when it says something else."""
        self.others[name] = digest = digest or digest_of(data)
        as_before = self.before.files.get(name) == digest and name not in self.missing
        if data and not (as_before and self._trusted):
            self.place.write(name, data)
            self.written += 1

    def _end(self, cut: Cut, program: str) -> int:
        """Take away what is gone, and write the manifest; how many files went."""
        pages, addresses = deciding.remembered(self.planned, self.drawn, self.before, self.failed)
        if not self.full:  # pages that were not drawn use what was there
            kept = (item for item in self.before.files.items() if item[0].startswith("static/"))
            self.others = dict(kept) | self.others
        manifest = Manifest(
            made_at=cut.at,
            full_at=cut.at if self.full else self.before.full_at,
            program=program,
            seen=cut.news.recent,
            pages=pages,
            addresses=addresses,
            files=self.others,
        )
        gone = deciding.files_of(self.before) - deciding.files_of(manifest)
        self.place.settle()
        crash_point("export.written")
        self.place.remove(sorted(gone))
        crash_point("export.removed")
        self.place.write(MANIFEST, msgspec.json.encode(manifest))
        self.place.settle()
        return len(gone)
