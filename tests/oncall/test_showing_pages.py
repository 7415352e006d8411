"""What Now shows of pages and silences."""

from datetime import timedelta

import pytest
from tests.kernel.portal import PAGE, serving
from tests.oncall.paged import CHECKOUT, ONE, Paged

from pilothouse import app
from pilothouse.catalog.service import passes
from pilothouse.oncall.service import paging, showing_pages, silencing


@pytest.fixture
def shop(database_url, tmp_path):
    folder = tmp_path / "catalog"
    folder.mkdir()
    chosen = {"data": str(tmp_path / "data"), "sources": (str(folder),)}
    with serving(database_url, app.modules(), **chosen) as portal:
        with portal.program.db.begin() as tx:
            passes.register(tx, [str(folder)])
        found = Paged(portal.program, folder)
        found.say()
        yield portal, found


def test_open_pages_and_silences_stand_on_now_as_long_as_they_last(shop):
    portal, paged = shop
    with paged.program.db.read() as tx:
        assert showing_pages.now(tx) is None
    page = paged.take(summary="Checkout <b>fails</b>")
    with paged.program.db.begin() as tx:
        paging.acknowledge(tx, page.id, ONE, "page")
        wanted = silencing.Wanted(
            entity=CHECKOUT, labels={"a": "b"}, end=tx.now + timedelta(hours=1), why="moving"
        )
        made = silencing.silence(tx, wanted, ONE)
    text = portal.get("/", PAGE).text
    assert "1 Checkout &lt;b&gt;fails&lt;/b&gt;" in text
    assert "one has it" in text
    assert "No escalation policy pages for checkout" in text
    assert "by one: moving" in text
    with paged.program.db.begin() as tx:
        silencing.end(tx, made.id, ONE)
        paging.resolve(tx, page.id, ONE, "page")
        assert showing_pages.now(tx) is None
    assert "moving" not in portal.get("/", PAGE).text
