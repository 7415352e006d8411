"""Environments: which is production, in what order they stand, how they differ."""

from __future__ import annotations

import re

from pilothouse.deploys.model import RELEASE, Running

LONGEST = 100
_PRODUCTION = frozenset({"prod", "production", "prd", "live"})
_ORDER = (
    (3, frozenset({"preprod", "preproduction", "staging", "stage", "stg", "uat", "acceptance"})),
    (4, frozenset({"qa", "test", "testing", "integration", "int"})),
    (5, frozenset({"dev", "development", "sandbox"})),
)
_WORD = re.compile(r"[^a-z0-9]+")


def normal(name: str) -> str:
    """The name that an environment is kept under: in lower case, without spaces around it."""
    return " ".join(name.lower().split())[:LONGEST]


def is_production(name: str) -> bool:
    """Whether a name says production: "production", "prod-eu", "eu/live"; "pre-prod" does not."""
    words = _WORD.split(name.lower())
    if "pre" in words or "non" in words:
        return False
    return bool(_PRODUCTION & set(words))


def regions_of(name: str) -> tuple[str, ...]:
    """The region that a production environment's name says: "prod-eu" says eu; most say none."""
    words = [word for word in _WORD.split(name.lower()) if word and word not in _PRODUCTION]
    return ("-".join(words),) if words and is_production(name) else ()


def rank(name: str, *, production: bool) -> tuple[int, str]:
    """The order of environments: production first, previews last, releases at the end."""
    if name == RELEASE:
        return 9, name
    words = set(_WORD.split(name))
    if production:
        return (0 if name in _PRODUCTION else 1), name
    return next((place for place, known in _ORDER if words & known), 6), name


def differs(one: Running, other: Running) -> bool:
    """Whether two environments run different things."""
    if one.live is None or other.live is None:
        return False
    if one.commit and other.commit:
        return one.commit != other.commit
    return one.version != other.version


def drift(places: list[Running]) -> dict[str, str]:
    """For each environment that runs something else than production: "newer" or "older".

    Compared with the production environment that was brought up to date last; previews that are
    gone, and environments that run nothing, drift from nothing.
    """
    mains = [one for one in places if one.production and one.live is not None]
    if not mains:
        return {}
    main = max(mains, key=lambda one: (one.since is not None, one.since))
    found: dict[str, str] = {}
    for one in places:
        if one is main or not differs(one, main) or one.since is None or main.since is None:
            continue
        found[one.environment] = "newer" if one.since > main.since else "older"
    return found
