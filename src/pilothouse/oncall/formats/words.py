"""What others' messages hold, as bounded texts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from pilothouse.kernel.markup import safe_url

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_HREF = 2000
LONGEST_DETAIL = 8000


def text_of(said: object, most: int) -> str:
    """A text without what cannot be stored; "" for what is none."""
    if isinstance(said, bool | int | float):
        said = str(said)
    return said.replace("\0", "").strip()[:most] if isinstance(said, str) else ""


def object_of(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = said.get(name)
    return found if isinstance(found, dict) else {}


def texts_of(said: object, most: int = 64) -> dict[str, str]:
    """Names and texts, as labels and annotations are."""
    pairs = list(said.items())[:most] if isinstance(said, dict) else []
    return {text_of(name, 200): text_of(value, 2000) for name, value in pairs}


def address_of(said: object) -> str:
    """An address of the web; "" for others."""
    found = text_of(said, LONGEST_HREF)
    return (safe_url(found) or "") if found.startswith(("https://", "http://")) else ""


def instant_of(said: object) -> datetime | None:
    """An instant; None for what is none. A time without a zone is UTC."""
    text = text_of(said, 40)
    if text.endswith("+00:00Z"):  # as PagerDuty's own client writes it
        text = text[:-1]
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def told_more(said: object, client: str) -> str:
    """What a message tells beside its summary, as lines."""
    lines = [f"From {client}"] if client else []
    if isinstance(said, dict):
        lines += [f"{text_of(str(name), 200)}: {_short(value)}" for name, value in said.items()]
    elif said:
        lines.append(_short(said))
    return "\n".join(lines)[:LONGEST_DETAIL]


def _short(value: object) -> str:
    if isinstance(value, str):
        return text_of(value, LONGEST_DETAIL)
    return msgspec.json.encode(value).decode()[:LONGEST_DETAIL]
