"""Every address has a file of its own, with a name that every system takes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.export.rules.names import address, file_of, plan
from pilothouse.kernel.module import Exported


@pytest.mark.parametrize(
    ("where", "file"),
    [
        ("/", "index.html"),
        ("/catalog", "catalog/index.html"),
        ("/catalog/component/default/x", "catalog/component/default/x/index.html"),
        ("/catalog?kind=component", "catalog/q.kind.component.html"),
        ("/catalog?owner=group%3Adefault%2Fa", "catalog/q.owner.group=3Adefault=2Fa.html"),
        ("/docs/x/a%20b.md", "docs/x/a=20b.md/index.html"),
        ("/docs/x/index.html", "docs/x/=69ndex.html/index.html"),
        ("/docs/../x", "docs/=2E=2E/x/index.html"),
        ("/docs/con", "docs/=63on/index.html"),
    ],
)
def test_pages_have_plain_names(where: str, file: str) -> None:
    assert file_of(where) == file


def test_an_address_has_one_spelling() -> None:
    same = {"/catalog?kind=a&owner=b", "/catalog/?owner=b&kind=a", "/c%61talog?kind=%61&owner=b"}
    assert len({address(one) for one in same}) == 1
    assert address("/catalog?") == "/catalog"


def test_what_differs_in_capitals_only_has_two_files() -> None:
    planned, files = plan([Exported("/docs/README"), Exported("/docs/readme")])
    assert len({page.file.lower() for page in planned.values()}) == 2
    assert set(files) == {"/docs/README", "/docs/readme"}


def test_a_file_does_not_stand_where_a_folder_must() -> None:
    pages = [Exported("/a/b", page=False), Exported("/a/b/c"), Exported("/a/b/d.png", page=False)]
    planned, _ = plan(pages)
    names = [page.file for page in planned.values()]
    assert not [one for one in names for other in names if other.startswith(f"{one}/")]


def test_other_addresses_lead_to_the_same_file() -> None:
    _, files = plan([Exported("/a/document.txt", also=("/a/document",), page=False)])
    assert files["/a/document"] == files["/a/document.txt"] == "a/document.txt"


part = st.text(min_size=1, max_size=300).filter(lambda text: "/" not in text)


@given(st.lists(st.lists(part, max_size=4), max_size=8))
def test_names_are_safe_and_never_shared(paths: list[list[str]]) -> None:
    from urllib.parse import quote

    whole = [
        "/" + "/".join(quote(one, safe="", errors="surrogateescape") for one in parts)
        for parts in paths
    ]
    planned, _ = plan(Exported(one) for one in whole)
    files = [page.file for page in planned.values()]
    assert len({file.lower() for file in files}) == len(files)
    for file in files:
        assert re.fullmatch(r"[A-Za-z0-9._@+,~=/-]+", file)
        assert not {"..", ".", ""} & set(file.split("/"))
        assert max(map(len, file.split("/"))) <= 150
