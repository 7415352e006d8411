"""The copy follows the catalog: what changed is drawn, what is gone goes, the rest stays."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.catalog.following import Following, component, following, group, several, write
from tests.export.copies import copied, faults, files, reached, touched

from pilothouse.export.model import MANIFEST
from pilothouse.kernel import search
from pilothouse.kernel.errors import Conflict, Invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST = several(
    group("team-a"),
    component("pay", dependsOn=["component:ledger", "component:not-there"]),
    component("ledger"),
    component("lonely"),
)
PAY, LEDGER, LONELY = (
    f"catalog/component/default/{name}/index.html" for name in ("pay", "ledger", "lonely")
)


@pytest.fixture
def catalog(database_url: str, tmp_path: Path) -> Iterator[Following]:
    with following(database_url, tmp_path / "data") as found:
        write(tmp_path / "source", "catalog-info.yaml", FIRST)
        found.follow(tmp_path / "source")
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "copy"


def change(catalog: Following, folder: Path, text: str) -> None:
    source = folder.parent / "source"
    write(source, "catalog-info.yaml", text)
    catalog.look(source)


def test_every_page_is_there_and_links_lead_to_it(catalog: Following, folder: Path) -> None:
    report = copied(catalog.program, folder)
    assert not report.failed
    assert not faults(folder)
    there = files(folder)
    assert {PAY, LEDGER, LONELY, "index.html", "search/index.html", "copy/index.html"} <= set(there)
    pages = {name for name in there if name.endswith(".html")}
    assert pages <= reached(folder)
    assert "name: pay" in (folder / PAY).with_name("document.txt").read_text()


def test_nothing_is_written_when_nothing_happened(catalog: Following, folder: Path) -> None:
    copied(catalog.program, folder)
    with touched(folder) as written:
        report = copied(catalog.program, folder)
    assert report.drawn == 0
    assert written <= {MANIFEST, f"{MANIFEST}.lock", "made.js"}


def test_a_change_reaches_its_page_and_those_beside_it_only(
    catalog: Following, folder: Path
) -> None:
    copied(catalog.program, folder)
    change(catalog, folder, FIRST.replace("name: ledger", "name: ledger\n  title: The ledger", 1))
    with touched(folder) as written:
        copied(catalog.program, folder)
    assert {PAY, LEDGER, "catalog/index.html", "catalog/q.kind.component.html"} <= written
    assert LONELY not in written
    assert "The ledger" in (folder / PAY).read_text()
    assert not faults(folder)


def test_what_is_gone_goes_and_so_do_links_to_it(catalog: Following, folder: Path) -> None:
    copied(catalog.program, folder)
    change(
        catalog, folder, several(group("team-a"), component("pay", dependsOn=["component:ledger"]))
    )
    report = copied(catalog.program, folder)
    assert report.removed
    assert not (folder / LEDGER).parent.exists()
    assert not faults(folder)
    assert "not in the catalog" in (folder / PAY).read_text()


def test_what_comes_back_is_linked_to_again(catalog: Following, folder: Path) -> None:
    change(
        catalog, folder, several(group("team-a"), component("pay", dependsOn=["component:ledger"]))
    )
    copied(catalog.program, folder)
    change(catalog, folder, FIRST)
    copied(catalog.program, folder)
    assert "component/default/ledger/index.html" in (folder / PAY).read_text()
    assert not faults(folder)


def test_a_copy_brought_up_to_date_is_the_one_made_anew(catalog: Following, folder: Path) -> None:
    copied(catalog.program, folder)
    change(catalog, folder, FIRST.replace("name: lonely", "name: alone"))
    copied(catalog.program, folder)
    change(catalog, folder, FIRST.replace("name: lonely", "name: alone\n  title: Along"))
    copied(catalog.program, folder)
    anew = folder.with_name("anew")
    copied(catalog.program, anew)
    assert set(files(folder)) == set(files(anew))
    assert {
        name: data for name, data in files(folder).items() if name.endswith((".txt", ".js"))
    } == {name: data for name, data in files(anew).items() if name.endswith((".txt", ".js"))} | {
        "made.js": (folder / "made.js").read_bytes()
    }


def test_a_file_that_was_lost_is_written_again(catalog: Following, folder: Path) -> None:
    copied(catalog.program, folder)
    (folder / PAY).unlink()
    copied(catalog.program, folder)
    assert (folder / PAY).exists()


def test_damaged_files_are_mended_when_everything_is_asked_for(
    catalog: Following, folder: Path
) -> None:
    copied(catalog.program, folder)
    before = files(folder)
    damaged = {PAY, "index.html", "search/t.0.js", "search/index.html", "catalog/index.html"}
    damaged |= {name for name in before if name.startswith("static/")}
    for name in damaged:
        (folder / name).write_bytes(before[name][: len(before[name]) // 2])
    copied(catalog.program, folder, full=True)
    after = files(folder)
    assert {name for name in damaged if len(after[name]) != len(before[name])} == set()


def test_the_manifest_is_written_when_the_disk_has_the_rest(
    catalog: Following, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    synced, everything, replaced = os.fsync, os.sync, Path.replace

    def sync(opened: int) -> None:
        done.append(str(Path(f"/proc/self/fd/{opened}").readlink()))
        synced(opened)

    def replace(self: Path, target: Path) -> Path:
        done.append(f"> {target.name}")
        return replaced(self, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "sync", lambda: (done.append("all"), everything()))
    monkeypatch.setattr(Path, "replace", replace)
    copied(catalog.program, folder)
    manifests = [at for at, what in enumerate(done) if what == f"> {MANIFEST}"]
    assert done.index("all") < manifests[-1]
    assert "> index.html" not in done[done.index("all") :]
    assert all("/.pilothouse-parts/" in done[at - 1] for at in manifests)
    change(catalog, folder, FIRST.replace("name: lonely", "name: lonely\n  title: Alone"))
    done.clear()
    copied(catalog.program, folder)
    last = max(at for at, what in enumerate(done) if what == f"> {MANIFEST}")
    assert "all" in done or str(folder / LONELY) in done[:last]


def test_the_index_is_not_read_when_nothing_happened(
    catalog: Following, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied(catalog.program, folder)
    with monkeypatch.context() as broken:
        broken.setattr("pilothouse.kernel.search.everything", _fails)
        assert not copied(catalog.program, folder).written > 1
        with pytest.raises(RuntimeError):
            copied(catalog.program, folder, full=True)


def test_the_index_holds_the_beginning_of_long_texts_only(catalog: Following, folder: Path) -> None:
    pay = "/catalog/component/default/pay"
    text = f"zebra {'word ' * 5000} yak"
    found = search.Document(key="t:1", origin="t", kind="doc", title="Long", href=pay, text=text)
    with catalog.program.db.begin() as tx:
        search.put(tx, [found])
    with catalog.program.db.read() as tx:
        assert [len(one.text) for one in search.everything(tx, 1000)] == [1000]
    copied(catalog.program, folder)
    there = files(folder)
    assert b'"zebra"' in there["search/w.ze.js"]
    assert not [name for name in there if b'"yak"' in there[name]]


def test_what_others_put_there_stays(catalog: Following, folder: Path) -> None:
    copied(catalog.program, folder)
    (folder / "CNAME").write_text("portal.example.org")
    own = folder / LONELY.replace("index.html", "note.txt")
    own.write_text("ours")
    change(catalog, folder, component("pay"))
    copied(catalog.program, folder)
    assert (folder / "CNAME").read_text() == "portal.example.org"
    assert own.read_text() == "ours"
    assert not (folder / LONELY).exists()


def test_a_folder_with_other_things_is_refused(catalog: Following, folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.txt").write_text("the only copy")
    with pytest.raises(Invalid, match="not empty"):
        copied(catalog.program, folder)
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_two_runs_do_not_write_one_copy(catalog: Following, folder: Path) -> None:
    from pilothouse.export.outside.places import open_place

    place = open_place(str(folder))
    with pytest.raises(Conflict, match="another"):
        copied(catalog.program, folder)
    place.close()
    copied(catalog.program, folder)


def test_the_copy_of_another_database_is_made_whole(
    catalog: Following, folder: Path, tmp_path: Path
) -> None:
    copied(catalog.program, folder)
    write(tmp_path / "elsewhere", "catalog-info.yaml", component("pay", owner="team-z"))
    with following(f"sqlite:///{tmp_path / 'other.db'}", tmp_path / "other") as other:
        other.follow(tmp_path / "elsewhere")
        assert copied(other.program, folder).full
    assert "team-z" in (folder / PAY).read_text()
    assert not faults(folder)


def test_a_page_that_cannot_be_drawn_keeps_what_the_copy_has_of_it(
    catalog: Following, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied(catalog.program, folder)
    before = (folder / PAY).read_bytes()
    change(catalog, folder, FIRST.replace("name: pay", "name: pay\n  title: Pays"))
    with monkeypatch.context() as broken:
        broken.setattr("pilothouse.catalog.service.panels.head", _fails)
        report = copied(catalog.program, folder)
    assert report.failed
    assert (folder / PAY).read_bytes() == before
    assert not faults(folder)
    assert not copied(catalog.program, folder).failed
    assert "Pays" in (folder / PAY).read_text()


def test_a_page_that_never_could_be_drawn_is_not_linked_to(
    catalog: Following, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pilothouse.catalog.service.panels.document", _fails)
    report = copied(catalog.program, folder)
    assert {page.why for page in report.failed} == {"the portal answered 500"}
    assert not faults(folder)


def _fails(*_: object) -> None:
    raise RuntimeError("a fault of ours")
