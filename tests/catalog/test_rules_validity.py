"""The verdict on documents: what is kept, what is refused, and what is said about it."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.catalog.judging import COMPONENT, document, judged, said

from pilothouse.catalog.formats.yaml import plain_document
from pilothouse.catalog.model import Edge, Severity
from pilothouse.catalog.rules.problems import CODES
from pilothouse.catalog.rules.validity import judge, ref_of
from pilothouse.kernel.module import Kind, Reference

NEEDED = "type: a, lifecycle: b, owner: o"
PLUGIN = "type: plugin, lifecycle: b, owner: o"


def test_a_good_document_is_an_entity():
    entity, problems = judged(COMPONENT)
    assert problems == []
    assert entity is not None
    assert str(entity.ref) == "component:default/checkout"
    assert entity.body["metadata"] == {"namespace": "default", "name": "checkout"}
    assert entity.edges == (
        Edge("component:default/checkout", "ownedBy", "group:default/payments", "spec.owner", 8),
    )


def test_refs_are_lower_case_and_default_to_the_entitys_namespace():
    text = COMPONENT.replace("checkout", "CheckOut\n  namespace: shop")
    text += "  dependsOn: [Resource:DB, component:default/x]\n  system: Till\n"
    entity, _ = judged(text)
    assert entity is not None
    assert str(entity.ref) == "component:shop/checkout"
    assert entity.body["metadata"]["name"] == "CheckOut"
    assert {(edge.type, edge.target) for edge in entity.edges} == {
        ("ownedBy", "group:shop/payments"),
        ("dependsOn", "resource:shop/db"),
        ("dependsOn", "component:default/x"),
        ("partOf", "system:shop/till"),
    }


@pytest.mark.parametrize(
    ("kind", "spec", "edge"),
    [
        ("Component", "{type: a, lifecycle: b, owner: o}", "a ownedBy group:default/o"),
        ("Component", f"{{{NEEDED}, subcomponentOf: s}}", "a partOf component:default/s"),
        ("Component", f"{{{NEEDED}, providesApis: [p]}}", "a providesApi api:default/p"),
        ("Component", f"{{{NEEDED}, consumesApis: [p]}}", "a consumesApi api:default/p"),
        ("Component", f"{{{NEEDED}, dependsOn: [api:d]}}", "a dependsOn api:default/d"),
        ("Component", f"{{{NEEDED}, dependencyOf: [api:d, api:d]}}", "api:default/d dependsOn a"),
        ("Resource", f"{{{NEEDED}, dependencyOf: api:d}}", "api:default/d dependsOn a"),
        ("System", "{owner: user:o}", "a ownedBy user:default/o"),
        ("System", f"{{{NEEDED}, domain: d}}", "a partOf domain:default/d"),
        ("Domain", f"{{{NEEDED}, subdomainOf: d}}", "a partOf domain:default/d"),
        ("Group", "{type: team, children: [], parent: p}", "a childOf group:default/p"),
        ("Group", "{type: team, children: [c]}", "group:default/c childOf a"),
        ("Group", "{type: team, children: [], members: [m]}", "user:default/m memberOf a"),
        ("User", "{memberOf: [g]}", "a memberOf group:default/g"),
        ("AiResource", f"{{{PLUGIN}, skills: [s]}}", "airesource:default/s partOf a"),
    ],
)  # fmt: skip
def test_every_relation_is_kept_in_one_direction(kind, spec, edge):
    entity, problems = judged(
        f"apiVersion: backstage.io/v1alpha1\nkind: {kind}\nmetadata: {{name: a}}\nspec: {spec}\n"
    )
    assert problems == []
    assert entity is not None
    me = str(entity.ref)
    written = [f"{edge.source} {edge.type} {edge.target}".replace(me, "a") for edge in entity.edges]
    assert edge in written
    assert len(written) == len(set(written)) <= 2


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("  owner: payments\n", "", ("missing-field", "spec.owner", 5)),
        ("  owner: payments\n", "  owner:\n", ("wrong-type", "spec.owner", 8)),
        ("owner: payments", "owner: [payments]", ("wrong-type", "spec.owner", 8)),
        ("owner: payments", "owner: ''", ("wrong-type", "spec.owner", 8)),
        ("owner: payments", "owner: 'group:'", ("bad-ref", "spec.owner", 8)),
        ("owner: payments", "owner: a\n  dependsOn: [b]", ("bad-ref", "spec.dependsOn.0", 9)),
        ("owner: payments", "owner: a\n  dependsOn: [1]", ("wrong-type", "spec.dependsOn.0", 9)),
        ("owner: payments", "owner: a\n  system: null", ("wrong-type", "spec.system", 9)),
        ("name: checkout", "title: x", ("missing-field", "metadata.name", 3)),
        ("name: checkout", "name: check out", ("bad-name", "metadata.name", 4)),
        ("name: checkout", "name: 12", ("wrong-type", "metadata.name", 4)),
        ("name: checkout", "name: a\n  namespace: B", ("bad-namespace", "metadata.namespace", 5)),
        ("name: checkout", "name: a\n  title: ''", ("wrong-type", "metadata.title", 5)),
        ("name: checkout", "name: a\n  labels: {b: 1}", ("wrong-type", "metadata.labels.b", 5)),
        ("name: checkout", "name: a\n  labels: {b: 'x y'}", ("bad-label", "metadata.labels.b", 5)),
        ("name: checkout", "name: a\n  labels:", ("wrong-type", "metadata.labels", 5)),
        ("name: checkout", "name: a\n  annotations: {b/c/d: x}",
         ("bad-key", "metadata.annotations.b/c/d", 5)),
        ("name: checkout", "name: a\n  annotations:\n    b: true",
         ("wrong-type", "metadata.annotations.b", 6)),
        ("name: checkout", "name: a\n  tags: [a, B]", ("bad-tag", "metadata.tags.1", 5)),
        ("name: checkout", "name: a\n  tags: x", ("wrong-type", "metadata.tags", 5)),
        ("name: checkout", "name: a\n  links: [{title: x}]",
         ("missing-field", "metadata.links.0.url", 5)),
        ("name: checkout", "name: a\n  links: [x]", ("wrong-type", "metadata.links.0", 5)),
        ("name: checkout", "name: a\n  links:\n    - url: example.com",
         ("bad-url", "metadata.links.0.url", 6)),
        ("kind: Component", "kind: Compo-nent", ("bad-kind", "kind", 2)),
        ("kind: Component", "", ("missing-field", "kind", 1)),
        ("kind: Component", "kind: [a]", ("wrong-type", "kind", 2)),
        ("backstage.io/v1alpha1", "backstage.io/v9", ("bad-api-version", "apiVersion", 1)),
        ("backstage.io/v1alpha1", "a/b/c", ("bad-api-version", "apiVersion", 1)),
        ("spec:", "relations: []\nspec:", ("unknown-root-field", "relations", 5)),
        ("metadata:\n  name: checkout", "metadata: x", ("wrong-type", "metadata", 3)),
    ],
)  # fmt: skip
def test_every_error_has_its_code_field_and_line(before, after, problem):
    entity, problems = judged(COMPONENT.replace(before, after))
    errors = [one for one in problems if one.severity is Severity.ERROR]
    assert entity is None
    assert problem in said(errors)


def test_a_document_says_all_that_is_wrong_with_it_at_once():
    text = COMPONENT.replace("checkout", "-x\n  tags: [A, B]").replace("  owner: payments\n", "")
    _, problems = judged(text)
    assert [one.code for one in problems] == ["bad-name", "bad-tag", "bad-tag", "missing-field"]


def test_problems_carry_the_ref_and_what_was_found_and_expected():
    _, [problem] = judged(COMPONENT.replace("owner: payments", "owner: 7"))
    assert problem.ref == "component:default/checkout"
    assert problem.found == "the number 7"
    assert problem.expected == "a text that is not empty"
    assert problem.hint == 'in quotes it is a text: "7"'


@pytest.mark.parametrize("text", ["just words", "- a\n- b", "12"])
def test_what_is_no_mapping_is_no_entity(text):
    entity, [problem] = judged(text)
    assert entity is None
    assert problem.code == "not-a-mapping"


def test_a_required_field_with_a_slip_is_one_error_that_says_so():
    _, problems = judged(COMPONENT.replace("lifecycle", "lifecylce"))
    assert said(problems) == [("missing-field", "spec.lifecycle", 5)]
    assert problems[0].hint == '"lifecylce" is probably meant to be "lifecycle"'


def test_a_slip_in_an_optional_field_is_a_warning_and_the_entity_is_kept():
    text = COMPONENT.replace("  owner", "  dependOn: []\n  tier: 1\n  owner")
    entity, problems = judged(text.replace("name:", "anotations: {}\n  name:"))
    assert entity is not None
    assert said(problems) == [
        ("misspelt-field", "metadata.anotations", 4),
        ("misspelt-field", "spec.dependOn", 9),
    ]
    assert problems[1].hint == "dependsOn"


def test_cyrillic_letters_in_a_name_are_pointed_at():
    entity, [problem] = judged(COMPONENT.replace("checkout", "che\u0441kout"))
    assert entity is None
    assert problem.code == "lookalike-letter"
    assert "at place 4 is not Latin but Cyrillic small letter es" in problem.message
    entity, [problem] = judged(COMPONENT.replace("payments", "p\u0430yments"))
    assert entity is not None
    assert problem.code == "lookalike-in-ref"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "localhost:80"])
def test_a_dangerous_link_is_kept_and_flagged(url):
    text = COMPONENT.replace("name:", f"links: [{{url: '{url}'}}]\n  name:")
    entity, [problem] = judged(text)
    assert entity is not None
    assert entity.body["metadata"]["links"] == [{"url": url}]
    assert (problem.code, problem.severity) == ("bad-link", Severity.WARNING)


def test_markup_in_a_title_is_a_title():
    entity, problems = judged(COMPONENT.replace("name:", "title: <script>x</script>\n  name:"))
    assert problems == []
    assert entity is not None


@pytest.mark.parametrize(
    ("kind", "version", "code"),
    [
        ("Gizmo", "example.com/v1", "unknown-kind"),
        ("Resource", "example.com/v1", "unknown-kind"),
        ("component", "backstage.io/v1alpha1", "misspelt-kind"),
        ("Systm", "backstage.io/v1alpha1", "misspelt-kind"),
        ("Gizmo", "backstage.io/v1alpha1", "unknown-kind"),
    ],
)
def test_a_kind_that_nobody_knows_is_kept(kind, version, code):
    text = f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\nspec: {{owner: x}}\n"
    entity, [problem] = judged(text)
    assert entity is not None
    assert problem.code == code
    assert CODES[code].severity is not Severity.ERROR


@pytest.mark.parametrize("spec", ["", "spec:\n", "spec: []\n"])
def test_a_spec_is_a_mapping(spec):
    entity, [problem] = judged(COMPONENT[: COMPONENT.index("spec:")] + spec)
    assert entity is None
    assert problem.field == "spec"


def test_an_mcp_server_needs_remotes():
    text = COMPONENT.replace("Component", "API").replace("service", "mcp-server")
    assert [one.field for one in judged(text)[1]] == ["spec.remotes"]
    good = text + "  remotes: [{type: http, url: https://x}]\n"
    assert judged(good)[1] == []
    bad = text + "  remotes: [x, {type: ''}]\n"
    assert [one.field for one in judged(bad)[1]] == [
        "spec.remotes.0",
        "spec.remotes.1.type",
        "spec.remotes.1.url",
    ]


@pytest.mark.parametrize(
    ("kind", "spec", "fields"),
    [
        ("Group", "{type: a, children: [], profile: x}", ["spec.profile"]),
        ("Group", "{type: a, children: x, profile: {email: 1}}",
         ["spec.children", "spec.profile.email"]),
        ("User", "{memberOf: [], profile: {displayName: A}}", []),
        ("Location", "{presence: never, target: ''}", ["spec.presence", "spec.target"]),
        ("Location", "{presence: optional, targets: [./a]}", []),
        ("API", "{type: mcp-server, lifecycle: a, owner: b, remotes: []}", ["spec.remotes"]),
        ("Template", "{steps: [], whatever: 1}", []),
    ],
)  # fmt: skip
def test_fields_of_other_shapes_are_checked(kind, spec, fields):
    version = "scaffolder.backstage.io/v1beta3" if kind == "Template" else "backstage.io/v1beta1"
    text = f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\nspec: {spec}\n"
    assert sorted(one.field or "" for one in judged(text)[1]) == fields


def test_openslo_keeps_its_own_metadata_rules():
    text = """\
        apiVersion: openslo/v1
        kind: SLO
        metadata: {name: pay, displayName: Pay, labels: {team: [a, b]}, annotations: {x/y/z: 1}}
        spec: {service: pay}
        """
    entity, [problem] = judged(text)
    assert entity is not None
    assert problem.code == "unknown-kind"


class Http(msgspec.Struct, forbid_unknown_fields=True):
    """How a probe speaks HTTP."""

    url: str
    follow_redirects: int = 5


class Probe(msgspec.Struct, forbid_unknown_fields=True):
    """A kind of a module."""

    entity: str
    http: Http | None = None
    steps: list[Http] = []
    headers: dict[str, int] = {}
    watchers: list[str] = []
    named: dict[str, Http] = {}
    pair: tuple[Http, int] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1)] = 1


PROBE = Kind(
    "Probe",
    Probe,
    references=(
        Reference("entity", "watches", "Component"),
        Reference("watchers", "ownedBy", "User", reverse=True),
        Reference("steps.url", "reads", "API"),
    ),
)


def probe(spec: str):
    text = f"apiVersion: pilothouse/v1\nkind: Probe\nmetadata: {{name: a}}\nspec:\n{spec}"
    return judged(text, {"Probe": PROBE})


def test_a_kind_of_a_module_is_judged_by_its_struct():
    entity, problems = probe(
        "  entity: shop\n  http: {url: x}\n  watchers: [me]\n  steps: [{url: u}]\n"
    )
    assert problems == []
    assert entity is not None
    assert [(edge.source, edge.type, edge.target, edge.line) for edge in entity.edges] == [
        ("probe:default/a", "watches", "component:default/shop", 5),
        ("user:default/me", "ownedBy", "probe:default/a", 7),
        ("probe:default/a", "reads", "api:default/u", 8),
    ]


@pytest.mark.parametrize(
    ("spec", "problem", "hint"),
    [
        ("  entity: x\n  htpp: {url: x}\n", ("unknown-field", "spec.htpp", 6),
         'probably "http" is meant'),
        ("  entity: x\n  http: {url: y, follow_redirect: 1}\n",
         ("unknown-field", "spec.http.follow_redirect", 6), 'probably "follow_redirects" is meant'),
        ("  entity: x\n  steps:\n    - url: y\n    - url: y\n      foo: 1\n",
         ("unknown-field", "spec.steps.1.foo", 9), None),
        ("  http: {url: x}\n", ("missing-field", "spec.entity", 4), None),
        ("  entity: x\n  http: {}\n", ("missing-field", "spec.http.url", 6), None),
        ("  entity: x\n  http: {url: 1}\n", ("bad-field", "spec.http.url", 6), None),
        ("  entity: x\n  headers: {a: b}\n", ("bad-field", "spec.headers", 6), None),
        ("  entity: x\n  pair: [{ulr: x}, 1]\n", ("unknown-field", "spec.pair.0.ulr", 6),
         'probably "url" is meant'),
        ("  entity: x\n  pair: [{}, 1]\n", ("missing-field", "spec.pair.0.url", 6), None),
        ("  entity: x\n  pair: [{url: x}]\n", ("bad-field", "spec.pair", 6), None),
        ("  entity: x\n  named: {a: {url: x}, b: {ulr: x}}\n",
         ("unknown-field", "spec.named.b.ulr", 6), 'probably "url" is meant'),
        ("  entity: x\n  named: {a: {url: x}, b: {}}\n",
         ("missing-field", "spec.named.b.url", 6), None),
        ("  entity: x\n  named: {a: {url: 1}}\n", ("bad-field", "spec.named", 6), None),
        ("  entity: x\n  limit: 0\n", ("bad-field", "spec.limit", 6), None),
        ("  entity: [x]\n", ("bad-field", "spec.entity", 5), None),
    ],
)  # fmt: skip
def test_what_a_struct_refuses_is_said_with_field_and_line(spec, problem, hint):
    entity, problems = probe(spec)
    assert entity is None
    assert said(problems) == [problem]
    assert problems[0].hint == hint


def test_every_unknown_field_is_said():
    _, problems = probe("  entity: x\n  a: 1\n  b: 2\n  http: {url: x, c: 3}\n  watchers: [1]\n")
    assert [one.field for one in problems] == [
        "spec.a", "spec.b", "spec.http.c", "spec.watchers.0",
    ]  # fmt: skip


def test_a_version_that_a_module_does_not_have_is_an_error():
    text = "apiVersion: pilothouse/v9\nkind: Probe\nmetadata: {name: a}\nspec: {}\n"
    _, [problem] = judged(text, {"Probe": PROBE})
    assert (problem.code, problem.expected) == ("bad-api-version", "pilothouse/v1")


def test_a_broken_document_still_says_whose_it_is():
    broken = document(COMPONENT.replace("  owner: payments\n", ""))
    assert str(ref_of(broken)) == "component:default/checkout"
    assert ref_of(plain_document({"metadata": {"name": "a"}})) is None
    assert ref_of(plain_document([])) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "tags", "links", "url", "owner", "x"]), inner)
    ),
    max_leaves=10,
)


@given(
    st.sampled_from(["Component", "API", "Group", "Probe", "Location", "x"]),
    st.dictionaries(
        st.sampled_from(["name", "namespace", "labels", "annotations", "tags", "links", "a"]), JSON
    ),
    JSON | st.dictionaries(st.sampled_from(["type", "owner", "children", "entity", "http"]), JSON),
)
def test_no_document_makes_it_raise(kind, metadata, spec):
    version = "pilothouse/v1" if kind == "Probe" else "backstage.io/v1alpha1"
    value = {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
    entity, problems = judge(plain_document(value), {"Probe": PROBE})
    assert (entity is None) == any(one.severity is Severity.ERROR for one in problems)
    assert all(one.severity is CODES[one.code].severity for one in problems)
