"""Decisions of docs: whose a page is, where links lead, what is stale, what comes next."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.docs.model import Declared, Filed, Link, MkDocs, NavEntry, Role
from pilothouse.docs.rules import archive, links, numbering, paths, reviewing, sites, trees

NOW = datetime(2026, 11, 23, 3, 14, tzinfo=UTC)
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=2000)).map(lambda past: NOW - past)


def component(name: str = "pay", path: str = "catalog-info.yaml", **more: str) -> Declared:
    return Declared(f"component:default/{name}", "component", name.capitalize(), path, **more)


def local(path: str, reference: str) -> str | None:
    kind, mark, rest = reference.partition(":")
    target = rest if mark and kind in ("dir", "url") else reference
    return None if "://" in target else paths.join(paths.folder_of(path), target)


def planned(*entities: Declared, pages: list[str], configs: dict[str, MkDocs] | None = None):
    return sites.plan(entities, sites.Place(frozenset(pages), configs or {}), local)


def whose(*entities: Declared, pages: list[str]) -> dict[str, str]:
    found = planned(*entities, pages=pages)
    return {
        page: ref.rpartition("/")[2] for page, ref in sites.assigned(found.sites, pages).items()
    }


def test_a_docs_folder_and_a_readme_beside_a_catalog_file_are_its_components() -> None:
    group = Declared("group:default/a", "group", "A", "catalog-info.yaml")
    pages = ["README.md", "docs/x.md", "src/notes.md", "runbooks/r.md"]
    assert whose(group, component(), pages=pages) == {
        "README.md": "pay",
        "docs/x.md": "pay",
        "runbooks/r.md": "pay",
    }


def test_an_annotation_names_whose_docs_they_are() -> None:
    named = component("web", techdocs="dir:./web")
    pages = ["docs/x.md", "web/docs/index.md"]
    assert whose(component(), named, pages=pages) == {"web/docs/index.md": "web"}


def test_of_docs_within_docs_the_nearest_has_the_page() -> None:
    inner = component("inner", "services/inner/catalog-info.yaml")
    pages = ["docs/x.md", "services/inner/docs/y.md", "services/inner/README.md"]
    assert whose(component(), inner, pages=pages) == {
        "docs/x.md": "pay",
        "services/inner/docs/y.md": "inner",
        "services/inner/README.md": "inner",
    }


def test_an_annotation_that_leads_nowhere_is_told() -> None:
    found = planned(component(techdocs="dir:../elsewhere"), pages=["docs/x.md"])
    assert [(file, fault.code, ref) for file, fault, ref in found.faults] == [
        ("catalog-info.yaml", "docs-location", "component:default/pay")
    ]


def test_mkdocs_says_where_pages_are_and_in_which_order() -> None:
    config = MkDocs("Pay", "manual", (NavEntry("Start", "a.md"), NavEntry("Out", "../../x.md")))
    found = planned(component(), pages=["manual/a.md"], configs={"mkdocs.yml": config})
    (site,) = found.sites
    assert (site.title, site.root, site.nav[0].path) == ("Pay", "manual", "manual/a.md")
    assert [fault.code for _, fault, _ in found.faults] == ["docs-mkdocs"]


@pytest.mark.parametrize(
    ("path", "is_decision"),
    [
        ("docs/adr/0001-x.md", True),
        ("docs/adr/README.md", False),
        ("docs/adr/template.md", False),
        ("docs/adr/0000-template.md", False),
        ("docs/x.md", False),
        ("keps/sig/1-x/README.md", True),
        ("keps/sig/1-x/notes.md", False),
    ],
)
def test_decisions_are_what_lies_in_an_archive(path: str, is_decision: bool) -> None:
    assert sites.in_archive(path, ["docs/adr", "keps"]) == is_decision


Y = links.Elsewhere("r", "y.md", "/docs/y", ("part",))


def around(path: str = "docs/a.md", **more: object) -> links.Around:
    pages = {
        "docs/a.md": "/docs/a",
        "docs/index.md": "/docs/index",
        "docs/guide/index.md": "/docs/guide",
        "README.md": "/docs/README",
    }
    values = {
        "path": path,
        "root": "docs",
        "pages": pages,
        "anchors": {"docs/index.md": ["first-part", "doc-main"], path: ["here"]},
        "files": {"src/x.py", "src/"},
        "pictures": {"docs/img/x.png": "/docs/files/1.png"},
        "view": lambda one: f"https://host/{one}",
        "elsewhere": {
            "https://host/o/r/blob/main/y.md": links.Elsewhere("r", "y.md", "/docs/y"),
            "https://host/o/r/blob/main/y.md#part": Y,
            "https://host/o/r/blob/main/y.md#no": Y,
            "https://host/o/r/blob/v1/y.md#no": msgspec.structs.replace(Y, current=False),
            "https://host/o/r/blob/main/no.md": links.Elsewhere("r", "no.md"),
        }.get,
    }
    return links.Around(**{**values, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("target", "href"),
    [
        ("index.md", "/docs/index"),
        ("./index.md#first-part", "/docs/index#first-part"),
        ("index.md#First_Part", "/docs/index#first-part"),
        ("index.md#main", "/docs/index#doc-main"),
        ("index", "/docs/index"),
        ("guide/", "/docs/guide"),
        ("../guide/", "/docs/guide"),
        ("/guide/index.md", "/docs/guide"),
        ("../README.md", "/docs/README"),
        ("../src/x.py", "https://host/src/x.py"),
        ("#here", "#here"),
        ("https://host/o/r/blob/main/y.md", "/docs/y"),
        ("https://host/o/r/blob/main/y.md#part", "/docs/y#part"),
        ("https://host/o/r/blob/v1/y.md#no", "/docs/y"),  # as it is here; another branch may differ
        ("https://host/x/x/blob/main/no.md", None),
    ],
)
def test_links_lead_to_pages_as_github_and_mkdocs_write_them(target: str, href: str) -> None:
    found = links.resolve([Link(target, 1)], around())
    assert (found.hrefs.get(target), found.faults) == (href, ())


@pytest.mark.parametrize(
    ("target", "code", "href"),
    [
        ("https://host/o/r/blob/main/no.md", "docs-missing-page", None),
        ("https://host/o/r/blob/main/y.md#no", "docs-unreachable-anchor", "/docs/y"),
    ],
)
def test_a_web_address_of_a_file_that_is_read_here_is_judged_like_a_path(
    target: str, code: str, href: str | None
) -> None:
    found = links.resolve([Link(target, 7)], around())
    assert found.hrefs.get(target) == href
    assert [(one.code, one.line, one.found) for one in found.faults] == [(code, 7, target)]


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("nothing.md", "docs-missing-page"),
        ("../../../etc/passwd", "docs-missing-page"),
        ("index.md#nowhere", "docs-unreachable-anchor"),
        ("#nowhere", "docs-unreachable-anchor"),
    ],
)
def test_links_that_lead_nowhere_are_told_with_their_line(target: str, code: str) -> None:
    found = links.resolve([Link(target, 7)], around())
    assert [(fault.code, fault.line) for fault in found.faults] == [(code, 7)]


def test_images_are_ours_or_missing() -> None:
    shown, missing = Link("img/x.png", 1, image=True), Link("img/y.png", 2, image=True)
    found = links.resolve([shown, missing], around())
    assert found.hrefs == {"img/x.png": "/docs/files/1.png"}
    assert [fault.code for fault in found.faults] == ["docs-missing-image"]


@given(st.text(max_size=60), st.booleans())
def test_no_link_leads_out_of_its_source(target: str, image: bool) -> None:
    for path in links.candidates(Link(target, 1, image=image), "docs/a.md", "docs"):
        assert not path.startswith("../")
        assert path == "/" or not path.startswith("/")


@given(MOMENTS, st.none() | MOMENTS)
def test_a_runbook_is_stale_when_nobody_saw_to_it_for_six_months(
    touched: datetime, said: datetime | None
) -> None:
    found = reviewing.review(NOW, touched, None if said is None else (said, "Maya"))
    last = max(touched, said or touched)
    assert found.at == last
    assert found.stale == (NOW - last > reviewing.FRESH)
    assert found.confirmed == (said is not None and said >= touched)


def test_a_runbook_of_unknown_age_is_stale() -> None:
    assert reviewing.review(NOW, None, None).stale
    assert not reviewing.review(NOW, None, (NOW - timedelta(days=1), "Maya")).stale


def filed(number: int, **more: tuple[str, ...]) -> Filed:
    return Filed(number, f"rfcs/{number:04}-x.md", "rfcs", number, **more)


def test_what_one_decision_says_of_another_is_known_of_both() -> None:
    found = archive.weave(
        [
            filed(1),
            filed(2, supersedes=("1",)),
            filed(3, superseded_by=("0004-x.md",)),
            filed(4, supersedes=("0003-x.md", "99")),
        ]
    )
    assert found.pairs == {(2, 1), (4, 3)}
    assert [(path, fault.found) for path, fault in found.faults] == [("rfcs/0004-x.md", "99")]


@given(st.lists(st.integers(1, 5000), max_size=20), st.text(min_size=1, max_size=40))
def test_the_next_decision_has_the_next_number(numbers: list[int], title: str) -> None:
    names = [f"{number:04}-some.md" for number in numbers]
    file = numbering.next_file([*names, "README.md"], title, date(2026, 11, 23))
    assert file.number == max(numbers, default=0) + 1
    assert file.name.startswith(f"{file.number:04}-")
    assert "/" not in file.name
    assert file.name.isascii()


def leaf(path: str, role: Role = Role.PAGE, number: int | None = None) -> trees.Leaf:
    return trees.Leaf(path, paths.slug(path, ""), paths.title_of(path), role, number)


def test_pages_stand_by_folder_then_runbooks_then_decisions() -> None:
    leaves = [
        leaf("CHANGELOG.md"),
        leaf("README.md"),
        leaf("docs/index.md"),
        leaf("docs/guides/refunds.md"),
        leaf("docs/runbooks/x.md", Role.RUNBOOK),
        leaf("docs/decisions/0001-a.md", Role.DECISION, 1),
        leaf("docs/decisions/0002-b.md", Role.DECISION, 2),
    ]
    found = trees.tree("Pay", leaves, ())
    assert [branch.title for branch in found] == ["Pay", "Guides", "Runbooks", "Decisions"]
    assert [item.slug for item in found[0].items] == ["docs/index", "README", "CHANGELOG"]
    assert found[3].items[0].slug == "docs/decisions/0002-b"
    first = trees.first(leaves, ())
    assert first is not None
    assert first.slug == "docs/index"


def test_a_nav_says_the_order_and_what_it_leaves_out_is_shown_last() -> None:
    nav = (NavEntry("Start", "b.md"), NavEntry("More", children=(NavEntry("", "a.md"),)))
    found = trees.tree("Pay", [leaf("a.md"), leaf("b.md"), leaf("c.md")], nav)
    assert [(one.title, [item.title for item in one.items]) for one in found] == [
        ("Pay", ["Start"]),
        ("More", ["A"]),
        ("Not in the nav", ["C"]),
    ]


def test_beside_a_page_of_many_only_those_around_it_are_listed() -> None:
    leaves = [leaf(f"docs/part-{n // 100}/page-{n:04}.md") for n in range(500)]
    leaves += [leaf(f"docs/page-{n:04}.md") for n in range(300)]
    found = trees.around(trees.tree("Pay", leaves, ()), "docs/part-3/page-0350")
    assert [(one.title, len(one.items), one.folded, one.left_out) for one in found] == [
        ("Pay", 120, 0, 180),
        ("Part 0", 1, 100, 0),
        ("Part 1", 1, 100, 0),
        ("Part 2", 1, 100, 0),
        ("Part 3", 100, 0, 0),
        ("Part 4", 1, 100, 0),
    ]
