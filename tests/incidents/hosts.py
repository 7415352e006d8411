"""A small server that speaks as GitHub and GitLab do of issues."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "of-a-test"


@dataclass(slots=True)
class Host:
    """What it holds, and how it is to answer."""

    port: int = 0
    issues: list[dict[str, Any]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)  # the next ones are these
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def github(self, method: str, path: str, said: dict[str, Any]) -> tuple[int, Any]:
        parts = [unquote(one) for one in urlsplit(path).path.strip("/").split("/")]
        assert parts[0] == "repos"
        repository, rest = "/".join(parts[1:3]), parts[4:]
        if not rest and method == "POST":
            number = len(self.issues) + 1
            href = f"https://github.test/{repository}/issues/{number}"
            one = {"number": number, "html_url": href, "state": "open", **said}
            self.issues.append(one)
            return 201, one
        if not rest:
            assert parse_qs(urlsplit(path).query)["state"] == ["all"]
            return 200, self.issues
        one = self.issues[int(rest[0]) - 1]
        if method == "PATCH":
            one |= said
        if rest[1:] == ["comments"]:
            self.comments.append(said["body"])
            return 201, {}
        return 200, one

    def gitlab(self, method: str, path: str, said: dict[str, Any]) -> tuple[int, Any]:
        parts = urlsplit(path).path.strip("/").split("/")
        assert parts[0] == "projects"
        repository, rest = unquote(parts[1]), parts[3:]
        if not rest and method == "POST":
            number = len(self.issues) + 1
            href = f"https://gitlab.test/{repository}/-/issues/{number}"
            one = {"iid": number, "web_url": href, "state": "opened", **said}
            self.issues.append(one)
            return 201, one
        if not rest:
            return 200, self.issues
        one = self.issues[int(rest[0]) - 1]
        if method == "PUT" and said == {"state_event": "close"}:
            one["state"] = "closed"
        if rest[1:] == ["notes"]:
            self.comments.append(said["body"])
            return 201, {}
        return 200, one


@contextmanager
def host() -> Iterator[Host]:
    """The server, as long as it is needed."""
    found = Host()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            said = json.loads(self.rfile.read(length)) if length else {}
            found.asked.append(f"{self.command} {self.path}")
            status, body = self.judge(said)
            sent = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            if status == 429:
                self.send_header("Retry-After", "7")
            self.end_headers()
            self.wfile.write(sent)

        def judge(self, said: dict[str, Any]) -> tuple[int, Any]:
            if found.answers:
                return found.answers.pop(0), {"message": "not now"}
            if self.path.startswith("/repos"):
                allowed = self.headers.get("Authorization") == f"Bearer {TOKEN}"
                speak = found.github
            else:
                allowed = self.headers.get("PRIVATE-TOKEN") == TOKEN
                speak = found.gitlab
            return speak(self.command, self.path, said) if allowed else (401, {})

        do_GET = do_POST = do_PUT = do_PATCH = answer  # noqa: N815  their names are the protocol

        def log_message(self, *_said: Any) -> None:
            """Tests are told by what is held."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
