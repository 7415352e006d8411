"""What people give for an incident, bounded and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.catalog.service import views
from pilothouse.incidents.model.incidents import SEVERITIES, STATUS_WORDS, Status
from pilothouse.kernel.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.kernel.tx import Tx

LONGEST_TITLE, LONGEST_TEXT = 300, 20_000
MOST_ENTITIES = 100


def title_of(text: str) -> str:
    """A title on one line. Raises Invalid."""
    title = " ".join(text.replace("\0", "").split())
    if not title:
        raise Invalid("say in a sentence what is broken: thing, state, place")
    if len(title) > LONGEST_TITLE:
        raise Invalid(f"a title has at most {LONGEST_TITLE} characters; the rest goes in a note")
    return title


def text_of(text: str, what: str, most: int = LONGEST_TEXT) -> str:
    """A text that is there and not too long. Raises Invalid."""
    text = text.replace("\0", "").replace("\r\n", "\n").strip()
    if not text:
        raise Invalid(f"{what} says nothing yet")
    if len(text) > most:
        raise Invalid(f"{what} has {len(text):,} characters; at most {most:,} are kept")
    return text


def severity_of(level: int) -> int:
    """A severity. Raises Invalid."""
    if level not in SEVERITIES:
        raise Invalid(f"severity {level} is none of 1 to {len(SEVERITIES)}, 1 the worst")
    return level


def status_of(text: str) -> Status:
    """A status by its name. Raises Invalid."""
    try:
        return Status(text.strip().lower())
    except ValueError:
        known = ", ".join(one.value for one in STATUS_WORDS)
        raise Invalid(f"{text[:40]!r} is no status; it is one of {known}") from None


def known(tx: Tx, refs: Sequence[str]) -> list[str]:
    """Entities that the catalog has. Raises Invalid for one that it has not."""
    asked = [one for one in dict.fromkeys(refs) if one]
    if len(asked) > MOST_ENTITIES:
        raise Invalid(f"an incident is about at most {MOST_ENTITIES} entities")
    for ref, one in views.name_all(tx, asked).items():
        if not one.exists:
            raise Invalid(f"{ref} is not in the catalog")
    return asked


def person_of(tx: Tx, ref: str) -> str:
    """Somebody of the catalog. Raises Invalid."""
    if not ref.startswith("user:"):
        raise Invalid("name a person of the catalog: user:default/maya")
    return known(tx, [ref])[0]
