"""The pages of docs over HTTP: read by everyone, confirmed by those who may."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from tests.auth.browsing import Browser, add, generous
from tests.catalog.following import write
from tests.docs.reading_docs import CATALOG, MODULES, REF, Docs, repository
from tests.kernel.portal import PAGE, Portal, serving

from pilothouse.docs.module import module as docs
from pilothouse.kernel.actors import Role
from pilothouse.kernel.auth.module import module as auth
from pilothouse.kernel.auth.service import auditing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOME = "/docs/component/default/payments"
FORM = {**PAGE, "Content-Type": "application/x-www-form-urlencoded"}
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><path d="M0 0h4v4"/></svg>'


@pytest.fixture
def portal(database_url: str, tmp_path: Path) -> Iterator[Portal]:
    files = {
        "docs/index.md": "# Pay\n\n## One\n\n![p](p.svg)\n\n## Two\n\n<script>alert(1)</script>\n",
        "docs/p.svg": SVG,
        "docs/runbooks/queue.md": "# Queue stuck\n\n- [ ] Drain it\n",
        "docs/decisions/0001-one.md": "---\nstatus: accepted\n---\n# One\n\n## Problem\n\nx\n",
    }
    with serving(database_url, MODULES, data=str(tmp_path / "data")) as running:
        Docs(running.program).read(repository(tmp_path / "source", files))
        yield running


def linked(html: str, start: str) -> list[str]:
    return re.findall(rf'href="({start}[^"]*)"', html)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/docs", "Payments"),
        (HOME, "On this page"),
        (f"{HOME}/docs/index", "Not committed as it is here"),
        (f"{HOME}/docs/runbooks/queue", "This runbook is still right"),
        (f"{HOME}/docs/decisions/0001-one", "Four questions"),
        ("/runbooks", "Queue stuck"),
        ("/runbooks?stale=1", "No runbooks fit"),
        ("/rfcs", "1"),
        ("/rfcs?status=accepted&incomplete=1&about=component:default/payments", "Says nothing of"),
        ("/rfcs?title=nothing-has-this", "Nothing matches"),
        ("/rfcs/timeline", "1 One"),
        ("/catalog/component/default/payments", "Queue stuck"),
        ("/catalog/group/default/team-a", "Payments"),
        ("/catalog/system/default/shop", "3 pages"),
    ],
)
def test_every_page_opens(portal: Portal, path: str, words: str) -> None:
    answer = portal.get(path, PAGE)
    assert answer.status == 200, answer.text
    assert words in answer.text
    assert "<script>alert" not in answer.text
    assert "could not be read" not in answer.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{HOME}/nothing", 404),
        ("/docs/component/default/nobody", 404),
        ("/docs/group/default/team-a", 404),
        ("/docs/files/0.png", 404),
        ("/docs/files/..%2F..%2Fetc%2Fpasswd", 404),
        (f"{HOME}/%2e%2e/%2e%2e/catalog-info.yaml", 404),
        ("/docs?offset=x", 400),
    ],
)
def test_what_is_not_there_is_said(portal: Portal, path: str, status: int) -> None:
    assert portal.get(path, PAGE).status == status


def test_an_image_is_served_so_that_nothing_in_it_can_run(portal: Portal) -> None:
    (src,) = re.findall(r'src="(/docs/files/[^"]*)"', portal.get(HOME, PAGE).text)
    answer = portal.get(src)
    assert (answer.status, answer.text) == (200, SVG)
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in answer.headers["cache-control"]


def test_the_policy_of_an_image_is_a_sandbox(portal: Portal) -> None:
    import http.client

    (src,) = re.findall(r'src="(/docs/files/[^"]*)"', portal.get(HOME, PAGE).text)
    connection = http.client.HTTPConnection("127.0.0.1", portal.port)
    connection.request("GET", src)
    policies = connection.getresponse().headers.get_all("content-security-policy") or []
    connection.close()
    assert any("sandbox" in policy for policy in policies)


def test_still_right_is_one_click_and_its_page_says_so(portal: Portal) -> None:
    body = urlencode({"ref": REF, "page": "docs/runbooks/queue"})
    answer = portal.ask("POST", "/runbooks/still-right", FORM, body)
    assert answer.status == 303
    assert "as you said" in portal.get(answer.headers["location"], PAGE).text
    assert "by local admin" in portal.get("/runbooks", PAGE).text


MAYA = """
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: maya}
spec: {memberOf: [team-a]}
"""


@pytest.fixture
def signed_in(database_url: str, tmp_path: Path) -> Iterator[Portal]:
    files = {
        "catalog-info.yaml": CATALOG + MAYA,
        "docs/index.md": "# Pay\n",
        "docs/runbooks/queue.md": "# Queue stuck\n\n- [ ] Drain it\n",
    }
    settings = {"local_users": True, "data": str(tmp_path / "data")}
    with generous(), serving(database_url, (auth, *MODULES), **settings) as running:
        Docs(running.program).read(repository(tmp_path / "source", files))
        for name, role in (("maya", Role.VIEWER), ("tom", Role.VIEWER), ("eve", Role.RESPONDER)):
            add(running.program, name, role)
        yield running


@pytest.mark.parametrize(("name", "may"), [("maya", True), ("eve", True), ("tom", False)])
def test_a_runbook_is_confirmed_by_responders_and_by_the_team_whose_it_is(
    signed_in: Portal, name: str, may: bool
) -> None:
    browser = Browser.of(signed_in)
    browser.sign_in(name)
    path = f"{HOME}/docs/runbooks/queue"
    assert ("This runbook is still right" in browser.get(path).text) is may
    answer = browser.post("/runbooks/still-right", ref=REF, page="docs/runbooks/queue")
    assert answer.status == (303 if may else 403)
    if not may:
        assert "Ask group:default/team-a to do it, or an admin." in answer.text
    with signed_in.program.db.read() as tx:
        found = auditing.deeds(tx, docs.audited, None, 9)
    assert len(found) == may


@pytest.mark.parametrize(
    ("ref", "page", "status"),
    [(REF, "docs/index", 404), (REF, "nothing", 404), ("nonsense", "x", 400), ("", "", 400)],
)
def test_what_is_no_runbook_cannot_be_confirmed(
    portal: Portal, ref: str, page: str, status: int
) -> None:
    body = urlencode({"ref": ref, "page": page})
    assert portal.ask("POST", "/runbooks/still-right", FORM, body).status == status


def test_links_of_every_page_lead_somewhere(portal: Portal) -> None:
    pages = {HOME, "/docs", "/runbooks", "/rfcs", "/rfcs/timeline"}
    for path in list(pages):
        pages |= set(linked(portal.get(path, PAGE).text, "/(?:docs|rfcs|runbooks)"))
    broken = {path for path in pages if portal.get(path.split("#")[0], PAGE).status != 200}
    assert not broken


def test_every_page_of_the_copy_is_there(portal: Portal) -> None:
    with portal.program.db.read() as tx:
        found = [page.path for module in MODULES[1:] for page in (module.exported or list)(tx)]
    assert f"{HOME}/docs/index" in found
    assert HOME in found
    assert {portal.get(path, PAGE).status for path in found} == {200}


def test_an_entity_with_docs_has_a_tab_for_them(portal: Portal) -> None:
    assert (
        f'<a href="{HOME}">Docs</a>' in portal.get("/catalog/component/default/payments", PAGE).text
    )
    assert (
        ">Docs</a>"
        not in portal.get("/catalog/group/default/team-a/changes", PAGE)
        .text.split('class="tabs"')[1]
        .split("</nav>")[0]
    )


def test_a_page_costs_few_queries_however_many_pages_there_are(
    portal: Portal, tmp_path: Path
) -> None:
    from sqlalchemy import event

    for number in range(30):
        write(tmp_path / "source", f"docs/more/{number}.md", f"# Page {number}\n")
    Docs(portal.program).look(tmp_path / "source")
    asked: list[str] = []

    def note(*arguments: object) -> None:
        asked.append(str(arguments[2]))

    event.listen(portal.program.db.engine, "before_cursor_execute", note)
    for path in (HOME, "/docs", "/runbooks", "/rfcs"):
        asked.clear()
        assert portal.get(path, PAGE).status == 200
        assert len([one for one in asked if "docs_" in one or "catalog_" in one]) <= 10, path
