"""Issues at GitHub and GitLab, by their APIs: made once, looked at, closed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import quote, urlencode

import msgspec

from pilothouse.kernel import outgoing
from pilothouse.kernel.errors import PilothouseError
from pilothouse.kernel.jobs import Hopeless, TryLater

if TYPE_CHECKING:
    from collections.abc import Mapping

LABEL = "post-mortem"
OK = range(200, 300)
REFUSED = frozenset({400, 401, 404, 410, 422})
LIMITED = frozenset({403, 429})
LONGEST_WAIT = timedelta(hours=1)


class Refused(Hopeless):
    """The other side will not take it, however often it is asked."""

    status = 502


class Failed(PilothouseError):
    """The other side could not do it now."""

    status = 502


class Host(msgspec.Struct, frozen=True):
    """An API, and the token that opens it."""

    kind: Literal["github", "gitlab"]
    api: str  # "https://api.github.com"
    token: str


class Issue(msgspec.Struct, frozen=True):
    """An issue there."""

    key: str  # "github acme/shop 12"
    href: str
    closed: bool


class Answered(Protocol):
    """What a JSON object is read by."""

    def get(self, name: str, default: Any = None) -> Any: ...


def make(host: Host, repository: str, title: str, body: str, mark: str) -> Issue:
    """Make an issue whose body has `mark`, unless there is one with it already."""
    found = _marked(host, repository, mark)
    if found is not None:
        return found
    written = f"{body}\n\n{mark}"
    if host.kind == "github":
        said: dict[str, Any] = {"title": title, "body": written, "labels": [LABEL]}
    else:
        said = {"title": title, "description": written, "labels": LABEL}
    return _issue(host, repository, _ask(host, "POST", _path(host, repository), said))


def _marked(host: Host, repository: str, mark: str) -> Issue | None:
    """The issue that has the mark: one that was made before we were killed."""
    asked = {"labels": LABEL, "per_page": "100"} | (
        {"state": "all"} if host.kind == "github" else {"scope": "all"}
    )
    found = _ask(host, "GET", f"{_path(host, repository)}?{urlencode(asked)}")
    field = "body" if host.kind == "github" else "description"
    for one in found if isinstance(found, list) else []:
        if mark in str(one.get(field) or ""):
            return _issue(host, repository, one)
    return None


def look(host: Host, key: str) -> Issue:
    """An issue as it is now. Raises Refused where it is gone."""
    repository, number = _parts(key)
    return _issue(host, repository, _ask(host, "GET", f"{_path(host, repository)}/{number}"))


def close(host: Host, key: str, words: str) -> None:
    """Close an issue, with a comment that says why."""
    repository, number = _parts(key)
    one = f"{_path(host, repository)}/{number}"
    if look(host, key).closed:
        return
    notes = "comments" if host.kind == "github" else "notes"
    _ask(host, "POST", f"{one}/{notes}", {"body": words})
    if host.kind == "github":
        _ask(host, "PATCH", one, {"state": "closed"})
    else:
        _ask(host, "PUT", one, {"state_event": "close"})


def _parts(key: str) -> tuple[str, str]:
    _, repository, number = key.split(" ")
    return repository, number


def _path(host: Host, repository: str) -> str:
    if host.kind == "github":
        return f"/repos/{quote(repository)}/issues"
    return f"/projects/{quote(repository, safe='')}/issues"


def _issue(host: Host, repository: str, said: Answered) -> Issue:
    number = said.get("number" if host.kind == "github" else "iid")
    href = said.get("html_url" if host.kind == "github" else "web_url")
    if not isinstance(number, int) or not isinstance(href, str):
        raise Failed(f"{host.kind} answered without the number of an issue")
    closed = said.get("state") == "closed"
    return Issue(f"{host.kind} {repository} {number}", href[:2000], closed)


def _ask(host: Host, method: str, path: str, said: Mapping[str, Any] | None = None) -> Any:
    url = host.api.rstrip("/") + path
    headers = {"Accept": "application/json"}
    if host.kind == "github":
        headers["Authorization"] = f"Bearer {host.token}"
        headers["X-GitHub-Api-Version"] = "2022-11-28"
    else:
        headers["PRIVATE-TOKEN"] = host.token
    body = None
    if said is not None:
        headers["Content-Type"] = "application/json"
        body = msgspec.json.encode(said)
    trusted = frozenset({outgoing.host_of(host.api)})
    reply = outgoing.fetch(method, url, headers, body, trusted=trusted)
    _judge(host, reply)
    try:
        return msgspec.json.decode(reply.body) if reply.body else {}
    except msgspec.DecodeError:
        raise Failed(f"{host.kind} answered with something that is not JSON") from None


def _judge(host: Host, reply: outgoing.Reply) -> None:
    if reply.status in OK:
        return
    words = f"{host.kind} answered {reply.status}"
    wait = reply.headers.get("retry-after", "")
    spent = reply.headers.get("x-ratelimit-remaining") == "0"
    if reply.status in LIMITED and (wait or spent or reply.status != 403):  # noqa: PLR2004
        seconds = int(wait) if wait.isdecimal() else 60
        raise TryLater(words, min(timedelta(seconds=seconds), LONGEST_WAIT))
    if reply.status in REFUSED or reply.status == 403:  # noqa: PLR2004
        raise Refused(f"{words}: look at the token and at what it may do there")
    raise Failed(words)
