"""A portal with sign-in, and a browser that keeps cookies and follows where it is sent."""

from __future__ import annotations

import http.client
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin, urlsplit

from tests.kernel.portal import PAGE, Answer, Portal, serving

from pilothouse.catalog.module import module as catalog
from pilothouse.kernel.actors import Identity, Role
from pilothouse.kernel.auth.formats import hashed
from pilothouse.kernel.auth.model import LOCAL
from pilothouse.kernel.auth.module import module as auth
from pilothouse.kernel.auth.pages import signing_in
from pilothouse.kernel.auth.service import people, tokens
from pilothouse.kernel.web import edge
from pilothouse.kernel.web.limits import Buckets, Folding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pilothouse.kernel.module import Module
    from pilothouse.kernel.program import Program

MODULES = (auth, catalog)
PASSWORD = "the quick brown otter"
HASHED = hashed(PASSWORD)  # once: it is slow on purpose


@contextmanager
def portal(url: str, *more: Module, **settings: Any) -> Iterator[Portal]:
    """A portal whose people sign in with a password."""
    with serving(url, (*MODULES, *more), **{"local_users": True, **settings}) as running:
        yield running


def add(program: Program, name: str, role: Role = Role.VIEWER) -> str:
    """A local user; its id."""
    identity = Identity(LOCAL, name, name, name.title())
    with program.db.begin() as tx:
        return people.add_local(tx, identity, role, HASHED).id


def token(program: Program, name: str | None, *scopes: str, days: int = 30) -> str:
    """An API token of a local user, or of nobody."""
    with program.db.begin() as tx:
        person = people.local_user(tx, name) if name else None
        return tokens.create(tx, person, "of a test", scopes, days)[0]


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@dataclass(slots=True)
class Browser:
    """Keeps cookies for each address, and says from which page a form is sent."""

    home: str
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    agent: str = "Tests/1"

    @classmethod
    def of(cls, running: Portal) -> Browser:
        return cls(f"http://127.0.0.1:{running.port}")

    def ask(
        self, method: str, target: str, body: str = "", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request; a redirect is an answer."""
        url = urljoin(self.home, target)
        parts = urlsplit(url)
        kept = self.cookies.setdefault(parts.netloc, {})
        sent = {**PAGE, "User-Agent": self.agent, **(headers or {})}
        if kept:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in kept.items())
        if method == "POST":
            sent.setdefault("Origin", f"{parts.scheme}://{parts.netloc}")
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        try:
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request(method, path, body or None, sent)
            answer = connection.getresponse()
            for header in answer.headers.get_all("set-cookie") or ():
                self._keep(kept, header)
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read().decode())
        finally:
            connection.close()

    def _keep(self, kept: dict[str, str], header: str) -> None:
        name, _, value = header.partition(";")[0].partition("=")
        if "max-age=0" in header.lower() or "expires=thu, 01 jan 1970" in header.lower():
            kept.pop(name, None)
        else:
            kept[name] = value

    def get(self, target: str) -> Answer:
        return self.ask("GET", target)

    def post(self, target: str, **form: str) -> Answer:
        return self.ask("POST", target, urlencode(form))

    def follow(self, target: str, most: int = 12) -> tuple[str, Answer]:
        """Where it leads in the end, and the answer there."""
        url = urljoin(self.home, target)
        for _ in range(most):
            answer = self.get(url)
            if answer.status not in (301, 302, 303, 307):
                return url, answer
            url = urljoin(url, answer.headers["location"])
        raise AssertionError(f"round and round, at last at {url}")

    def sign_in(self, name: str, password: str = PASSWORD, target: str = "/") -> Answer:
        return self.post("/login", name=name, password=password, next=target)

    @property
    def session(self) -> str | None:
        """The secret of its session."""
        kept = self.cookies.get(urlsplit(self.home).netloc, {})
        return kept.get("session") or kept.get("__Host-session")

    @session.setter
    def session(self, secret: str) -> None:
        self.cookies.setdefault(urlsplit(self.home).netloc, {})["session"] = secret


@contextmanager
def generous() -> Iterator[None]:
    """Portals made meanwhile let one address try as often as it likes."""
    before = edge.SIGN_INS, signing_in.TRIED, signing_in.FAILED
    edge.SIGN_INS, signing_in.TRIED = (1e6, 1_000_000), Buckets(1e6, 1_000_000)
    signing_in.FAILED = Folding(each=(1 / 60, 10), together=(1 / 6, 200))
    try:
        yield
    finally:
        edge.SIGN_INS, signing_in.TRIED, signing_in.FAILED = before
