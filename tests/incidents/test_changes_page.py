"""The page of all changes."""

import pytest
from tests.kernel.portal import PAGE, serving

from pilothouse import app
from pilothouse.kernel.events import Event

SHOP, EVIL = "component:default/shop", "<script>alert(1)</script>"


@pytest.fixture
def portal(database_url, tmp_path):
    with serving(database_url, app.modules(), data=str(tmp_path / "data")) as found:
        yield found


def tell(portal, **data):
    with portal.program.db.begin() as tx:
        tx.emit(Event(type="changes.reported", entities=(SHOP,), data=data))


def page(portal, query=""):
    answer = portal.get(f"/changes{query}", PAGE)
    assert answer.status == 200
    return answer.text


def test_all_changes_stand_there_and_are_narrowed_by_entity_and_kind(portal):
    assert "No changes" in page(portal)
    tell(portal, title="Flag on", kind="flag", href="https://flags.example/1", by="maya")
    tell(portal, title="Data run", kind="data")
    assert page(portal).index("Data run") < page(portal).rindex("Flag on")
    assert "Data run" not in page(portal, "?kind=flag")
    assert "Flag on" in page(portal, f"?entity={SHOP}&period=7d")
    assert "Flag on" not in page(portal, "?entity=component:default/other")
    assert "Flag on" not in page(portal, "?team=group:default/payments")
    assert "Flag on" not in page(portal, "?before=2026-01-01T00:00Z")


def test_what_others_report_is_shown_as_text(portal):
    tell(portal, title=EVIL, by=EVIL, detail=EVIL, href="javascript:alert(1)", kind=EVIL)
    found = page(portal)
    assert "<script>alert" not in found
    assert "javascript:" not in found
    assert "&lt;script&gt;alert(1)" in found


@pytest.mark.parametrize(
    "query", ["?kind=nothing", "?period=1y", "?before=x", "?entity=:x", "?team=/"]
)
def test_what_cannot_be_asked_is_said(portal, query):
    answer = portal.get(f"/changes{query}", PAGE)
    assert answer.status == 400
