"""Whatever a file holds: it is said clearly, nothing is lost, and the rest of the catalog loads."""

from __future__ import annotations

import re
import resource
import shutil
import socket
import threading
import time
from contextlib import closing, suppress
from html.parser import HTMLParser
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import pytest
from litestar.testing import TestClient
from tests.catalog.following import (
    Following,
    Repository,
    component,
    following,
    group,
    location,
    several,
    write,
)

from pilothouse.kernel.web.build import build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FILE = "catalog-info.yaml"
BAD = "bad/catalog-info.yaml"
KEPT = "component:default/kept"
SECONDS = 20.0  # for one hostile file; most take a fraction of one
MEGABYTES = 400  # beyond what the tests take anyway


@pytest.fixture
def catalog(database_url: str, tmp_path: Path) -> Iterator[Following]:
    with following(database_url, tmp_path / "data", git_timeout=2) as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    write(path, FILE, several(group("team-a"), component("good")))
    return path


def quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def described(text: str) -> str:
    """A component whose description is this YAML scalar."""
    return component("kept").replace("spec:", f"  description: {text}\nspec:")


def alias_bomb() -> str:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    return "\n".join(levels) + "\n"


class Hostile(NamedTuple):
    """A file, and the problem that it must bring; no code when it is taken as it is."""

    data: Callable[[], str | bytes]
    code: str | None
    words: str = ""


LONG = "x" * 3_000
KEY = "k" * 1_000
HOSTILE = {
    "not YAML": Hostile(lambda: "kind: [Component\n", "yaml-syntax"),
    "a picture": Hostile(lambda: bytes(range(256)) * 40, "yaml-encoding"),
    "50 MB": Hostile(lambda: b"x: aaaaaaaaaaaaaaaa\n" * 2_500_000, "unreadable-file", "5 MB"),
    "an alias bomb": Hostile(alias_bomb, "yaml-alias"),
    "an alias of itself": Hostile(lambda: "a: &a [*a]\n", "yaml-alias"),
    "a NUL byte": Hostile(lambda: b"kind: Comp\0nent\n", "yaml-control-character", "NUL"),
    "UTF-16": Hostile(lambda: component("kept").encode("utf-16"), "yaml-encoding", "UTF-16"),
    "too deep": Hostile(lambda: "a: " + "[" * 5_000 + "\n", None),
    "a list": Hostile(lambda: "- a\n- b\n", "not-a-mapping"),
    "a long text": Hostile(lambda: quoted("x" * 100_000) + "\n", "not-a-mapping"),
    "a key twice": Hostile(lambda: component("kept") + "  type: website\n", "yaml-duplicate-key"),
    "a name of 3,000 letters": Hostile(lambda: component(LONG), "bad-name"),
    "a kind of 3,000 letters": Hostile(
        lambda: component("kept").replace("Component", LONG), "bad-kind"
    ),
    "a field of 1,000 letters": Hostile(
        lambda: component("kept").replace("spec:", f"  annotations: {{{KEY}: 3}}\nspec:"),
        "wrong-type",
    ),
    "a root field of 1,000 letters": Hostile(
        lambda: f"{component('kept')}{KEY}: 1\n", "unknown-root-field"
    ),
    "Cyrillic letters in a name": Hostile(
        lambda: component("сheсkout"),  # noqa: RUF001
        "lookalike-letter",
        "Cyrillic small letter es",
    ),
    "a huge number": Hostile(
        lambda: component("9" * 10).replace('"', "") + f"  x: {'9' * 5_000}\n", None
    ),
    "a link with a script": Hostile(
        lambda: component("kept").replace("spec:", "  links: [{url: 'javascript:x'}]\nspec:"),
        "bad-link",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_told_and_loses_nothing(
    catalog: Following, folder: Path, name: str
) -> None:
    write(folder, BAD, several(component("kept"), component("fine")))
    catalog.follow(folder)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    write(folder, BAD, HOSTILE[name].data())
    write(folder, "new/catalog-info.yaml", component("new"))
    catalog.look(folder)
    assert time.monotonic() - began < SECONDS
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < MEGABYTES
    assert {"team-a", "good", "new"} <= catalog.names()
    told = [problem for problem in catalog.problems() if problem.file == BAD]
    if HOSTILE[name].code:
        assert HOSTILE[name].code in {problem.code for problem in told}
        assert any(HOSTILE[name].words in problem.message for problem in told)
    write(folder, BAD, several(component("kept"), component("fine")))
    catalog.look(folder)
    assert catalog.problems() == []
    assert catalog.entity(KEPT).stale is None


@pytest.mark.parametrize(
    "taken",
    [
        r'"a \0 b"',
        r'"a \x07 b"',
        r'"a \ud800 b"',
        r'"\ud83d\ude00"',
        quoted("x" * 50_000),
        quoted("\u202e evil \u2028"),
        "|\n" + "    <script>alert(1)</script>\n" * 3,
    ],
)
@pytest.mark.parametrize("field", ["title", "description", "x"])
def test_texts_of_any_letters_are_kept_or_refused_and_never_stop_a_pass(
    catalog: Following, folder: Path, field: str, taken: str
) -> None:
    write(folder, BAD, several(described("x").replace("description: x", f"{field}: {taken}")))
    write(folder, "z/catalog-info.yaml", component("last"))
    catalog.follow(folder)
    assert {"good", "last"} <= catalog.names()
    if KEPT not in catalog.refs():
        assert [p for p in catalog.problems() if p.file == BAD and p.severity == "error"]


@pytest.mark.parametrize(
    "spec",
    [
        {"owner": LONG},
        {"dependsOn": [f"component:{LONG}"]},
        {"dependsOn": [f"component:{LONG[:62]}/{LONG}"]},
        {"type": LONG},
        {"lifecycle": "ÄÖ" * 300},
        {KEY: 1},
        {"a": {KEY: {KEY: [LONG]}}},
        {"subcomponentOf": "a\0b"},
        {"owner": "a\0b"},
        {"type": "a\0b"},
        {"x": "a\0b"},
        {"a": {"x\0y": "b"}},
    ],
)
def test_values_longer_than_any_column_never_stop_a_pass(
    catalog: Following, folder: Path, spec: dict[str, object]
) -> None:
    write(folder, BAD, component("kept", **spec))
    write(folder, "z/catalog-info.yaml", component("last"))
    catalog.follow(folder)
    assert {"good", "last"} <= catalog.names()
    assert KEPT in catalog.refs() or any(p.file == BAD for p in catalog.problems())
    write(folder, BAD, component("kept"))
    catalog.look(folder)
    assert catalog.problems() == []


def test_text_taken_from_another_file_may_hold_any_letters(
    catalog: Following, folder: Path
) -> None:
    api = component("kept").replace("Component", "API") + "  definition: {$text: ./d.txt}\n"
    write(folder, BAD, api)
    write(folder, "bad/d.txt", b"openapi\0: \x07 3")
    catalog.follow(folder)
    assert "good" in catalog.names()
    assert "yaml-control-character" in catalog.codes()
    write(folder, "bad/d.txt", "openapi: 3")
    catalog.look(folder)
    assert "kept" in catalog.names()


def test_ten_thousand_problems_of_one_file_are_capped_and_counted(
    catalog: Following, folder: Path
) -> None:
    tags = ", ".join(f"Bad{number}" for number in range(10_000))
    write(folder, BAD, component("kept").replace("spec:", f"  tags: [{tags}]\nspec:"))
    catalog.follow(folder)
    told = [problem for problem in catalog.problems() if problem.file == BAD]
    assert 100 <= len(told) <= 110
    assert any("9,9" in problem.message and "more" in problem.message for problem in told)
    assert "good" in catalog.names()


@pytest.mark.parametrize("leads", ["/etc/passwd", "../secret.yaml"])
def test_a_link_out_of_the_source_is_refused(catalog: Following, folder: Path, leads: str) -> None:
    write(folder.parent, "secret.yaml", component("secret"))
    (folder / "bad").mkdir()
    (folder / BAD).symlink_to(leads if leads.startswith("/") else f"../../{leads[3:]}")
    catalog.follow(folder)
    assert catalog.names() == {"team-a", "good"}
    assert [(p.code, p.file) for p in catalog.problems()] == [("unreadable-file", BAD)]
    assert "leads out of the source" in catalog.problems()[0].message


@pytest.mark.parametrize(
    "target",
    [
        "/etc/passwd",
        "../../../../../../etc/passwd",
        "file:///etc/passwd",
        "http://10.0.0.1/catalog-info.yaml",
        "http://169.254.169.254/latest/meta-data/",
        "https://127.0.0.1:{port}/o/r/blob/main/catalog-info.yaml",
        "http://127.0.0.1:{port}/catalog-info.yaml",
        "http://[::1]:{port}/catalog-info.yaml",
        ".git/config",
    ],
)
@pytest.mark.parametrize("by", ["location", "placeholder"])
def test_what_is_not_in_the_source_is_never_read_nor_asked_for(
    catalog: Following, folder: Path, target: str, by: str
) -> None:
    asked: list[object] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(0.2)
        address = target.format(port=server.getsockname()[1])
        text = location(address, name="kept")
        if by == "placeholder":
            text = component("kept", description={"$text": address})
        write(folder, BAD, text)
        catalog.follow(folder)
        with suppress(TimeoutError):
            asked.append(server.accept())
    assert not asked
    code = "bad-location" if by == "location" else "bad-placeholder"
    assert [problem.code for problem in catalog.problems()] == [code]
    assert catalog.problems()[0].file == BAD
    assert "root:" not in catalog.problems()[0].message
    assert {"team-a", "good"} <= catalog.names()


def test_a_repository_that_never_answers_is_given_up_in_time(
    catalog: Following, folder: Path
) -> None:
    held: list[socket.socket] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    held.append(server.accept()[0])

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        source = f"http://127.0.0.1:{server.getsockname()[1]}/o/r.git"
        catalog.sources(source, folder)
        began = time.monotonic()
        assert catalog.look(source).failed
        assert time.monotonic() - began < 8
        catalog.look(folder)
        server.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)
    for connection in held:
        connection.close()
    assert "good" in catalog.names()
    assert catalog.codes() == ["unreachable-source"]
    assert "did not answer within 2 s" in catalog.problems()[0].message


def test_a_repository_that_disappears_leaves_the_rest_alone(
    catalog: Following, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "remote").mkdir()
    repository = Repository(tmp_path / "remote")
    repository.commit("ann", "Begin", catalog_info=component("kept"))
    catalog.follow(repository.url, folder)
    shutil.rmtree(repository.bare)
    write(folder, "new/catalog-info.yaml", component("new"))
    assert catalog.look(repository.url).failed
    catalog.look(folder)
    assert {"good", "kept", "new"} <= catalog.names()
    assert catalog.codes() == ["unreachable-source"]


# What pages make of it


class Page(HTMLParser):
    """What a browser would run, or be sent to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            plain = re.sub(r"[\x00-\x20]", "", value or "").lower()
            if name.startswith("on") or (name == "srcdoc"):
                self.found.append(f"{tag} {name}={value}")
            if name in ("href", "src", "action", "formaction", "xlink:href", "data") and (
                plain.startswith(("javascript:", "vbscript:", "data:text"))
            ):
                self.found.append(f"{tag} {name}={value}")


EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg onload=alert(3)>"
LINKS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    " javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
]


def evil() -> str:
    links = [{"url": url, "title": EVIL} for url in LINKS]
    return (
        "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata:\n  name: kept\n"
        f"  title: {quoted(EVIL)}\n"
        f"  description: {quoted(EVIL + ' [x](javascript:alert(1)) <a href=javascript:x>y</a>')}\n"
        f"  annotations: {{x/y: {quoted(EVIL)}, backstage.io/view-url: 'javascript:alert(1)',"
        " backstage.io/edit-url: 'javascript:alert(1)'}\n"
        f"  labels: {{x: y}}\n"
        f"  links: {quoted(links)}\n"  # type: ignore[arg-type]
        f"spec:\n  type: {quoted(EVIL)}\n  lifecycle: {quoted(EVIL)}\n  owner: team-a\n"
        f"  definition: {quoted(EVIL)}\n  extra: {quoted(EVIL)}\n"
    )


PAGES = (
    "/",
    "/catalog",
    "/catalog?q=alert",
    "/search?q=alert",
    "/catalog?kind=api",
    "/catalog/problems",
    "/catalog/changes",
    "/catalog/sources",
    "/catalog/api/default/kept",
    "/catalog/api/default/kept/changes",
    "/catalog/api/default/kept/document",
    "/catalog/api/default/kept/definition",
    "/catalog/api/default/kept/graph",
    "/catalog/group/default/team-a",
    "/catalog/api/default/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "/catalog?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E&sort=%22%3E%3Cscript%3E",
)


def test_no_page_runs_or_links_to_what_a_file_says(catalog: Following, folder: Path) -> None:
    write(folder, BAD, evil())
    write(folder, "broken/catalog-info.yaml", f"kind: {quoted(EVIL)}\nmetadata: {quoted(EVIL)}\n")
    write(folder, f"{EVIL.replace('/', '')[:60]}/catalog-info.yaml", component("odd"))
    catalog.follow(folder)
    web, stream = build(catalog.program)
    with TestClient(web, base_url="http://127.0.0.1:8400") as client:
        for path in PAGES:
            answer = client.get(path, headers={"accept": "text/html"})
            assert answer.status_code in (200, 404), path
            assert answer.headers["content-type"].startswith("text/html"), path
            page = Page(answer.text)
            assert page.found == [], path
            assert "<script>alert" not in answer.text, path
            assert "<img src=x" not in answer.text, path
            assert "<svg onload" not in answer.text, path
            assert "default-src 'none'" in answer.headers["content-security-policy"]
        shown = client.get("/catalog/api/default/kept").text
        assert "&lt;script&gt;" in shown
    stream.close()
