"""The copy of a real catalog: no broken link, readable from a folder without scripts, found in."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests import axe, programs
from tests.catalog.following import write
from tests.export.copies import faults, files, reached
from tests.servers import free_port, wait_until
from tests.system.test_pages import CATALOG, WIDTHS

from pilothouse.kernel import faults as crashes

REAL = Path(__file__).parents[3] / "shared" / "data" / "catalog" / "giantswarm-2026-08-07"
POINTS = ("export.announced", "export.drawn", "export.written", "export.removed")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy of a real organisation's catalog, from its files alone."""
    if not REAL.is_dir():
        pytest.skip("the shared catalog is not there")
    return _export(tmp_path_factory.mktemp("real"), REAL)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy of a catalog with everything in it, hostile words too."""
    folder = tmp_path_factory.mktemp("all")
    source = folder / "source" / "catalog-info.yaml"
    source.parent.mkdir()
    source.write_text(CATALOG)
    return _export(folder, source.parent)


def _export(folder: Path, source: Path) -> Path:
    starting = programs.started_programs(folder)
    made = next(starting)("export", "copy", str(source), cwd=folder)
    assert made.wait(seconds=120) == 0, made.complaint("the export failed")
    assert "pages" in made.output()
    assert not (folder / ".pilothouse").exists(), "a database was left behind"
    next(starting, None)
    return folder / "copy"


def test_no_link_of_a_real_copy_is_broken(real: Path) -> None:
    assert not faults(real)
    there = {name for name in files(real) if name.endswith(".html")}
    assert len(there) > 96
    assert there <= reached(real)


def test_it_is_read_from_a_folder_without_scripts(browser: Browser, real: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    view = context.new_page()
    view.goto((real / "index.html").as_uri())
    view.get_by_role("navigation", name="Main").get_by_role("link", name="Components").click()
    expect(view.locator("h1")).to_have_text("Components")
    first = view.locator("main table a").first
    name = first.inner_text()
    first.click()
    expect(view.locator("h1")).to_have_text(name)
    expect(view.locator("footer")).to_contain_text("A copy as plain files")
    view.get_by_role("link", name="Document", exact=True).click()
    assert "apiVersion:" in view.inner_text("body")
    view.goto((real / "index.html").as_uri())
    view.locator("#q").fill("anything")
    view.locator("#q").press("Enter")
    expect(view.locator("h1")).to_have_text("Search")
    view.locator("main dd a").first.click()
    view.locator("main li a").first.click()
    expect(view.locator(".crumb, h1").first).to_be_visible()
    context.close()


def test_search_finds_while_one_types_and_on_its_page(tab: Page, copy: Path) -> None:
    tab.goto((copy / "catalog/user/default/maya/index.html").as_uri())
    tab.locator("#q").press_sequentially("check")
    expect(tab.locator("#found a").first).to_contain_text("Checkout")
    tab.locator("#q").fill("basket order")
    expect(tab.locator("#found a").first).to_contain_text("Checkout")
    tab.locator("#q").fill("chekcout")
    expect(tab.locator("#found a").first).to_contain_text("Checkout")
    tab.keyboard.press("ArrowDown")
    expect(tab.locator("#found a").first).to_be_focused()
    tab.keyboard.press("Enter")
    expect(tab.locator("h1")).to_have_text("Checkout")
    expect(tab.locator("#made")).to_contain_text("brought up to date")
    tab.locator("#q").fill("maya")
    tab.locator("#q").press("Enter")
    expect(tab.locator("#hits a").first).to_contain_text("Maya Okafor")
    tab.locator("#q").fill("no such thing")
    expect(tab.locator("#found")).to_contain_text("Nothing found")


def test_words_of_others_run_nothing_in_a_copy(tab: Page, copy: Path) -> None:
    asked: list[str] = []
    tab.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    for page in ("catalog/index.html", "catalog/component/default/hostile/index.html"):
        tab.goto((copy / page).as_uri())
        assert tab.locator("a[href^='javascript' i]").count() == 0
        assert tab.locator("main img").count() == 0
    tab.locator("#q").fill("hostile")
    expect(tab.locator("#found a").first).to_contain_text("<img")
    assert not asked


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_in_a_copy(browser: Browser, copy: Path, width: int) -> None:
    axe.needed()
    context = browser.new_context(
        viewport={"width": width, "height": 900}, reduced_motion="reduce", color_scheme="light"
    )
    view, found = context.new_page(), []
    asked: set[tuple[str, ...]] = set()
    for path in sorted(copy.rglob("*.html")):
        view.goto(path.as_uri())
        view.evaluate(axe.OPEN)
        if view.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{path}: wider than {width}")
        kind = (*path.relative_to(copy).parts[:2], str(len(path.parts)))
        if kind not in asked:  # one of each: its page is asked about in the portal too
            asked.add(kind)
            found += axe.violations(view)
    context.close()
    assert not found


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `copy` of a catalog that has changed since, its `data`, and a copy `anew`."""
    folder = tmp_path_factory.mktemp("changed")
    source = folder / "source" / "catalog-info.yaml"
    source.parent.mkdir()
    starting = programs.started_programs(folder)
    program = next(starting)
    source.write_text(CATALOG)
    assert program("sync", str(source.parent), "--data", "data").wait() == 0
    assert program("export", "copy", "--data", "data").wait(seconds=60) == 0
    (folder / "copy" / "note.txt").write_text("of others")
    source.write_text(
        CATALOG.replace("title: Checkout", "title: Till").replace("ledger-db", "books")
    )
    assert program("sync", str(source.parent), "--data", "data").wait() == 0
    assert program("export", "anew", "--data", "data").wait(seconds=60) == 0
    next(starting, None)
    return folder


@pytest.mark.parametrize("point", POINTS)
def test_an_export_that_is_killed_is_ended_by_the_next(
    program: programs.Programs, changed: Path, tmp_path: Path, point: str
) -> None:
    for name in ("copy", "data"):
        shutil.copytree(changed / name, tmp_path / name)
    killed = program("export", "copy", "--data", "data", env={crashes.ENVIRONMENT: point})
    assert killed.wait(seconds=60) == -signal.SIGKILL, killed.complaint(f"not killed at {point}")
    again = program("export", "copy", "--data", "data")
    assert again.wait(seconds=60) == 0, again.complaint("the next one failed")

    copy = tmp_path / "copy"
    assert not faults(copy)
    assert set(files(copy)) - {"note.txt"} == set(files(changed / "anew"))
    assert (copy / "note.txt").exists()
    page = (copy / "catalog/component/default/checkout/index.html").read_text()
    assert "<h1>Till</h1>" in page
    assert not json.loads((copy / "pilothouse-export.json").read_text())["unfinished"]


def test_a_portal_keeps_its_copy_up_to_date(program: programs.Programs, tmp_path: Path) -> None:
    source = tmp_path / "source" / "catalog-info.yaml"
    source.parent.mkdir()
    source.write_text(CATALOG)
    copy = tmp_path / "copy"
    env = {"PILOTHOUSE_EXPORT_TO": str(copy)}
    running = program("up", str(source.parent), "--port", str(free_port()), env=env)
    page = copy / "catalog/component/default/checkout/index.html"

    def says(title: str) -> bool:
        return page.exists() and f"<h1>{title}</h1>" in page.read_text()

    assert wait_until(lambda: says("Checkout"), seconds=90), running.complaint("no copy was made")
    write(source.parent, source.name, CATALOG.replace("title: Checkout", "title: Till"))
    assert wait_until(lambda: says("Till"), seconds=90), running.complaint("it was not followed")


def test_without_a_database_nothing_is_copied(program: programs.Programs, tmp_path: Path) -> None:
    refused = program("export", "copy")
    assert refused.wait() == 1
    assert "there is no database" in refused.output()
    assert not (tmp_path / "copy").exists()
    assert not (tmp_path / ".pilothouse").exists()
