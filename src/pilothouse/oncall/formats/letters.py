"""A message as mail (RFC 5322): threads by page, the dedup key as its Message-ID."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilothouse.oncall.model.methods import Message

LONGEST_SUBJECT = 200


def write(message: Message, to: str, sender: str) -> EmailMessage:
    """A mail to one address. Raises ValueError for a sender that is none."""
    name, address = parseaddr(sender)
    domain = address.rpartition("@")[2] or "localhost"
    letter = EmailMessage(policy=SMTP)
    letter["From"] = Address(name, addr_spec=address)
    letter["To"] = Address(addr_spec=to)
    letter["Subject"] = " ".join(message.title.split())[:LONGEST_SUBJECT]
    letter["Date"] = format_datetime(message.at)
    letter["Message-ID"] = f"<{message.dedup_key}@{domain}>"
    if message.number:
        thread = f"<page-{message.number}@{domain}>"  # mails of one page stand together
        letter["In-Reply-To"] = thread
        letter["References"] = thread
    letter["Auto-Submitted"] = "auto-generated"
    if message.urgency == "high":
        letter["Importance"] = "high"
    letter["X-Pilothouse-Key"] = message.dedup_key
    letter.set_content(text(message))
    return letter


def text(message: Message) -> str:
    """What stands in it."""
    lines = [message.body]
    if message.acknowledge_url:
        lines += ["", "You have it? Acknowledge:", message.acknowledge_url]
    if message.url:
        lines += ["", message.url]
    return "\n".join(lines) + "\n"
