"""What the search box finds in the catalog, and what it shows first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.catalog.following import Following, following, write
from tests.kernel.portal import serving

from pilothouse.catalog.module import module
from pilothouse.kernel import search
from pilothouse.kernel.actors import Actor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {{name: {name}, title: {title}, description: {words}}}
spec: {{type: service, lifecycle: production, owner: {owner}}}
---
"""
TEAMS = """
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: payments, title: Payments}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: maya}
spec: {profile: {displayName: Maya Okafor}, memberOf: [payments]}
"""
"""Components: name, title, description, owner."""
COMPANY = (
    ("checkout", "Checkout", "Takes the money", "payments"),
    ("checkout-worker", "Checkout worker", "Sends receipts", "mail"),
    ("ledger", "Ledger", "Where the checkout is booked", "payments"),
)


@pytest.fixture
def catalog(database_url: str, tmp_path: Path) -> Iterator[Following]:
    with following(database_url, tmp_path / "data") as found:
        parts = [
            FILES.format(name=name, title=title, words=words, owner=owner)
            for name, title, words, owner in COMPANY
        ]
        write(tmp_path / "source", "catalog-info.yaml", "".join(parts) + TEAMS)
        found.follow(tmp_path / "source")
        yield found


def found(catalog: Following, text: str, kind: str = "", teams: tuple[str, ...] = ()) -> list[str]:
    actor = Actor("user:maya", "Maya", teams=teams)
    with catalog.program.db.read() as tx:
        hits = search.look_up(tx, [module], actor, text, kind)
    return [hit.title for hit in hits]


def test_a_name_comes_first_then_what_begins_with_it_then_who_mentions_it(catalog):
    assert found(catalog, "checkout") == ["Checkout", "Checkout worker", "Ledger"]


def test_a_person_is_found_by_any_part_of_the_name(catalog):
    assert found(catalog, "okafor") == ["Maya Okafor"]
    assert found(catalog, "okafor maya") == ["Maya Okafor"]


def test_a_slip_of_the_hand_is_forgiven_in_names(catalog):
    assert found(catalog, "chekcout worker") == ["Checkout worker"]
    assert found(catalog, "legder") == ["Ledger"]
    assert found(catalog, "zzzzqq") == []


def test_one_kind_can_be_asked_for(catalog):
    assert found(catalog, "payments", kind="group") == ["Payments"]
    assert found(catalog, "checkout", kind="user") == []


def test_what_ones_team_owns_comes_before_what_fits_as_well(catalog):
    assert found(catalog, "che")[:2] == ["Checkout", "Checkout worker"]
    mine = found(catalog, "che", teams=("group:default/mail",))
    assert mine[:2] == ["Checkout worker", "Checkout"]


@pytest.mark.parametrize("question", ["%", "_", '"', "'", "\\", "a" * 5000, "(", "*", "\u0000"])
def test_a_question_may_hold_any_sign(catalog, question):
    found(catalog, question)


@pytest.mark.usefixtures("catalog")
def test_the_page_and_the_api_say_the_same(database_url):
    with serving(database_url, [module]) as portal:
        page = portal.get("/search?q=checkout")
        answer = portal.get("/api/search?q=checkout&kind=component")
        nothing = portal.get("/search?q=qqqqzz")
        odd = portal.get("/search?q=<script>&kind=<b>")
    assert page.status == answer.status == 200
    assert page.text.index(">Checkout<") < page.text.index(">Checkout worker<")
    assert '"title":"Checkout worker"' in answer.text
    assert "Nothing found for" in nothing.text
    assert "<script>" not in odd.text.partition("<main")[2]
