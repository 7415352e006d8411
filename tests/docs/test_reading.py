"""Docs are read from beside the code, again and again, and what is wrong with them is told."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from tests.catalog.following import Repository, git, write
from tests.docs.reading_docs import CATALOG, REF, Docs, reading, repository
from tests.programs import clean_environment
from tests.servers import wait_until

from pilothouse.docs.model import Picture, Role
from pilothouse.docs.service import runbooks, showing
from pilothouse.docs.service.showing import Question
from pilothouse.docs.store import sources
from pilothouse.kernel.actors import Actor
from pilothouse.kernel.actors import Role as Rank
from pilothouse.kernel.errors import NotFound
from pilothouse.kernel.refs import EntityRef

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAYA = Actor("local:maya", "Maya Okafor", Rank.RESPONDER)
RUNBOOK = "# Queue stuck\n\nWhen `ERR 4711` shows.\n\n## Drain\n\n- [ ] Stop it\n- [ ] Start it\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


@pytest.fixture
def docs(database_url: str, tmp_path: Path) -> Iterator[Docs]:
    with reading(database_url, tmp_path / "data") as found:
        yield found


def named(name: str) -> str:
    """The same catalog file, of entities with other names."""
    said = CATALOG.replace("payments", name).replace("shop", f"{name}-mall")
    return said.replace("team-a", f"{name}-team")


@contextmanager
def working(docs: Docs) -> Iterator[None]:
    """Looks that wait are done meanwhile."""
    worker = docs.program.worker(["docs.look"])
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()


def waiting(docs: Docs) -> list[str]:
    """The sources whose docs are to be looked at."""
    with docs.program.db.read() as tx:
        query = text("SELECT key FROM jobs WHERE kind = 'docs.look' AND dead_at IS NULL")
        return sorted(tx.conn.execute(query).scalars())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return repository(
        tmp_path / "source",
        {
            "docs/index.md": "# Pay\n\n[Guide](guide/refunds.md#how) ![p](img/p.png)\n",
            "docs/guide/refunds.md": "# Refunds\n\n## How\n\n[Pay](../index.md)\n",
            "docs/img/p.png": PNG,
            "docs/runbooks/queue.md": RUNBOOK,
            "rfcs/0001-one.md": "---\nstatus: accepted\ndate: 2025-03-01\n---\n# One\n",
            "rfcs/0002-two.md": "---\nstatus: draft\nsupersedes: 1\n---\n# Two\n",
        },
    )


def test_pages_runbooks_and_decisions_are_there(docs: Docs, folder: Path) -> None:
    docs.read(folder)
    page = docs.page()
    assert (page.slug, page.title, page.role) == ("docs/index", "Pay", Role.PAGE)
    assert 'href="/docs/component/default/payments/docs/guide/refunds#how"' in page.html.html
    assert '<img src="/docs/files/' in page.html.html
    assert docs.page("docs/runbooks/queue").role is Role.RUNBOOK
    two = docs.page("rfcs/0002-two")
    assert two.decided
    assert [one.label for one in two.older] == ["1 One"]
    assert [one.label for one in docs.page("rfcs/0001-one").newer] == ["2 Two"]
    assert docs.told() == []


def test_a_look_at_what_has_not_changed_writes_nothing(docs: Docs, folder: Path) -> None:
    docs.read(folder)
    told = docs.events("docs.changed")
    docs.look(folder)
    assert docs.events("docs.changed") == told == 1


def test_a_page_that_changes_moves_or_goes_is_followed(docs: Docs, folder: Path) -> None:
    docs.read(folder)
    write(folder, "docs/index.md", "# Pay anew\n")
    (folder / "docs/guide/refunds.md").rename(folder / "docs/refunds.md")
    docs.look(folder)
    assert docs.page().title == "Pay anew"
    assert docs.page("docs/refunds").title == "Refunds"
    with pytest.raises(NotFound, match="have no page docs/guide/refunds"):
        docs.page("docs/guide/refunds")
    titles = {title for (title,) in docs.found("title")}
    assert {"Pay anew", "Refunds"} <= titles
    assert "Pay" not in titles


def test_what_is_wrong_is_told_with_file_and_line_and_taken_back(docs: Docs, folder: Path) -> None:
    write(folder, "docs/bad.md", "---\na: [\n---\n\n[x](no.md)\n\n![y](no.png) [z](#no)\n")
    write(folder, "docs/nul.md", "a\0b\n\n[bad](bad.md)\n")
    write(folder, "docs/runbooks/other.md", "---\nfor: nobody\n---\n# Other\n")
    docs.read(folder)
    assert docs.told() == [
        ("docs-encoding", "docs/nul.md", 1),
        ("docs-front-matter", "docs/bad.md", 3),
        ("docs-missing-image", "docs/bad.md", 7),
        ("docs-missing-page", "docs/bad.md", 5),
        ("docs-orphan-page", "docs/nul.md", 1),
        ("docs-unknown-entity", "docs/runbooks/other.md", 1),
        ("docs-unreachable-anchor", "docs/bad.md", 7),
    ]
    assert all(one.ref == REF for one in docs.problems())
    for name in ("bad.md", "nul.md", "runbooks/other.md"):
        (folder / "docs" / name).unlink()
    docs.look(folder)
    assert docs.told() == []


CUT = """
import sys
from pathlib import Path
from pilothouse.catalog.module import module as catalog
from pilothouse.docs import jobs
from pilothouse.docs.module import module as docs
from pilothouse.kernel.program import open_program
from pilothouse.kernel.settings import load
url, data, spec = sys.argv[1:]
values = {"data": data, "database_url": url}
jobs.look(open_program(load(values, environ={}, directory=Path(data)), (catalog, docs)), spec)
"""


@pytest.mark.parametrize("at", ["docs.taken", "docs.dropped"])
def test_what_a_killed_look_wrote_is_told_by_the_next(
    docs: Docs, folder: Path, database_url: str, tmp_path: Path, at: str
) -> None:
    docs.read(folder)
    told = docs.events("docs.changed")
    if at == "docs.taken":
        write(folder, "docs/runbooks/queue.md", RUNBOOK + "\nMore.\n")
    else:
        (folder / "docs/runbooks/queue.md").unlink()
    done = subprocess.run(
        [sys.executable, "-c", CUT, database_url, str(tmp_path / "data"), str(folder)],
        env={**clean_environment(), "PILOTHOUSE_CRASH_AT": at},
        check=False,
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert docs.events("docs.changed") == told
    docs.look(folder)
    assert docs.events("docs.changed") == told + 1
    docs.look(folder)
    assert docs.events("docs.changed") == told + 1


def test_an_image_that_another_source_begins_to_show_is_not_forgotten(docs: Docs) -> None:
    picture, db = Picture("docs/p.png", "1", "a.png", "image/png", PNG), docs.program.db
    with db.begin() as tx:
        sources.put_pictures(tx.conn, 1, [picture])

    def drop() -> None:
        with db.begin() as tx:
            sources.drop_pictures(tx.conn, 1, [picture.path])

    with db.begin() as tx:
        sources.put_pictures(tx.conn, 2, [picture])
        other = threading.Thread(target=drop)
        other.start()
        other.join(0.5)  # it waits for us; if it did not, it would be done
    other.join()
    with db.begin() as tx:
        assert sources.blob(tx.conn, "a.png") == ("image/png", PNG)
        sources.drop_pictures(tx.conn, 2, [picture.path])
        assert sources.blob_names(tx.conn) == []


def test_an_image_that_became_another_takes_the_place_of_what_it_was(
    docs: Docs, folder: Path
) -> None:
    docs.read(folder)
    with docs.program.db.read() as tx:
        before = sources.blob_names(tx.conn)
    write(folder, "docs/img/p.png", PNG + b"1")
    docs.look(folder)
    with docs.program.db.read() as tx:
        after = sources.blob_names(tx.conn)
    assert len(before) == len(after) == 1
    assert before != after
    assert after[0] in docs.page().html.html


def test_a_problem_that_stays_keeps_its_time(docs: Docs, folder: Path) -> None:
    write(folder, "docs/guide/refunds.md", "# Refunds\n\n## How\n\n[x](no.md) [p](../index.md)\n")
    docs.read(folder)

    def since() -> list[tuple[object, ...]]:
        with docs.program.db.read() as tx:
            rows = tx.conn.execute(text("SELECT id, since FROM catalog_problems ORDER BY id"))
            return [tuple(row) for row in rows]

    before = since()
    write(folder, "docs/index.md", "# Pay\n\n[Guide](guide/refunds.md)\n\n[n](also-no.md)\n")
    docs.look(folder)
    assert len(before) == 1
    assert before[0] in since()
    assert len(since()) == 2


def test_files_that_are_too_large_or_lead_out_are_told_and_not_read(
    docs: Docs, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.md").write_text("# Secret\n")
    (folder / "docs/out.md").symlink_to(tmp_path / "secret.md")
    write(folder, "docs/huge.md", "x" * 2_000_001)
    docs.read(folder)
    assert [told for told in docs.told() if told[0] == "docs-unreadable"] == [
        ("docs-unreadable", "docs/huge.md", 1),
        ("docs-unreadable", "docs/out.md", 1),
    ]
    assert not [row for row in docs.found("title", "text") if "Secret" in str(row)]


@pytest.mark.parametrize(
    "inside", ["<script>alert(1)</script>", "<g onload='alert(1)'/>", "<a href='javascript:x'/>"]
)
def test_an_image_with_a_script_in_it_is_told_and_not_shown(
    docs: Docs, folder: Path, inside: str
) -> None:
    write(folder, "docs/p.svg", f'<svg xmlns="http://www.w3.org/2000/svg">{inside}</svg>')
    write(folder, "docs/guide/refunds.md", "# Refunds\n\n## How\n\n![p](../p.svg)\n")
    docs.read(folder)
    assert ("docs-unsafe-image", "docs/p.svg", 1) in docs.told()
    assert "<img" not in docs.page("docs/guide/refunds").html.html


def test_a_large_page_is_shown_as_it_is(docs: Docs, folder: Path) -> None:
    write(folder, "docs/large.md", "# Large\n\n" + "words " * 100_000)
    docs.read(folder)
    assert docs.page("docs/large").html.html.startswith("<pre>")


def test_runbooks_are_found_by_a_line_of_theirs_and_stand_with_what_they_are_for(
    docs: Docs, folder: Path
) -> None:
    docs.read(folder)
    with docs.program.db.read() as tx:
        (found,) = runbooks.runbooks_for(tx, [REF])[REF]
    assert [step.text for step in found.steps] == ["Stop it", "Start it"]
    href = "/docs/component/default/payments/docs/runbooks/queue"
    assert ("runbook", f"{href}#drain", "Drain") in docs.found("kind", "href", "title")
    assert any("ERR 4711" in str(text) for (text,) in docs.found("text"))


def test_a_person_says_that_a_runbook_is_still_right(docs: Docs, folder: Path) -> None:
    docs.read(folder)
    with docs.program.db.begin(MAYA) as tx:
        runbooks.confirm(tx, EntityRef.parse(REF), "docs/runbooks/queue")
    review = docs.page("docs/runbooks/queue").runbook.review  # type: ignore[union-attr]
    assert (review.confirmed, review.by, review.stale) == (True, "Maya Okafor", False)
    assert docs.events("docs.runbook_confirmed") == 1
    write(folder, "docs/runbooks/queue.md", RUNBOOK + "\nMore.\n")
    docs.look(folder)
    page = docs.page("docs/runbooks/queue")
    assert page.runbook is not None
    with pytest.raises(NotFound), docs.program.db.begin(MAYA) as tx:
        runbooks.confirm(tx, EntityRef.parse(REF), "docs/index")


def test_the_archive_is_narrowed_by_status_owner_entity_and_open_questions(
    docs: Docs, folder: Path
) -> None:
    docs.read(folder)

    def labels(question: Question) -> list[str]:
        with docs.program.db.read() as tx:
            return [one.label for one in showing.archive(tx, question).items]

    assert labels(Question()) == ["2 Two", "1 One"]
    assert labels(Question(status=("accepted",))) == ["1 One"]
    assert labels(Question(owner=("group:default/team-a",))) == ["2 Two", "1 One"]
    assert labels(Question(about=REF, q="tw")) == ["2 Two"]
    assert labels(Question(incomplete=True)) == ["2 Two", "1 One"]
    assert labels(Question(status=("rejected",))) == []


def test_a_repository_tells_commit_author_and_where_to_edit(docs: Docs, tmp_path: Path) -> None:
    upstream = Repository(tmp_path / "git")
    repository(upstream.tree, {"docs/index.md": "# Pay\n"})
    commit = upstream.commit("Ann", "Docs of pay")
    docs.read(upstream.url)
    change = docs.page().change
    assert (change.id, change.author, change.subject) == (commit, "Ann", "Docs of pay")
    write(upstream.tree, "docs/index.md", "# Pay more\n")
    later = upstream.commit("Bob", "More")
    docs.look(upstream.url)
    assert (docs.page().title, docs.page().change.id) == ("Pay more", later)


def test_a_checkout_tells_what_is_committed_and_what_is_not(docs: Docs, tmp_path: Path) -> None:
    upstream = Repository(tmp_path / "git")
    tree = repository(upstream.tree, {"docs/index.md": "# Pay\n", "docs/more.md": "# More\n"})
    commit = upstream.commit("Ann", "Docs of pay")
    write(tree, "docs/more.md", "# More to come\n")
    git("remote", "set-url", "origin", "https://github.com/shop/pay.git", folder=tree)
    docs.read(tree)
    assert docs.page("docs/index").change.id == commit
    assert docs.page("docs/index").edit.startswith("https://github.com/shop/pay/edit/main/docs/")
    assert docs.page("docs/more").change.id is None


def test_links_to_another_repository_lead_to_its_pages_here(docs: Docs, tmp_path: Path) -> None:
    link = "https://github.com/shop/other/blob/main/docs/there.md#part"
    here = repository(tmp_path / "here", {"docs/index.md": f"# Here\n\n[there]({link})\n"})
    named = CATALOG.replace("payments", "other").replace("name: shop", "name: mall")
    there = tmp_path / "there"
    named = named.replace("team-a", "team-b").replace("system: shop", "system: mall")
    repository(there, {"catalog-info.yaml": named, "docs/there.md": "# There\n\n## Part\n\nx\n"})
    git("init", "-q", "-b", "main", folder=there)
    git("remote", "add", "origin", "git@github.com:shop/other.git", folder=there)
    docs.read(here, there)
    docs.look(here)
    href = "/docs/component/default/other/docs/there#part"
    assert f'href="{href}"' in docs.page("docs/index").html.html


def test_links_to_another_repository_are_judged_whichever_is_read_first(
    docs: Docs, tmp_path: Path
) -> None:
    lead = "https://github.com/shop/Other/blob"
    wanted = ["main/docs/there.md#part", "main/docs/gone.md", "main/docs/there.md#no"]
    passed = ["v1/docs/gone.md", "main/x.py", "main/notes/plain.md", "v1/docs/there.md#no"]
    said = "\n\n".join(f"[x]({lead}/{one})" for one in [*wanted, *passed])
    here = repository(tmp_path / "here", {"docs/index.md": f"# Here\n\n{said}\n"})
    upstream = Repository(tmp_path / "git")
    files = {"docs/there.md": "# T\n\n## Part\n", "notes/plain.md": "x"}
    there = repository(upstream.tree, {"catalog-info.yaml": named("other"), **files})
    upstream.commit("Ann", "Docs")
    git("remote", "set-url", "origin", "https://github.com/shop/other.git", folder=there)
    docs.sources(here, there)
    docs.look(here)
    assert docs.told() == []  # nothing is known of the other yet
    gone = ("docs-missing-page", "docs/index.md", 5)
    with working(docs):
        docs.look(there)
        anchor = ("docs-unreachable-anchor", "docs/index.md", 7)
        assert wait_until(lambda: docs.told() == [gone, anchor])
        write(there, "docs/there.md", "# T\n\n## Part\n\n## No\n")
        docs.look(there)
        assert wait_until(lambda: docs.told() == [gone])
        write(there, "docs/gone.md", "# Back\n")
        docs.look(there)
        assert wait_until(lambda: docs.told() == [])
    assert '/docs/there#no"' in docs.page("docs/index").html.html
    assert '/docs/gone"' in docs.page("docs/index").html.html


def test_a_change_of_words_has_no_other_source_looked_at(docs: Docs, tmp_path: Path) -> None:
    link = "https://github.com/shop/other/blob/main/docs/there.md"
    here = repository(tmp_path / "here", {"docs/index.md": f"# Here\n\n[x]({link})\n"})
    files = {"catalog-info.yaml": named("aside"), "docs/index.md": "# Aside\n"}
    aside = repository(tmp_path / "aside", files)
    files = {"catalog-info.yaml": named("other"), "docs/there.md": "# There\n"}
    there = repository(tmp_path / "there", files)
    git("init", "-q", "-b", "main", folder=there)
    git("remote", "add", "origin", "https://github.com/shop/other.git", folder=there)
    docs.read(here, aside, there)
    assert waiting(docs) == [str(here)]
    with working(docs):
        assert wait_until(lambda: waiting(docs) == [])
    write(there, "docs/there.md", "# There\n\nMore words.\n")
    docs.look(there)
    assert waiting(docs) == []


def test_an_entity_may_have_its_docs_in_another_repository(docs: Docs, tmp_path: Path) -> None:
    named = CATALOG.replace(
        "  title: Payments",
        "  annotations:\n    backstage.io/techdocs-ref: url:https://github.com/shop/manual/tree/main/pay",
    )
    here = repository(tmp_path / "here", {"catalog-info.yaml": named, "docs/x.md": "# X\n"})
    there = tmp_path / "manual"
    empty = "apiVersion: backstage.io/v1alpha1\nkind: Domain\nmetadata: {name: manual}\n"
    empty += "spec: {owner: team-a}\n"
    repository(there, {"catalog-info.yaml": empty, "pay/docs/index.md": "# How to pay\n"})
    git("init", "-q", "-b", "main", folder=there)
    git("remote", "add", "origin", "https://github.com/shop/manual.git", folder=there)
    docs.read(here, there)
    assert docs.page().title == "How to pay"
    assert docs.page().owner is not None
    assert docs.told() == []


def test_a_source_that_leaves_takes_its_docs_along(docs: Docs, folder: Path) -> None:
    docs.read(folder)
    docs.sources()
    worker = docs.program.worker(["docs.settle", "docs.read", "docs.look"])
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert wait_until(lambda: docs.found("title") == [])
    worker.stop()
    thread.join()
    with pytest.raises(NotFound):
        docs.page()


def test_docs_of_another_entity_than_before_are_its_alone(docs: Docs, folder: Path) -> None:
    docs.read(folder)
    write(folder, "catalog-info.yaml", CATALOG.replace("name: payments", "name: tills"))
    docs.look(folder)
    assert docs.page(ref="component:default/tills").title == "Pay"
    with pytest.raises(NotFound):
        docs.page()
    assert {ref for (ref,) in docs.found("ref")} == {"component:default/tills"}


def test_mkdocs_nav_and_plugins_are_told(docs: Docs, tmp_path: Path) -> None:
    config = "site_name: Tills\nplugins: [macros]\nnav:\n  - Start: index.md\n  - No: no.md\n"
    files = {"mkdocs.yml": config, "docs/index.md": "# Pay\n", "docs/left.md": "# Left\n"}
    docs.read(repository(tmp_path / "source", files))
    assert docs.page().site == "Tills"
    assert docs.page().slug == "index"
    assert docs.told() == [
        ("docs-missing-page", "mkdocs.yml", 5),
        ("docs-orphan-page", "docs/left.md", 1),
        ("docs-plugins-ignored", "mkdocs.yml", 2),
    ]


def test_an_adr_location_names_the_archive(docs: Docs, tmp_path: Path) -> None:
    named = CATALOG.replace(
        "  title: Payments", "  annotations: {backstage.io/adr-location: decided}"
    )
    files = {"catalog-info.yaml": named, "decided/0007-x.md": "# X\n\n## Context\n\nc\n"}
    docs.read(repository(tmp_path / "source", files))
    page = docs.page("decided/0007-x")
    assert page.decided is not None
    assert page.decided.label == "7 X"


def test_a_kep_is_read_with_the_file_beside_it_and_again_when_that_changes(
    docs: Docs, tmp_path: Path
) -> None:
    files = {
        "keps/sig-node/1287-resize/README.md": "# KEP-1287: Resize\n\n## Motivation\n\nm\n",
        "keps/sig-node/1287-resize/kep.yaml": "title: Resize pods\nstatus: provisional\n",
    }
    folder = repository(tmp_path / "source", files)
    docs.read(folder)
    slug = "keps/sig-node/1287-resize/README"
    decided = docs.page(slug).decided
    assert decided is not None
    assert (decided.label, decided.decision.status) == ("1287 Resize pods", "draft")
    write(folder, "keps/sig-node/1287-resize/kep.yaml", "title: Resize\nstatus: implemented\n")
    docs.look(folder)
    decided = docs.page(slug).decided
    assert decided is not None
    assert (decided.label, decided.decision.status) == ("1287 Resize", "accepted")
