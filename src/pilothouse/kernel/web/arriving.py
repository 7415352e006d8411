"""A request as it arrives: from where, for which site, who asks."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from pilothouse.kernel.actors import ANYBODY, LOCAL_ADMIN, NOBODY
from pilothouse.kernel.auth.model import LOCAL as LOCAL_PROVIDER
from pilothouse.kernel.auth.model import TOKEN_MARK, Asked
from pilothouse.kernel.auth.service import asking
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.settings import Settings
from pilothouse.kernel.tx import Database

log = structlog.get_logger("pilothouse.web")

Headers = Mapping[bytes, bytes]
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
ASKED = "pilothouse.asked"  # key of the scope: who asks, and how that is known
RECOGNIZE = "pilothouse.recognize"  # key of the scope: finds out anew who asks
ADDRESS = "pilothouse.address"  # key of the scope: where the request is from
LOCAL = Asked(LOCAL_ADMIN)
SESSION_COOKIE = "session"
LONGEST_SECRET = 200


def cookie_name(name: str, *, secure: bool) -> str:
    """`__Host-` cookies are taken by browsers only from us, through TLS, for every path."""
    return f"__Host-{name}" if secure else name


class Networks:
    """Addresses and networks of the settings, to look addresses up in."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        try:
            self._networks = [ipaddress.ip_network(text, strict=False) for text in texts]
        except ValueError as error:
            raise Invalid(f"the setting trusted_proxies cannot be used: {error}") from error

    def __contains__(self, text: str) -> bool:
        if not self._networks:
            return False
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        return any(address in network for network in self._networks)

    def origin(self, peer: str, forwarded: str) -> str:
        """Where a request is from: the last address that none of our proxies wrote for itself."""
        found = peer
        for text in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
            if found not in self:
                return found
            try:
                found = str(ipaddress.ip_address(text))
            except ValueError:
                return found
        return found


class Sites:
    """The names this portal is reached under; all others are foreign."""

    def __init__(self, settings: Settings, loopback: frozenset[str]) -> None:
        public = urlsplit(settings.home)
        self.hosts = loopback | {public.hostname or ""}
        self.origin = f"{public.scheme}://{public.netloc}".lower() if settings.public_url else ""

    def foreign(self, method: str, headers: Headers) -> str | None:
        """What is foreign about a request: other sites must not reach us.

        A foreign Host is DNS rebinding, a foreign Origin or Sec-Fetch-Site a forged request.
        """
        host = headers.get(b"host", b"").decode("latin-1")
        if _hostname("//" + host) not in self.hosts:
            return f"Host {_hostname('//' + host)!r}"
        if method in SAFE:
            return None
        origin = headers.get(b"origin")
        if origin is not None and not self._ours(origin.decode("latin-1").lower(), host.lower()):
            return f"Origin {_hostname(origin.decode('latin-1'))!r}"
        site = headers.get(b"sec-fetch-site", b"none")
        if origin is None and site not in (b"same-origin", b"none"):
            return "a request that another site began"
        return None

    def _ours(self, origin: str, host: str) -> bool:
        """Whether an Origin is the portal's public one, or the very host that is asked."""
        return origin == self.origin or origin in (f"http://{host}", f"https://{host}")


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


class Recognition:
    """Who asks. On this machine only, without sign-in: the local admin, at no cost."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self.db = db
        self.signs_in = settings.signs_in
        self.idle = timedelta(seconds=settings.session_idle)
        local = (LOCAL_PROVIDER,) if settings.local_users else ()
        self.providers = frozenset((*local, *(one.name for one in settings.sign_in)))
        self.cookie = cookie_name(SESSION_COOKIE, secure=settings.secure)
        self.others = Asked(ANYBODY if settings.anonymous == "viewer" else NOBODY)

    async def __call__(self, method: str, headers: Headers) -> Asked:
        """By the API token of a request, else by its session."""
        if (bearer := bearer_of(headers)) is not None and (
            self.signs_in or bearer.startswith(TOKEN_MARK)
        ):
            return await asyncio.to_thread(self.by_token, bearer)
        if not self.signs_in:
            return LOCAL
        secret = cookie_of(headers, self.cookie)
        if not secret:
            return self.others
        if method not in SAFE and b"origin" not in headers and b"sec-fetch-site" not in headers:
            # Every browser that keeps cookies says one of the two; programs have tokens.
            return Asked(NOBODY, refused="a browser that says from which page this was sent")
        return await asyncio.to_thread(self.by_session, secret)

    def by_session(self, secret: str) -> Asked:
        """Who has this session; whoever may come without one when it has ended."""
        found: Asked | None = None
        with self.db.glance() as tx:
            found = asking.by_session(tx, secret, self.idle, self.providers)
            stale = found is not None and asking.stale(tx, found)
        if found is None:
            return self.others
        if stale:
            self._touch(found)
        return found

    def by_token(self, secret: str) -> Asked:
        """Who has this API token."""
        with self.db.glance() as tx:
            found = asking.by_token(tx, secret, self.providers)
            stale = isinstance(found, Asked) and asking.stale(tx, found)
        if isinstance(found, str):
            return Asked(NOBODY, refused=found)
        if stale:
            self._touch(found)
        return found

    def _touch(self, asked: Asked) -> None:
        """Write "last used", at most once a minute; no request fails for it."""
        try:
            with self.db.begin() as tx:
                asking.touch(tx, asked)
        except (DBAPIError, NoConnection) as error:
            log.warning("auth.not_touched", error=type(error).__name__)


def bearer_of(headers: Headers) -> str | None:
    """The token of `Authorization: Bearer`, or an API token that is the password of `Basic`.

    Some programs can send no other (Alertmanager, Prometheus).
    """
    scheme, _, said = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() == "basic":
        return _password_of(said)
    return said.strip()[:LONGEST_SECRET] if scheme.lower() == "bearer" else None


def _password_of(said: str) -> str | None:
    """The password of RFC 7617's credentials, where it is an API token."""
    try:
        password = base64.b64decode(said.strip(), validate=True).decode("latin-1").partition(":")[2]
    except ValueError:
        return None
    return password[:LONGEST_SECRET] if password.startswith(TOKEN_MARK) else None


def cookie_of(headers: Headers, name: str) -> str:
    """One cookie of a request, "" without it."""
    return _cookies(headers.get(b"cookie", b"")).get(name, "")[:LONGEST_SECRET]


@lru_cache(maxsize=256)
def _cookies(header: bytes) -> dict[str, str]:
    pairs = (part.partition("=") for part in header.decode("latin-1").split(";"))
    found: dict[str, str] = {}
    for name, _, value in pairs:
        found.setdefault(name.strip(), value.strip().strip('"'))
    return found


async def still(scope: Mapping[str, Any]) -> bool:
    """Whether who asked is still let in, by what they showed when they asked."""
    recognize: Recognition | None = scope.get(RECOGNIZE)
    if recognize is None or scope["user"].id in (LOCAL_ADMIN.id, ANYBODY.id):
        return True
    try:
        found = await recognize("GET", dict(scope["headers"]))
    except (DBAPIError, NoConnection):
        return True  # not known just now; it is asked again
    return found.actor.id == scope["user"].id


def address_of(scope: Mapping[str, Any]) -> str:
    """Where a request is from."""
    return str(scope.get(ADDRESS) or "")


def asked_of(scope: Mapping[str, Any]) -> Asked:
    """Who asks, and how that is known."""
    return scope.get(ASKED) or LOCAL
