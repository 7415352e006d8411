"""What nobody has signed costs little: it is refused by its headers, or waits."""

import socket
from contextlib import ExitStack

import pytest
from tests.deploys.telling import status, telling
from tests.servers import LOOPBACK

from pilothouse.kernel.web.room import AT_ONCE

LARGE = 20_000_000


@pytest.fixture
def told(sqlite_url, tmp_path):
    with telling(sqlite_url, tmp_path) as found:
        yield found


def begin(told, path, **headers):
    """The headers of a large message, and nothing of its body."""
    said = {"Host": LOOPBACK, "Content-Type": "application/json", "Expect": "100-continue"}
    said |= {"Content-Length": str(LARGE)} | headers
    head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    sent = socket.create_connection((LOOPBACK, told.portal.port), timeout=20)
    sent.sendall(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode())
    return sent


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/hooks/github", {}),
        ("/hooks/gitlab", {}),
        ("/hooks/gitlab", {"X-Gitlab-Token": "another one"}),
    ],
)
def test_what_has_no_signature_is_refused_before_its_body_comes(told, path, headers):
    with begin(told, path, **headers) as sent:
        assert sent.recv(100).startswith(b"HTTP/1.1 403")


def test_without_a_secret_where_others_can_reach_it_no_body_is_read(sqlite_url, tmp_path):
    unset = {"github_webhook_secret": "", "public_url": "http://127.0.0.1:8400"}
    with telling(sqlite_url, tmp_path, **unset) as told, begin(told, "/hooks/github") as sent:
        assert sent.recv(100).startswith(b"HTTP/1.1 403")


def test_few_large_bodies_are_read_at_once_and_small_ones_never_wait(told):
    said = {"X-Hub-Signature-256": "sha256=" + "0" * 64, "X-GitHub-Event": "push"}
    with ExitStack() as stack:
        held = [stack.enter_context(begin(told, "/hooks/github", **said)) for _ in range(AT_ONCE)]
        for sent in held:
            assert sent.recv(100).startswith(b"HTTP/1.1 100")  # its body is asked for
        late = stack.enter_context(begin(told, "/hooks/github", **said))
        assert told.github("deployment_status", status(1, "success")).status == 202
        with begin(told, "/hooks/github") as unsigned:
            assert unsigned.recv(100).startswith(b"HTTP/1.1 403")
        late.setblocking(False)
        with pytest.raises(BlockingIOError):
            late.recv(100)
        held[0].close()
        late.settimeout(20)
        assert late.recv(100).startswith(b"HTTP/1.1 100")


def test_one_that_finds_no_place_is_told_to_come_again(told, monkeypatch):
    monkeypatch.setattr("pilothouse.kernel.web.room.PATIENCE", 0.05)
    said = {"X-Hub-Signature-256": "sha256=" + "0" * 64, "X-GitHub-Event": "push"}
    with ExitStack() as stack:
        for _ in range(AT_ONCE):
            sent = stack.enter_context(begin(told, "/hooks/github", **said))
            assert sent.recv(100).startswith(b"HTTP/1.1 100")
        late = stack.enter_context(begin(told, "/hooks/github", **said))
        assert late.recv(100).startswith(b"HTTP/1.1 503")


def test_one_that_comes_too_slowly_leaves_its_place(told, monkeypatch):
    monkeypatch.setattr("pilothouse.kernel.web.room.READING", 0.05)
    said = {"X-Hub-Signature-256": "sha256=" + "0" * 64, "X-GitHub-Event": "push"}
    with begin(told, "/hooks/github", **said) as sent:
        assert sent.recv(25).startswith(b"HTTP/1.1 100")
        assert b"503" in sent.recv(100)


def test_a_large_body_that_is_signed_is_taken(told):
    body = status(1, "success")
    body["deployment"]["payload"] = {"notes": "x" * 2_000_000}
    assert told.github("deployment_status", body).status == 202
    told.take()
    assert [one.version for one in told.history()] == ["v1.1"]
