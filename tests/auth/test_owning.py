"""Being of the team that owns something gives editing rights on it, and on nothing else."""

from __future__ import annotations

import pytest

from pilothouse.catalog import jobs
from pilothouse.catalog.module import module as catalog
from pilothouse.catalog.service import passes
from pilothouse.kernel.actors import Actor, Identity, Role
from pilothouse.kernel.auth.model import LOCAL
from pilothouse.kernel.auth.module import module as auth
from pilothouse.kernel.auth.service import owning, people
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
            with pytest.raises(Denied, match="not of the team that owns"):
                owning.require_edit(tx, actor, CHECKOUT)
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
        assert tx.ties.person(tx, identity) == ref


def test_teams_follow_the_catalog(program):
    with program.db.begin() as tx:
        added = people.add_local(tx, Identity(LOCAL, "maya", "maya"), Role.VIEWER, "hash")
        assert added.teams == ("group:default/payments",)
        people.refresh_memberships(tx, {})
        assert people.find(tx, added.id).teams == added.teams
