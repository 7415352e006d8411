"""What is private and stays out of the copy: contact details, credentials, tokens."""

from __future__ import annotations

import re
from collections.abc import Callable

ADDRESS = "[address left out]"
SECRET = "[secret left out]"  # noqa: S105  (what stands in for one)
_RESERVED = re.compile(r"(?i)(^|\.)(example|test|invalid|localhost|example\.(com|org|net))$")
_EMAIL = re.compile(r"(?<![\w.+%/@-])[\w.+%-]{1,64}@((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24})\b(?!@)")
_LIKE_EMAIL = re.compile(r"[\w.+%-]{1,64}@[\w.-]{1,253}")
_LOGS_IN = re.compile(r"\b(?:ssh|scp|sftp|rsync|mosh)\b[^\n]*$")  # a command, not a person
_URL_USER = re.compile(r"([a-z][a-z0-9+.-]{1,20}://)[^\s/@:\"'<>]{0,200}(?::[^\s/@\"'<>]{0,500})?@")
_TOKENS = re.compile(
    r"""\b(?:
      gh[pousr]_[A-Za-z0-9]{30,255} | github_pat_[A-Za-z0-9_]{50,255}    # GitHub
    | gl(?:pat|ptt|dt|rt|cbt|ft|soat)-[A-Za-z0-9_.-]{20,255}             # GitLab
    | (?:AKIA|ASIA)[A-Z0-9]{16}                                          # AWS
    | xox[abeoprs]-[A-Za-z0-9-]{10,255} | xapp-[A-Za-z0-9-]{10,255}      # Slack
    | sk_live_[A-Za-z0-9]{16,255} | rk_live_[A-Za-z0-9]{16,255}          # Stripe
    | AIza[A-Za-z0-9_-]{35}                                              # Google
    | npm_[A-Za-z0-9]{36} | pypi-[A-Za-z0-9_-]{50,500}                   # npm, PyPI
    | dop_v1_[a-f0-9]{64} | hf_[A-Za-z0-9]{30,100}                       # DigitalOcean, Hugging Face
    | ph_[A-Za-z0-9_-]{20,255}                                           # ours
    | eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,2000}  # JWT
    )""",
    re.VERBOSE,
)
_KEYS = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.{0,20000}?-----END [A-Z ]{0,40}PRIVATE KEY-----",
    re.DOTALL,
)
_QUERY = re.compile(
    r"(?i)([?&;](?:access_token|private_token|api_?key|token|sig|signature|password|secret)=)"
    r"[^\s&\"'<>#]{6,}"
)
_ASSIGNED = re.compile(r"(?i)\b((?:authorization:\s*)?bearer\s+)[A-Za-z0-9._~+/=-]{16,2000}")


def scrub(text: str) -> str:
    """The text without contact details, credentials in addresses, and tokens of known shapes.

    Addresses of domains reserved for examples stay (RFC 2606), and so do `git@host` and `ssh` ones.
    """
    if "@" in text:
        text = _EMAIL.sub(_unless_reserved, text)
    if "://" in text:
        text = _URL_USER.sub(r"\1", text)
        text = _QUERY.sub(rf"\1{SECRET}", text)
    if "-----BEGIN" in text:
        text = _KEYS.sub(SECRET, text)
    text = _ASSIGNED.sub(rf"\1{SECRET}", text)
    return _TOKENS.sub(SECRET, text)


def scrubber(known: frozenset[str]) -> Callable[[str], str]:
    """`scrub`, with the addresses of these people (in lower case) left out wherever they stand."""

    def someone(found: re.Match[str]) -> str:
        return ADDRESS if found[0].rstrip(".").lower() in known else found[0]

    def all_of(text: str) -> str:
        return scrub(_LIKE_EMAIL.sub(someone, text) if "@" in text else text)

    return all_of if known else scrub


def _unless_reserved(found: re.Match[str]) -> str:
    user, host = found[0].partition("@")[0], found[1]
    if user == "git" or _RESERVED.search(host):
        return found[0]
    before = found.string[max(0, found.start() - 80) : found.start()]
    return found[0] if _LOGS_IN.search(before) else ADDRESS
