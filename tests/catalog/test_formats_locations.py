"""Location refs, Location targets, paths within a source, and globs."""

from __future__ import annotations

import fnmatch
import posixpath
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.catalog.judging import expected

from pilothouse.catalog.formats.locations import (
    HostedFile,
    LocationRef,
    LocationSpec,
    LocationTarget,
    hosted_file,
    is_glob,
    is_url,
    location_spec,
    matching,
    parse_location_ref,
    resolve_path,
    resolve_url,
)
from pilothouse.kernel.errors import Invalid


def test_location_refs_are_read_as_backstage_reads_them():
    for case in expected("rules.expected.json")["locationRef"]:
        if "error" in case:
            with pytest.raises(Invalid) as raised:
                parse_location_ref(case["in"])
            assert str(raised.value) == case["error"]
        else:
            assert parse_location_ref(case["in"]) == LocationRef(**case["out"])


@pytest.mark.parametrize("target", ["java\nscript:x", " JavaScript:x", "\x01javascript:x"])
def test_hidden_scripts_are_no_target(target):
    with pytest.raises(Invalid, match="javascript"):
        parse_location_ref(f"url:{target}")


def test_a_location_names_its_target_before_its_targets():
    spec = {"type": "file", "target": "./a.yaml", "targets": ["b.yaml"], "presence": "optional"}
    assert location_spec({"spec": spec}) == LocationSpec(
        (LocationTarget("spec.target", "./a.yaml"), LocationTarget("spec.targets.0", "b.yaml")),
        "file",
        optional=True,
    )
    assert location_spec({}) == LocationSpec(())


@pytest.mark.parametrize(
    ("base", "target", "path"),
    [
        ("catalog-info.yaml", "./a.yaml", "a.yaml"),
        ("x/catalog-info.yaml", "a.yaml", "x/a.yaml"),
        ("x/y/catalog-info.yaml", "../../a.yaml", "a.yaml"),
        ("x/y.yaml", "/a/*.yaml", "a/*.yaml"),
        ("x/y.yaml", "./", "x"),
        ("y.yaml", ".", "."),
    ],
)
def test_a_path_is_seen_from_its_file(base, target, path):
    assert resolve_path(base, target) == path


@pytest.mark.parametrize("target", ["../a", "../../x/a", "x/../../a", "/../a", "a\0b", "a\\b"])
def test_a_path_does_not_lead_out_of_its_source(target):
    with pytest.raises(Invalid, match="path"):
        resolve_path("catalog-info.yaml", target)


@given(st.text("a./", max_size=20), st.text("ab/.", max_size=20))
def test_no_path_escapes(base, target):
    try:
        path = resolve_path(base.strip("/.") or "f", target)
    except Invalid:
        return
    assert not path.startswith(("/", "../"))
    assert path != ".."
    assert posixpath.normpath(path) == path


def test_an_address_is_seen_from_its_file():
    base = "https://github.com/acme/shop/blob/main/services/catalog-info.yaml"
    assert resolve_url(base, "./api.yaml").endswith("/blob/main/services/api.yaml")
    assert resolve_url(base, "/docs/api.yaml").endswith("/acme/shop/blob/main/docs/api.yaml")
    assert resolve_url(base, "https://example.com/x") == "https://example.com/x"
    assert resolve_url("https://example.com/a/b", "/c") == "https://example.com/c"


@pytest.mark.parametrize(
    ("url", "file"),
    [
        (
            "https://github.com/acme/shop/blob/main/a/b.yaml",
            HostedFile("github.com", "acme/shop", "main", "a/b.yaml"),
        ),
        (
            "https://user@gitlab.example:8443/g/sub/r/-/blob/v1/x%20y.yaml?ref=1",
            HostedFile("gitlab.example:8443", "g/sub/r", "v1", "x y.yaml"),
        ),
        (
            "https://bitbucket.org/acme/shop/src/main/x",
            HostedFile("bitbucket.org", "acme/shop", "main", "x"),
        ),
        (
            "https://github.com/acme/shop/tree/main",
            HostedFile("github.com", "acme/shop", "main", ""),
        ),
        ("https://github.com/acme/shop", None),
        ("./a/blob/b", None),
        ("https://[bad/a/b/blob/c/d", None),
    ],
)
def test_files_of_code_hosts_are_known_by_their_address(url, file):
    assert hosted_file(url) == file


def test_addresses_are_http_or_https():
    assert is_url("https://example.com/x")
    assert not any(map(is_url, ["x", "file:///x", "./x", "https:", "ftp://x/y"]))


PATHS = ["catalog-info.yaml", "a/catalog-info.yaml", "a/b/catalog-info.yaml", "a/.b/x.yaml",
         ".hidden.yaml", "a/b/c.yml", "a/b/d.yaml"]  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.yaml", ["catalog-info.yaml"]),
        ("./*.yaml", ["catalog-info.yaml"]),
        ("*/catalog-info.yaml", ["a/catalog-info.yaml"]),
        (
            "**/catalog-info.yaml",
            ["a/b/catalog-info.yaml", "a/catalog-info.yaml", "catalog-info.yaml"],
        ),
        ("a/**/*.{yml,yaml}", ["a/b/c.yml", "a/b/catalog-info.yaml", "a/b/d.yaml",
                               "a/catalog-info.yaml"]),
        ("a/b/[cd].y*ml", ["a/b/c.yml", "a/b/d.yaml"]),
        ("a/b/[!c].y*ml", ["a/b/d.yaml"]),
        ("a/b/?.yml", ["a/b/c.yml"]),
        (".h*", [".hidden.yaml"]),
        ("a/**", ["a/catalog-info.yaml", "a/b/catalog-info.yaml", "a/b/c.yml", "a/b/d.yaml"]),
        ("a/b/[c", []),
        ("**/**/d.yaml", ["a/b/d.yaml"]),
        ("none/*", []),
        ("*a*l*-*.y*", ["catalog-info.yaml"]),
        ("a/b/[d-c].yml", ["a/b/c.yml"]),
        ("a/b/[]c].yml", ["a/b/c.yml"]),
        ("a/b/[c*].yml", ["a/b/c.yml"]),
        ("**/b/**/c.yml", ["a/b/c.yml"]),
    ],
)  # fmt: skip
def test_globs_mean_what_they_mean_in_a_shell(pattern, found):
    assert matching(pattern, PATHS) == tuple(sorted(found))


@given(st.lists(st.text("ab.-_", min_size=1, max_size=4), min_size=1, max_size=4).map("/".join))
def test_a_path_without_wildcards_means_itself(path):
    assert not is_glob(path)
    assert matching(path, [path, path + "x"]) == ((path,) if not path.startswith("./") else ())


@given(st.text("a*?[]{},!^-./", max_size=12))
def test_no_pattern_breaks_the_matching(pattern):
    assert set(matching(pattern, PATHS)) <= set(PATHS)


def test_no_pattern_takes_long():
    began = time.perf_counter()
    assert matching("*a" * 40 + "b", ["a" * 250]) == ()
    assert matching("**/a/" * 40 + "b", ["a/" * 200 + "c"]) == ()
    assert time.perf_counter() - began < 15


@given(st.text("ab", max_size=8), st.text("ab*?", max_size=8))
def test_stars_agree_with_the_standard_library(name, pattern):
    if name and pattern:
        assert bool(matching(pattern, [name])) == fnmatch.fnmatchcase(name, pattern)
