"""Being of the team that owns something gives editing rights on it, and on nothing else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event
from tests.auth.browsing import HASHED

from pilothouse.catalog import jobs
from pilothouse.catalog.module import module as catalog
from pilothouse.catalog.service import passes
from pilothouse.kernel.actors import Actor, Identity, Role
from pilothouse.kernel.auth import store
from pilothouse.kernel.auth.model import LOCAL
from pilothouse.kernel.auth.module import module as auth
from pilothouse.kernel.auth.service import owning, people, staying
from pilothouse.kernel.auth.service.staying import Browser
from pilothouse.kernel.errors import Denied
from pilothouse.kernel.program import open_program
from pilothouse.kernel.settings import Settings

CATALOG = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: checkout}
spec: {type: service, lifecycle: production, owner: payments}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: shop}
spec: {type: service, lifecycle: production, owner: "user:maya"}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: elsewhere}
spec: {type: service, lifecycle: production, owner: platform}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: payments}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: maya}
spec: {profile: {email: Maya@Example.org}, memberOf: [payments]}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: t.weber, annotations: {pilothouse/sign-in: "keycloak:tom"}}
spec: {memberOf: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: twin-one}
spec: {profile: {email: twin@example.org}, memberOf: [payments]}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: twin-two}
spec: {profile: {email: twin@example.org}, memberOf: [payments]}
"""
NEWCOMER = """
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: sam}
spec: {memberOf: [payments]}
"""
MAYA, PAYMENTS = "user:default/maya", "group:default/payments"
CHECKOUT = "component:default/checkout"


@pytest.fixture
def program(database_url, tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "catalog-info.yaml").write_text(CATALOG)
    settings = Settings(database_url=database_url, data=str(tmp_path))
    found = open_program(settings, (auth, catalog))
    with found.db.begin() as tx:
        passes.register(tx, [str(folder)])
    assert jobs.look(found, str(folder)).failed is None
    yield found
    found.db.engine.dispose()


def someone(**more):
    return Actor("someone", "someone", Role.VIEWER, **more)


def test_a_team_edits_what_it_owns(program):
    maya = someone(ref="user:default/maya")
    with program.db.read() as tx:
        assert owning.may_edit(tx, maya, CHECKOUT)
        assert owning.may_edit(tx, maya, "component:default/shop")
        assert owning.may_edit(tx, maya, "group:default/payments")
        assert not owning.may_edit(tx, maya, "component:default/elsewhere")
        assert not owning.may_edit(tx, maya, "component:default/none")
        assert owning.may_edit(tx, someone(teams=("group:default/payments",)), CHECKOUT)


def test_others_do_not_whoever_they_say_they_are(program):
    with program.db.read() as tx:
        for actor in (
            someone(),
            someone(ref="user:default/t.weber"),
            someone(teams=("group:other/payments", "group:default/paymentsx")),
            Actor("x", "x", Role.NOBODY, ref="user:default/maya"),
            Actor("x", "x", Role.RESPONDER),
        ):
            assert not owning.may_edit(tx, actor, CHECKOUT)
            with pytest.raises(Denied, match="not of the team that owns") as refused:
                owning.require_edit(tx, actor, CHECKOUT)
            assert "Ask group:default/payments to do it, or an admin." in str(refused.value)
            with pytest.raises(Denied, match="Ask an admin to do it"):
                owning.require_edit(tx, actor, "component:default/none")
        assert owning.may_edit(tx, Actor("x", "x", Role.EDITOR), CHECKOUT)


@pytest.mark.parametrize(
    ("identity", "ref"),
    [
        (Identity(LOCAL, "maya", "maya"), "user:default/maya"),
        (Identity("keycloak", "1", "m.okafor", email="maya@example.org"), "user:default/maya"),
        (Identity("keycloak", "2", "tom"), "user:default/t.weber"),
        (Identity("another", "2", "tom"), None),
        (Identity("keycloak", "3", "twin", email="twin@example.org"), None),
        (Identity("keycloak", "4", "payments"), None),
        (Identity("keycloak", "5", "../../maya"), None),
        (Identity("keycloak", "6", "a:b/c"), None),
        (Identity("keycloak", "7", ""), None),
    ],
)
def test_people_are_users_of_the_catalog_by_annotation_address_or_name(program, identity, ref):
    with program.db.read() as tx:
        assert tx.ties.users(tx, [identity]) == [ref]
        beside = Identity(LOCAL, "maya", "maya")
        assert tx.ties.users(tx, [beside, identity, beside]) == [MAYA, ref, MAYA]


def write(program, text):
    """The catalog says this now, and was read."""
    folder = Path(program.settings.data) / "source"
    (folder / "catalog-info.yaml").write_text(text)
    assert jobs.look(program, str(folder)).failed is None


def local(program, name):
    with program.db.begin() as tx:
        return people.add_local(tx, Identity(LOCAL, name, name), Role.VIEWER, HASHED)


def follow(program):
    """What the job does that follows a change of the catalog."""
    with program.db.read() as tx:
        found = people.moved(tx, {})
    with program.db.begin() as tx:
        people.move(tx, found)
    return [one.person.name for one in found]


def signed_in(program, person):
    with program.db.begin() as tx:
        staying.begin(tx, person, Browser(), timedelta(days=1), "password")


def belongs(program, person):
    with program.db.read() as tx:
        found = people.find(tx, person.id)
    return found.ref, found.teams


def test_people_who_get_in_follow_the_catalog(program):
    maya, sam, resting = (local(program, name) for name in ("maya", "sam", "twin-one"))
    assert (maya.ref, maya.teams) == (MAYA, (PAYMENTS,))
    assert (sam.ref, sam.teams) == (None, ())
    signed_in(program, maya)
    signed_in(program, sam)
    assert follow(program) == []
    write(program, CATALOG + NEWCOMER)
    assert follow(program) == ["sam"]
    assert belongs(program, sam) == ("user:default/sam", (PAYMENTS,))
    write(program, CATALOG.replace("name: maya", "name: m.okafor").replace("twin-one", "x"))
    assert sorted(follow(program)) == ["maya", "sam"]
    assert belongs(program, maya) == belongs(program, sam) == (None, ())
    assert belongs(program, resting) == ("user:default/twin-one", (PAYMENTS,))  # at the sign-in


def test_a_local_user_is_who_the_catalog_says_at_each_sign_in(program):
    sam = local(program, "sam")
    write(program, CATALOG + NEWCOMER)
    with program.db.begin() as tx:
        now = people.linked(tx, people.find(tx, sam.id))
    assert (now.ref, now.teams) == belongs(program, sam) == ("user:default/sam", (PAYMENTS,))
    write(program, CATALOG)
    with program.db.begin() as tx:
        now = people.linked(tx, people.find(tx, sam.id))
    assert (now.ref, now.teams) == belongs(program, sam) == (None, ())


def test_who_was_known_anew_meanwhile_is_not_moved_back(program):
    sam = local(program, "sam")
    signed_in(program, sam)
    write(program, CATALOG + NEWCOMER)
    with program.db.read() as tx:
        found = people.moved(tx, {})
    with program.db.begin() as tx:
        store.people.change_person(tx.conn, sam.id, teams=("group:default/newer",))
        people.move(tx, found)
    assert belongs(program, sam) == (None, ("group:default/newer",))


def test_how_many_people_there_are_costs_no_more_queries(program):
    def statements():
        found = []
        listener = lambda *said: found.append(said[2])  # noqa: E731
        event.listen(program.db.engine, "before_cursor_execute", listener)
        with program.db.read() as tx:
            people.moved(tx, {})
        event.remove(program.db.engine, "before_cursor_execute", listener)
        return len(found)

    signed_in(program, local(program, "maya"))
    alone = statements()
    for number in range(12):
        signed_in(program, local(program, f"user-{number}"))
    assert statements() == alone
