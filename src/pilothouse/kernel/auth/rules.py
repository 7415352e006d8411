"""Decisions of sign-in: what holds, what is whose, where one may be sent."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pilothouse.kernel.actors import Identity, Role
from pilothouse.kernel.auth.model import (
    LOCAL,
    NARROW_SCOPES,
    ROLE_SCOPES,
    TOKEN_MARK,
    Person,
    Provider,
)
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.refs import EntityRef

TOUCH = timedelta(minutes=1)  # how old "last used" may be
ATTEMPT = timedelta(minutes=10)  # to come back from a provider
UNCONFIRMED = timedelta(days=30)  # tokens of those whom no provider can be asked about rest then
LONGEST_TOKEN = 366  # days
LEAST_PASSWORD, MOST_PASSWORD = 12, 1024  # characters
MOST_GROUPS = 500  # of one person that are heeded
LONGEST_NEXT = 2000
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._@+-]{0,62}[A-Za-z0-9])?")
_LOCATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@:-]{0,149}")
_IN_A_URL = re.compile(rf"{TOKEN_MARK}[A-Za-z0-9_-]{{16,}}")


def same_site(target: str | None) -> str:
    """The path of ours that may follow sign-in; "/" for whatever could lead elsewhere."""
    if not target or len(target) > LONGEST_NEXT or not target.startswith("/"):
        return "/"
    # Browsers read "//x" and "/\x" as another host, and drop tabs and line ends before they do.
    if target.startswith(("//", "/\\")) or any(ord(c) <= ord(" ") or c == "\x7f" for c in target):
        return "/"
    try:
        parts = urlsplit(target)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or parts.path.startswith(("/login", "/logout")):
        return "/"
    return target


def has_token(text: str) -> bool:
    """Whether an API token stands in a text that others may come to see."""
    return TOKEN_MARK in text and _IN_A_URL.search(text) is not None


def without_token(text: str) -> str:
    """The same without what could be an API token."""
    return _IN_A_URL.sub(f"{TOKEN_MARK}…", text) if TOKEN_MARK in text else text


BROWSERS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}  # noqa: E501  # fmt: skip
SYSTEMS = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS X": "macOS", "Linux": "Linux"}  # noqa: E501  # fmt: skip


def agent_words(agent: str) -> str:
    """What people call the browser that says so of itself: "Firefox on Linux"."""
    browser = next((name for mark, name in BROWSERS.items() if mark in agent), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or agent[:60] or "a program"


def session_ends(now: datetime, seen_at: datetime, expires_at: datetime, idle: timedelta) -> bool:
    """Whether a session has ended, by not being used or by its age."""
    return now >= expires_at or now - seen_at >= idle


def token_rests(now: datetime, person: Person) -> bool:
    """Whether a person's tokens wait for them to sign in again.

    Of people of a provider that said nothing of them for long, it is not known whether they are
    still there.
    """
    if person.provider == LOCAL:
        return False
    return person.checked_at is None or now - person.checked_at >= UNCONFIRMED


def role_of(scopes: Iterable[str], most: Role) -> Role:
    """The role that a token's scopes give, never more than its person's."""
    given = max((ROLE_SCOPES.get(scope, Role.NOBODY) for scope in scopes), default=Role.NOBODY)
    return min(given, most)


def narrow_of(scopes: Iterable[str], most: Role) -> frozenset[str]:
    """The narrow scopes of a token that its person may (still) give away."""
    return frozenset(s for s in scopes if s in NARROW_SCOPES and NARROW_SCOPES[s] <= most)


def check_location(location: str, scopes: Sequence[str]) -> None:
    """Raises Invalid for a location that is no name, or given to what is no agent's alone."""
    if location and tuple(scopes) != ("agent",):
        raise Invalid("a token of a location has the scope agent, and no other")
    if location and not _LOCATION.fullmatch(location):
        raise Invalid(f"{location[:60]!r} is no location: letters, digits and - _ . @ :, up to 150")


def check_scopes(scopes: Sequence[str], most: Role) -> None:
    """Raises Invalid for scopes that there are not, or that are more than its person may do."""
    known = {**ROLE_SCOPES, **NARROW_SCOPES}
    if not scopes:
        raise Invalid(f"a token needs a scope. There are: {', '.join(known)}.")
    for scope in scopes:
        if scope not in known:
            raise Invalid(f"there is no scope {scope!r}. There are: {', '.join(known)}.")
        # A viewer edits what their team owns, and so does their token.
        if known[scope] > (max(most, Role.EDITOR) if scope == "write" else most):
            raise Invalid(
                f"a token with the scope {scope!r} needs someone who is "
                f"{known[scope].name.lower()}; this is {most.name.lower()}"
            )


def check_name(name: str) -> str:
    """The name of a local user. Raises Invalid for one that could be mistaken or not be typed."""
    if not _NAME.fullmatch(name):
        raise Invalid(
            f"{name!r} cannot be a user's name: 1 to 64 letters, digits and . _ @ + -, beginning "
            "and ending with a letter or a digit"
        )
    return name.lower()


def check_password(password: str, name: str) -> None:
    """Raises Invalid for a password that is too short, too long, or the name itself.

    Length counts, not kinds of characters (NIST SP 800-63B, section 5.1.1.2).
    """
    if len(password) < LEAST_PASSWORD:
        raise Invalid(f"a password has at least {LEAST_PASSWORD} characters")
    if len(password) > MOST_PASSWORD:
        raise Invalid(f"a password has at most {MOST_PASSWORD} characters")
    if name.lower() in password.lower() and len(password) < len(name) + LEAST_PASSWORD:
        raise Invalid("a password is not the name with something added")
    if len(set(password)) < LEAST_PASSWORD // 3:
        raise Invalid("a password is not the same few characters over and over")


def claim(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its name, or by dots into objects: "realm_access.roles"; None without it."""
    if path in claims:  # some providers' claims are URLs, with dots in them
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def identity_of(provider: Provider, claims: Mapping[str, Any]) -> Identity:
    """Who a provider's claims speak of.

    Raises Invalid when they do not name anybody.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:  # noqa: PLR2004  OIDC Core 2
        raise Invalid(f"{provider.label} did not say who signed in: there is no claim sub")
    verified = provider.trust_email or claims.get("email_verified") in (True, "true")
    email = claims.get("email") if verified else ""
    email = email.strip().lower() if isinstance(email, str) else ""
    name = claim(claims, provider.user_claim)
    if provider.user_claim == "email":
        name = email
    if not isinstance(name, str) or not name.strip():
        name = email.partition("@")[0] or subject
    title = claims.get("name")
    return Identity(
        provider=provider.name,
        subject=subject,
        name=_line(name, 200),
        title=_line(title, 200) if isinstance(title, str) else "",
        email=_line(email, 254),
        groups=_groups(claim(claims, provider.groups_claim)),
    )


def _line(text: str, most: int) -> str:
    """One line of text that others wrote, without what is not printed."""
    return "".join(c for c in text.strip() if c.isprintable())[:most]


def _groups(value: Any) -> tuple[str, ...]:
    """Groups as providers send them: a list of names, or one name; a path's slash is left out."""
    items = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    names = [_line(item, 200).removeprefix("/") for item in items if isinstance(item, str)]
    return tuple(dict.fromkeys(filter(None, names)))[:MOST_GROUPS]


def may_sign_in(provider: Provider, identity: Identity) -> bool:
    """Whether a provider's settings let this person in."""
    return not provider.allowed_groups or not set(provider.allowed_groups).isdisjoint(
        identity.groups
    )


def role_by_groups(provider: Provider, groups: Collection[str], default: str) -> Role:
    """The highest role that groups give at this provider, at least the default one."""
    names = [provider.roles[group] for group in groups if group in provider.roles]
    return max(Role[name.upper()] for name in [*names, default])


def teams_by_groups(provider: Provider, groups: Iterable[str]) -> list[str]:
    """Groups of the catalog that a provider's groups are: by the settings, else of that name."""
    found: list[str] = []
    for group in groups:
        try:
            ref = EntityRef.parse(provider.groups.get(group, group), "group")
        except Invalid:
            continue
        if ref.kind == "group":
            found.append(str(ref))
    return list(dict.fromkeys(found))
