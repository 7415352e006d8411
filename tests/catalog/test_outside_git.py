"""Git repositories as sources: real ones, and remotes that misbehave."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pilothouse.catalog.outside import history
from pilothouse.catalog.outside.sources import SourceUnreachable, open_source
from pilothouse.kernel.errors import Invalid, NotFound

if TYPE_CHECKING:
    from pathlib import Path

ENTITY = "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: a}\n"


class Upstream:
    """A repository with a work tree that commits as whom we say."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, **environ: str) -> str:
        identity = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_COMMITTER_EMAIL": "c@example.com"}
        identity |= {"GIT_COMMITTER_NAME": "Committer", "GIT_AUTHOR_EMAIL": "a@example.com"}
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            capture_output=True,
            check=True,
            env={**os.environ, **identity, **environ},
        )
        return done.stdout.decode().strip()

    def commit(self, author: str, at: int, **files: str | None) -> str:
        for name, text in files.items():
            path = self.path / name.replace("__", "/").replace("_yaml", ".yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink() if text is None else path.write_text(text)
        self.git("add", "-A")
        when = f"{at} +0200"
        self.git(
            "commit", "-q", "--allow-empty", "-m", f"By {author}",
            GIT_AUTHOR_NAME=author, GIT_AUTHOR_DATE=when, GIT_COMMITTER_DATE=when,
        )  # fmt: skip
        return self.git("rev-parse", "HEAD")

    @property
    def url(self) -> str:
        return f"file://{self.path}"


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    made = Upstream(tmp_path / "upstream")
    made.commit("Ada", 1_000_000_000, a__catalog_info="x", **{"a__catalog-info_yaml": ENTITY})
    return made


def opened(spec: object, tmp_path: Path, *, refreshed: bool = True):
    source = open_source(str(spec), tmp_path / "work")
    if refreshed:
        source.refresh(30)
    return source


def test_a_remote_repository_is_read_at_its_default_branch(
    upstream: Upstream, tmp_path: Path
) -> None:
    source = opened(upstream.url, tmp_path)

    assert list(source.discover()) == ["a/catalog-info.yaml"]
    assert source.read("a/catalog-info.yaml", 1000) == ENTITY.encode()
    assert source.revision() == upstream.git("rev-parse", "HEAD")
    assert source.stamps(["a/catalog-info.yaml", "absent"]) == source.discover()
    assert source.glob("*/*.yaml") == ["a/catalog-info.yaml"]


def test_a_refresh_brings_what_is_new_and_changes_only_its_stamps(
    upstream: Upstream, tmp_path: Path
) -> None:
    source = opened(upstream.url, tmp_path)
    before, revision = source.discover(), source.revision()
    upstream.commit("Bo", 1_000_000_100, **{"b__catalog-info_yaml": ENTITY + "# b\n"})

    assert source.discover() == before, "one look reads one commit"
    source.refresh(30)

    assert source.discover().items() > before.items()
    assert source.read("b/catalog-info.yaml", 1000).endswith(b"# b\n")
    assert source.revision() != revision


def test_history_that_was_rewritten_and_a_renamed_default_branch_are_followed(
    upstream: Upstream, tmp_path: Path
) -> None:
    source = opened(upstream.url, tmp_path)
    old = source.revision()
    upstream.git("checkout", "-q", "--orphan", "trunk")
    new = upstream.commit("Bo", 1_000_000_200, other="x")
    upstream.git("branch", "-q", "-D", "main")
    source.refresh(30)

    assert source.revision() == new
    assert "a/catalog-info.yaml" in source.commits(["a/catalog-info.yaml"], old)


def test_a_branch_a_tag_and_a_folder_can_be_named(upstream: Upstream, tmp_path: Path) -> None:
    upstream.git("tag", "-a", "-m", "one", "v1")
    upstream.git("checkout", "-q", "-b", "team/x")
    upstream.commit("Bo", 1_000_000_300, **{"b__catalog-info_yaml": ENTITY})
    upstream.git("checkout", "-q", "main")

    assert len(opened(f"{upstream.url}#team/x", tmp_path).discover()) == 2
    assert len(opened(f"{upstream.url}#v1", tmp_path).discover()) == 1
    part = opened(f"{upstream.url}//b#team/x", tmp_path)
    assert list(part.discover()) == ["catalog-info.yaml"]
    assert part.commits(["catalog-info.yaml"], None)["catalog-info.yaml"].author == "Bo"
    with pytest.raises(SourceUnreachable, match="no branch or tag nope"):
        opened(f"{upstream.url}#nope", tmp_path)
    with pytest.raises(SourceUnreachable, match="no folder nope"):
        opened(f"{upstream.url}//nope", tmp_path).discover()


def test_a_bare_repository_is_read_where_it_is(upstream: Upstream, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run(["git", "clone", "-q", "--bare", str(upstream.path), str(bare)], check=True)
    source = opened(bare, tmp_path)

    assert list(source.discover()) == ["a/catalog-info.yaml"]
    assert not (tmp_path / "work").exists()


def test_an_empty_repository_has_nothing_and_that_is_no_failure(tmp_path: Path) -> None:
    Upstream(tmp_path / "empty")
    source = opened(f"file://{tmp_path / 'empty'}", tmp_path)

    assert source.revision() is None
    assert source.discover() == {}
    assert source.commits(["x"], None) == {}


def test_the_latest_commit_of_each_path_is_told(upstream: Upstream, tmp_path: Path) -> None:
    first = upstream.git("rev-parse", "HEAD")
    upstream.commit("Bo", 1_000_000_100, **{"b__catalog-info_yaml": "1"})
    upstream.git("mv", "b", "c")
    moved = upstream.commit("Cy", 1_000_000_200)
    upstream.commit("Di", 1_000_000_300, **{"odd\nnäme\x01_yaml": "x"})
    source = opened(upstream.url, tmp_path)

    everything = ["a/catalog-info.yaml", "b/catalog-info.yaml", "c/catalog-info.yaml"]
    found = source.commits([*everything, "odd\nnäme\x01.yaml", "never"], None)

    assert [found[path].author for path in everything] == ["Ada", "Cy", "Cy"]
    assert found["c/catalog-info.yaml"].id == moved
    assert found["c/catalog-info.yaml"].at == datetime.fromtimestamp(1_000_000_200, UTC)
    assert found["c/catalog-info.yaml"].subject == "By Cy"
    assert found["odd\nnäme\x01.yaml"].author == "Di"
    assert "never" not in found
    assert source.commits(everything, first).keys() == set(everything[1:])
    assert source.commits(everything, "0" * 40) == source.commits(everything, None)
    assert source.commits(everything, "--output=/tmp/x").keys() == set(everything)


def test_a_file_name_cannot_pretend_to_be_a_commit(upstream: Upstream) -> None:
    upstream.commit("Eve", 1_000_000_400, **{"m:x\x1f1\x1fMallory\x1fhi": "x"})
    repository = upstream.path / ".git"

    found = history.latest(repository, "HEAD", ["m:x\x1f1\x1fMallory\x1fhi"])

    assert [commit.author for commit in found.values()] == ["Eve"]


def test_a_link_within_is_followed_and_one_that_leads_out_refused(
    upstream: Upstream, tmp_path: Path
) -> None:
    (upstream.path / "within").symlink_to("a")
    (upstream.path / "a" / "again.yaml").symlink_to("../within/catalog-info.yaml")
    (upstream.path / "passwd").symlink_to("/etc/passwd")
    (upstream.path / "up.yaml").symlink_to("../../x")
    (upstream.path / "loop").symlink_to("loop")
    upstream.commit("Ada", 1_000_000_500)
    source = opened(upstream.url, tmp_path)

    assert source.read("within/catalog-info.yaml", 1000) == ENTITY.encode()
    assert source.read("a/again.yaml", 1000) == ENTITY.encode()
    for path in ("passwd", "up.yaml", "loop", "../x", "/etc/passwd"):
        with pytest.raises(Invalid):
            source.read(path, 1000)
    with pytest.raises(NotFound):
        source.read("absent", 1000)


def test_a_large_file_is_refused_and_the_next_one_read(upstream: Upstream, tmp_path: Path) -> None:
    upstream.commit("Ada", 1_000_000_600, large="x" * 100_000)
    source = opened(upstream.url, tmp_path)

    with pytest.raises(Invalid, match="large is larger than 1 KB"):
        source.read("large", 1000)
    assert source.read("a/catalog-info.yaml", 1000) == ENTITY.encode()


def test_a_remote_that_never_answers_is_given_up_in_time(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        source = opened(f"git://127.0.0.1:{port}/x", tmp_path, refreshed=False)
        began = time.monotonic()
        with pytest.raises(SourceUnreachable, match=r"did not answer within 0\.5 s"):
            source.refresh(0.5)

    assert time.monotonic() - began < 15
    assert not _running(f":{port}/x"), "git's own helpers ended too"


def test_the_helper_that_talks_http_for_git_ends_with_it(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        source = opened(f"http://u:hunter2@127.0.0.1:{port}/x.git", tmp_path, refreshed=False)
        with pytest.raises(SourceUnreachable, match="did not answer") as failed:
            source.refresh(0.5)

    assert "hunter2" not in str(failed.value)
    assert not _running(f":{port}/x")


def test_a_repository_that_disappears_keeps_what_was_fetched(
    upstream: Upstream, tmp_path: Path
) -> None:
    source = opened(upstream.url, tmp_path)
    before = source.discover()
    shutil.rmtree(upstream.path)

    with pytest.raises(SourceUnreachable, match="no repository at this address"):
        source.refresh(30)
    assert source.discover() == before
    assert open_source(upstream.url, tmp_path / "work").discover() == before


def test_a_copy_that_was_damaged_or_left_locked_is_mended(
    upstream: Upstream, tmp_path: Path
) -> None:
    opened(upstream.url, tmp_path).close()
    (copy,) = (tmp_path / "work" / "git").glob("*.git")
    (copy / "refs" / "pilothouse" / "HEAD.lock").write_text("")
    (copy / "HEAD").unlink()
    upstream.commit("Bo", 1_000_000_700, **{"b__catalog-info_yaml": ENTITY})

    assert len(opened(upstream.url, tmp_path).discover()) == 2


def test_refused_and_unknown_remotes_say_what_to_do(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    with pytest.raises(SourceUnreachable, match="check the address and the network"):
        opened(f"http://127.0.0.1:{port}/x.git", tmp_path)
    with pytest.raises(SourceUnreachable, match="no repository"):
        opened(f"file://{tmp_path}/nothing", tmp_path)


def test_hooks_and_helpers_of_a_repository_never_run(upstream: Upstream, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run(["git", "clone", "-q", "--bare", str(upstream.path), str(bare)], check=True)
    trap = tmp_path / "trap"
    for key in ("core.fsmonitor", "core.sshCommand", "core.pager", "uploadpack.packObjectsHook"):
        subprocess.run(["git", "-C", str(bare), "config", key, f"touch {trap}"], check=True)
    source = opened(bare, tmp_path)
    source.commits(list(source.discover()), None)
    copy = opened(f"file://{bare}", tmp_path)
    copy.read("a/catalog-info.yaml", 1000)

    assert not trap.exists()


def _running(part: str) -> bool:
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, check=True).stdout
        if not any(part in line and "git" in line for line in lines.decode().splitlines()):
            return False
        time.sleep(0.02)
    return True
