"""Folders and single files as sources."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pilothouse.catalog.outside.sources import SourceUnreachable, open_source
from pilothouse.kernel.errors import Invalid, NotFound, PilothouseError

ENTITY = "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: a}\n"
DATA = Path(__file__).parents[3] / "shared" / "data"


def write(path: Path, text: str = ENTITY) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=True)
    return done.stdout.decode().strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "catalog").mkdir()
    return tmp_path / "catalog"


def opened(spec: object, tmp_path: Path):
    return open_source(str(spec), tmp_path / "work")


def test_a_folder_gives_its_catalog_files_at_any_depth(folder: Path, tmp_path: Path) -> None:
    for path in (
        "catalog-info.yaml",
        "services/pay/catalog-info.yml",
        ".github/catalog-info.yaml",
        ".backstage/catalog-info.yaml",
    ):
        write(folder / path)
    for path in (
        "node_modules/x/catalog-info.yaml",
        ".git-copy/catalog-info.yaml",
        ".venv/catalog-info.yaml",
        "other.yaml",
    ):
        write(folder / path)

    assert sorted(opened(folder, tmp_path).discover()) == [
        ".backstage/catalog-info.yaml",
        ".github/catalog-info.yaml",
        "catalog-info.yaml",
        "services/pay/catalog-info.yml",
    ]


def test_what_gitignore_leaves_out_is_no_catalog_file(folder: Path, tmp_path: Path) -> None:
    git(folder, "init", "-q")
    write(folder / ".gitignore", "dist/\nkept/\n")
    for name in ("dist", "kept", "app"):
        write(folder / name / "catalog-info.yaml")
    git(folder, "add", "-f", "kept")
    expected = ["app/catalog-info.yaml", "kept/catalog-info.yaml"]

    assert sorted(opened(folder, tmp_path).discover()) == expected
    assert list(opened(folder / "kept", tmp_path).discover()) == ["catalog-info.yaml"]


def test_a_stamp_changes_with_its_file(folder: Path, tmp_path: Path) -> None:
    file = write(folder / "catalog-info.yaml")
    source = opened(folder, tmp_path)
    before = source.discover()
    assert source.stamps(["catalog-info.yaml", "absent.yaml"]) == before

    write(file, ENTITY + "# more\n")
    grown = source.discover()
    other = write(folder / "new", ENTITY + "# same\n")
    other.replace(file)
    replaced = source.discover()

    assert len({before[file.name], grown[file.name], replaced[file.name]}) == 3


def test_without_catalog_info_the_yaml_files_with_entities_at_the_top_are_read(
    folder: Path, tmp_path: Path
) -> None:
    write(folder / "teams.yaml", "---\n# ours\n" + ENTITY)
    write(folder / "deeper" / "more.yaml")
    write(folder / "deployment.yaml", "apiVersion: apps/v1\nkind: Deployment\n")
    write(folder / "compose.yaml", "services: {}\n")
    os.mkfifo(folder / "pipe.yaml")

    assert list(opened(folder, tmp_path).discover()) == ["teams.yaml"]

    write(folder / "sub" / "catalog-info.yaml")
    assert list(opened(folder, tmp_path).discover()) == ["sub/catalog-info.yaml"]


@pytest.mark.skipif(not DATA.exists(), reason="needs the shared data")
def test_a_real_catalog_without_catalog_info_is_found(tmp_path: Path) -> None:
    source = opened(DATA / "catalog" / "giantswarm-2026-08-07", tmp_path)

    assert sorted(source.discover()) == ["charts.yaml", "crds.yaml", "groups.yaml"]


def test_a_single_file_is_a_source_and_reaches_its_neighbours(folder: Path, tmp_path: Path) -> None:
    file = write(folder / "anything.yaml")
    write(folder / "catalog-info.yaml")
    write(folder / "openapi.yaml", "openapi: 3.1.0\n")
    source = opened(file, tmp_path)

    assert list(source.discover()) == ["anything.yaml"]
    assert source.read("openapi.yaml", 100) == b"openapi: 3.1.0\n"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("teams/*.yaml", ["teams/a.yaml", "teams/b.yaml"]),
        ("./teams/[a]*.yaml", ["teams/a.yaml"]),
        ("**/a.yaml", ["a.yaml", "teams/a.yaml", "teams/deep/er/a.yaml"]),
        ("teams/**/*.yaml", ["teams/a.yaml", "teams/b.yaml", "teams/deep/er/a.yaml"]),
        ("{teams,none}/b.yaml", ["teams/b.yaml"]),
        ("*/a.yaml", ["teams/a.yaml"]),
        ("teams/deep/**", ["teams/deep/er/a.yaml"]),
        (".hidden/*.yaml", [".hidden/a.yaml"]),
        ("absent/*.yaml", []),
        ("*", ["a.yaml"]),
    ],
)
def test_a_glob_means_files_as_in_a_shell(
    pattern: str, expected: list[str], folder: Path, tmp_path: Path
) -> None:
    for path in ("a.yaml", ".hidden/a.yaml", "teams/deep/er/a.yaml", "teams/.b.yaml"):
        write(folder / path)
    write(folder / "teams" / "a.yaml")
    write(folder / "teams" / "b.yaml")

    assert opened(folder, tmp_path).glob(pattern) == expected


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../secret", "a/../../secret", "", "a\0b", ".git/config", "x/.GIT/y"]
)
def test_a_path_that_leads_out_is_refused(path: str, folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "secret")
    write(folder / ".git" / "config")

    with pytest.raises(Invalid):
        opened(folder, tmp_path).read(path, 100)


def test_links_that_lead_out_are_refused_and_those_within_followed(
    folder: Path, tmp_path: Path
) -> None:
    write(folder / "real" / "a.yaml", "here")
    (folder / "within").symlink_to("real")
    (folder / "passwd").symlink_to("/etc/passwd")
    (folder / "up").symlink_to("..")
    (folder / "loop").symlink_to("loop")
    write(folder / ".git" / "config")
    (folder / "sly").symlink_to(".git/config")
    write(tmp_path / "secret")
    source = opened(folder, tmp_path)

    assert source.read("within/a.yaml", 10) == b"here"
    for path in ("passwd", "up/secret", "loop", "sly"):
        with pytest.raises(Invalid):
            source.read(path, 10_000)


def test_a_catalog_file_that_links_out_is_found_so_that_its_refusal_is_told(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "catalog-info.yaml").symlink_to("/etc/passwd")
    source = opened(folder, tmp_path)

    assert list(source.discover()) == ["catalog-info.yaml"]
    with pytest.raises(Invalid, match="leads out of the source"):
        source.read("catalog-info.yaml", 10_000)


def test_special_large_unreadable_and_absent_files_are_refused_by_name(
    folder: Path, tmp_path: Path
) -> None:
    os.mkfifo(folder / "pipe")
    write(folder / "large", "x" * 1001)
    write(folder / "folder" / "x")
    source = opened(folder, tmp_path)

    assert len(source.read("large", 1001)) == 1001
    with pytest.raises(Invalid, match="large is larger than 1 KB"):
        source.read("large", 1000)
    with pytest.raises(Invalid, match="pipe is a named pipe, not a file"):
        source.read("pipe", 10)
    with pytest.raises(Invalid, match="folder is a folder"):
        source.read("folder", 10)
    with pytest.raises(NotFound, match="absent"):
        source.read("absent", 10)


def test_a_folder_that_disappears_is_unreachable_not_empty(folder: Path, tmp_path: Path) -> None:
    source = opened(folder, tmp_path)
    source.refresh(1)
    folder.rmdir()

    with pytest.raises(SourceUnreachable, match="not there any more"):
        source.refresh(1)
    with pytest.raises(SourceUnreachable):
        source.discover()


def test_names_that_are_no_text_are_left_out(folder: Path, tmp_path: Path) -> None:
    write(folder / os.fsdecode(b"\xff") / "catalog-info.yaml")
    write(folder / "catalog-info.yaml")

    assert list(opened(folder, tmp_path).discover()) == ["catalog-info.yaml"]


def test_a_web_address_of_the_folders_own_repository_is_a_path(
    folder: Path, tmp_path: Path
) -> None:
    git(folder, "init", "-q", "-b", "feature/x")
    git(folder, "remote", "add", "origin", "git@github.com:Acme/Shop.git")
    write(folder / "sub" / "catalog-info.yaml")
    top, sub = opened(folder, tmp_path), opened(folder / "sub", tmp_path)
    hosted = "https://github.com/acme/shop"

    assert top.local_path(f"{hosted}/blob/feature/x/teams/a.yaml") == "teams/a.yaml"
    assert top.local_path(f"{hosted}/blob/main/teams/*.yaml") == "teams/*.yaml"
    assert sub.local_path(f"{hosted}/tree/main/sub/a.yaml") == "a.yaml"
    assert sub.origin() is not None
    with pytest.raises(Invalid, match="outside sub"):
        sub.local_path(f"{hosted}/blob/main/teams/a.yaml")
    for url in (
        "https://github.com/acme/other/blob/main/a.yaml",
        "https://evil.example/acme/shop/blob/main/a.yaml",
        f"{hosted}/blob/main/../../x",
        f"{hosted}",
    ):
        with pytest.raises(Invalid):
            top.local_path(url)


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "--upload-pack=touch /tmp/x",
        "-oProxyCommand=x",
        "ext::sh -c touch% /tmp/x",
        "ext://x",
        "ftp://example.com/x.git",
        "https:///owner/name",
        "ssh://-oProxyCommand=x/y",
        "https://example.com/a b",
        "https://example.com/a#--evil",
        "https://example.com/a#x..y",
        "https://example.com/a//../b",
    ],
)
def test_what_git_must_not_be_asked_for_is_refused(spec: str, tmp_path: Path) -> None:
    with pytest.raises(PilothouseError):
        opened(spec, tmp_path)


def test_a_path_without_a_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachable, match="no file or folder"):
        opened(tmp_path / "absent", tmp_path)


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    source = opened("https://me:hunter2@example.com/a/b.git?token=t0k#main", tmp_path)

    assert source.shown == "https://example.com/a/b.git#main"
    with pytest.raises(Invalid) as refused:
        opened("ftp://me:hunter2@example.com/x", tmp_path)
    assert "hunter2" not in str(refused.value)
