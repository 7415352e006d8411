"""What Twilio says on the telephone (TwiML)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from pilothouse.oncall.model.methods import Message

LONGEST = 600  # characters that are read out; all of it may have 4,000
LONGEST_TEXT = 480  # of a text message: three parts
KEY = "1"


def call(message: Message, action: str) -> str:
    """A call that reads a message out, twice, and asks for a key."""
    said = _say(f"Pilothouse. {message.title}. {message.body}"[:LONGEST])
    if not action:
        return _response(said + said)
    ask = _say(f"Press {KEY} to acknowledge.")
    gather = f'<Gather numDigits="1" timeout="8" method="POST" action={quoteattr(action)}>'
    return _response(f"{gather}{said}{ask}{said}{ask}</Gather>{_say('Nobody pressed a key.')}")


def told(words: str) -> str:
    """The end of a call."""
    return _response(_say(words) + "<Hangup/>")


def _say(words: str) -> str:
    return f"<Say>{escape(' '.join(words.split()))}</Say>"


def _response(inner: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>'


def text(message: Message) -> str:
    """A text message: what, and the link."""
    link = message.acknowledge_url or message.url
    room = LONGEST_TEXT - len(link) - 1
    return f"{' '.join(message.title.split())[: max(room, 80)]}\n{link}".strip()
