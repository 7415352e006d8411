"""The drawing of an entity's relations."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.catalog.rules import graph
from pilothouse.catalog.rules.graph import lettering
from pilothouse.catalog.rules.kinds import RELATIONS

CENTER = "component:default/pay"
TEMPLATES = Path(graph.__file__).parents[2] / "templates"


class Called(msgspec.Struct, frozen=True):
    title: str
    kind: str = "Component"
    exists: bool = True
    href: str = "/page"


def names_for(edges, **special: Called) -> dict[str, Called]:
    refs = {CENTER, *(edge[0] for edge in edges), *(edge[2] for edge in edges)}
    made = {ref: Called(ref.rpartition("/")[2], ref.partition(":")[0].title()) for ref in refs}
    return made | {f"component:default/{name}": called for name, called in special.items()}


def drawn(*edges: tuple[str, str, str], **more):
    full = [
        (f"component:default/{a}", relation, f"component:default/{b}") for a, relation, b in edges
    ]
    return graph.draw(CENTER, full, names_for(full), **more)


def side(drawing: graph.Drawing, name: str) -> int:
    """-1 left of the centre, 1 right of it."""
    at = {node.name: node.x for node in drawing.nodes}
    return (at[name] > at["pay"]) - (at[name] < at["pay"])


KINDS = ("component", "api", "resource", "group")
refs = st.builds(
    lambda kind, name: f"{kind}:default/{name}",
    st.sampled_from(KINDS),
    st.one_of(st.sampled_from("abcdefgh"), st.text(min_size=1, max_size=70)),
)
relations = st.sampled_from([*(relation.kept for relation in RELATIONS), "watches"])
edge_lists = st.lists(
    st.one_of(
        st.tuples(refs, relations, refs),
        st.tuples(st.just(CENTER), relations, refs),
        st.tuples(refs, relations, st.just(CENTER)),
    ),
    max_size=60,
)


@given(edge_lists, st.data())
def test_nothing_overlaps_all_is_inside_and_every_line_ends_at_its_nodes(edges, data) -> None:
    names = names_for(edges)
    bad = data.draw(st.sets(st.sampled_from(sorted(names))))

    drawing = graph.draw(CENTER, edges, names, states=dict.fromkeys(bad, "bad"))

    nodes = {node.id: node for node in drawing.nodes}
    assert CENTER in nodes
    assert len(nodes) == len(drawing.nodes) <= 25
    placed = list(drawing.nodes)
    for place, one in enumerate(placed):
        assert one.x >= 0
        assert one.x + one.w <= drawing.width
        assert one.y >= 0
        assert one.y + one.h <= drawing.height
        for other in placed[place + 1 :]:
            apart = one.x + one.w < other.x or other.x + other.w < one.x
            assert apart or one.y + one.h < other.y or other.y + other.h < one.y
    for arrow in drawing.arrows:
        numbers = [float(number) for number in re.findall(r"-?\d+\.?\d*", arrow.d)]
        tip = [float(number) for number in arrow.head.split()[0].split(",")]
        assert on_side(numbers[:2], nodes[arrow.left])
        assert on_side(tip, nodes[arrow.right])
        assert abs(numbers[-2] - tip[0]) <= 7
        assert abs(numbers[-1] - tip[1]) < 0.2


def on_side(point: list[float], node) -> bool:
    x, y = point
    near = min(abs(x - node.x), abs(x - node.x - node.w)) < 0.2
    return near and node.y - 0.2 <= y <= node.y + node.h + 0.2


@given(edge_lists, st.randoms())
def test_the_order_in_which_relations_come_changes_nothing(edges, random) -> None:
    names = names_for(edges)
    shuffled = list(edges)
    random.shuffle(shuffled)

    assert graph.draw(CENTER, edges, names) == graph.draw(CENTER, shuffled, names)


@given(edge_lists)
def test_every_relation_of_the_centre_is_drawn_or_counted(edges) -> None:
    drawing = graph.draw(CENTER, edges, names_for(edges))

    others = {b if a == CENTER else a for a, _, b in edges if CENTER in (a, b)} - {CENTER}
    told = {node.id for row in drawing.rows for node in row.nodes}
    assert told <= others
    assert len(told) + sum(row.more for row in drawing.rows) >= len(others)


@given(st.text(min_size=1, max_size=200), st.floats(40, 200), st.integers(1, 3))
def test_a_name_fits_its_lines(text: str, room: float, most: int) -> None:
    found = lettering.lines(text, 12, room, most)

    assert 1 <= len(found) <= most
    assert all(lettering.width(line, 12) <= room or len(line) <= 2 for line in found)


def test_left_uses_owns_or_contains_right() -> None:
    drawing = drawn(
        ("web", "dependsOn", "pay"),
        ("pay", "dependsOn", "ledger"),
        ("pay", "consumesApi", "bank"),
        ("pay", "providesApi", "pay-api"),
        ("app", "consumesApi", "pay-api"),
        ("pay", "ownedBy", "team"),
        ("pay", "partOf", "shop"),
        ("part", "partOf", "pay"),
    )

    sides = {name: side(drawing, name) for name in ("web", "pay-api", "app", "team", "shop")}
    assert set(sides.values()) == {-1}
    assert {side(drawing, name) for name in ("ledger", "bank", "part")} == {1}
    by_name = {node.name: node for node in drawing.nodes}
    assert by_name["app"].x < by_name["pay-api"].x
    assert by_name["team"].title == "team, Component, owner"
    assert drawing.label == (
        "pay: used by web; uses ledger; consumes bank; provides pay-api; part of shop; "
        "contains part; owned by team."
    )


def test_what_does_not_fit_is_counted_and_leads_to_the_whole_list() -> None:
    edges = [(f"svc-{number}", "ownedBy", "pay") for number in range(60)]

    drawing = drawn(*edges, totals={"ownerOf": 312})

    (more,) = [node for node in drawing.nodes if node.state == "more"]
    assert more.name == "and 304 more"
    assert more.relation == "ownerOf"
    assert len(drawing.nodes) == 1 + 8 + 1
    assert drawing.label == "pay: owns svc-0, svc-1, svc-10 and 309 more."


def test_what_fails_is_drawn_before_what_works_and_its_line_is_marked() -> None:
    edges = [("pay", "dependsOn", f"r{number:02}") for number in range(30)]
    states = {"component:default/r29": "bad", CENTER: "bad"}

    drawing = drawn(*edges, states=states)

    assert [arrow.title for arrow in drawing.arrows if arrow.hit] == ["pay uses r29"]
    assert "Failing: pay and r29." in drawing.label
    assert any(
        line.text == "\N{MULTIPLICATION SIGN} r29" for node in drawing.nodes for line in node.lines
    )


def test_both_relations_of_a_pair_are_one_line() -> None:
    drawing = drawn(("web", "dependsOn", "pay"), ("web", "watches", "pay"))

    assert [arrow.title for arrow in drawing.arrows] == ["web uses and watches pay"]


def test_an_entity_without_relations_is_alone() -> None:
    drawing = graph.draw(CENTER, [], {CENTER: Called("pay")})

    assert [node.state for node in drawing.nodes] == ["self"]
    assert drawing.label == "pay has no relations."


@pytest.mark.parametrize("shape", ["owner", "user", "web"])
def test_thousands_of_neighbours_make_a_small_drawing(shape: str) -> None:
    edges = [
        (f"component:default/s{number}", "ownedBy" if shape == "owner" else "dependsOn", CENTER)
        for number in range(6000)
    ]
    if shape == "web":
        edges = [(CENTER, "dependsOn", edge[0]) for edge in edges[:3000]] + [
            (f"component:default/s{number}", "dependsOn", f"component:default/s{number * 7 % 3000}")
            for number in range(3000)
        ]
    names = names_for(edges)
    drawing = graph.draw(CENTER, edges, names)

    assert len(drawing.nodes) <= 30


def test_the_page_has_a_link_for_each_entity_and_its_table_says_the_same() -> None:
    evil = "<script>'\"&"
    edges = [("pay", "dependsOn", f"r{number}") for number in range(20)]
    full = [(f"component:default/{a}", kind, f"component:default/{b}") for a, kind, b in edges]
    full += [("component:default/x", "dependsOn", CENTER)]
    names = names_for(full, r0=Called(evil), r1=Called("ghost", exists=False))
    drawing = graph.draw(CENTER, full, names)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    page = environment.from_string(
        '{% from "graph.html" import graph, graph_table %}'
        '{{ graph(d, "/r?type=") }}<hr>{{ graph_table(d, "/r?type=") }}'
    ).render(d=drawing)
    picture, table = page.split("<hr>")

    assert evil not in page
    assert " style=" not in page
    assert picture.count("<rect") == len(drawing.nodes)
    assert 'class="node more" href="/r?type=dependsOn"' in picture
    assert "Dashed: named, but not in the catalog." in picture
    assert "not in the catalog" in table
    assert '<a href="/r?type=dependsOn">12 more</a>' in table
    assert f'aria-label="{drawing.label}"'.replace(evil, "&lt;script&gt;&#39;&#34;&amp;") in picture
