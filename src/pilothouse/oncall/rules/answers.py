"""What a provider's answer over HTTP means for a notification."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pilothouse.kernel.alerts.rules import retry_after, without_secrets
from pilothouse.oncall.model.methods import Answer

FINE = range(200, 300)
REDIRECT = range(300, 400)
LATER = frozenset({408, 423, 425, 429})  # of 4xx, those that another try can change
OURS = range(400, 500)
LONGEST_WORDS = 300


def read(
    status: int, headers: Mapping[str, str], now: datetime, *, words: str = "", name: str = ""
) -> Answer:
    """An answer by its HTTP status; `words` are the provider's own, `name` what it calls it."""
    said = " ".join(words.split())[:LONGEST_WORDS]
    if status in FINE:
        return Answer(fine=True, status=status, words=said or "taken", id=name[:200])
    if status in REDIRECT:
        return Answer(fine=False, status=status, words="redirects are not followed", hopeless=True)
    wait = retry_after(headers.get("retry-after", ""), now).total_seconds()
    hopeless = status in OURS and status not in LATER
    return Answer(
        fine=False,
        status=status,
        words=said or ("refused" if hopeless else "not taken"),
        retry_after=wait,
        hopeless=hopeless,
    )


def hopeless(words: str, status: int = 0) -> Answer:
    """Refused before or by a provider so that no other try would change it."""
    return Answer(fine=False, status=status, words=words[:LONGEST_WORDS], hopeless=True)


def failed(words: str, status: int = 0) -> Answer:
    """Nobody answered, or not so that it can be used: worth another try."""
    return Answer(fine=False, status=status, words=words[:LONGEST_WORDS])


def plain(words: str, *secrets: str) -> str:
    """Words of a provider without any piece of the addresses that they may repeat."""
    for secret in secrets:
        words = without_secrets(words, f"x://{secret}")
        if secret:
            words = words.replace(secret, "…")
    return words[:LONGEST_WORDS]
