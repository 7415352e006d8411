"""What is private and stays out of the copy: contact details, credentials, tokens."""

from __future__ import annotations

import re
from collections.abc import Callable

ADDRESS = "[address left out]"
SECRET = "[secret left out]"  # noqa: S105  (what stands in for one)
_RESERVED = re.compile(r"(?i)(^|\.)(example|test|invalid|localhost|example\.(com|org|net))$")
_USER = re.compile(r"[\w.+%-]{1,64}$")
_HOST = re.compile(r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
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
    | dop_v1_[a-f0-9]{64} | hf_[A-Za-z0-9]{30,100}                       # DigitalOcean …
    | ph_[A-Za-z0-9_-]{20,255}                                           # ours
    | eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,2000}  # JWT
    )""",
    re.VERBOSE,
)
# A text without any of these has no token, which is seen sooner than the pattern is tried.
_TOKEN_MARKS = (
    "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "glptt-", "gldt-", "glrt-",
    "glcbt-", "glft-", "glsoat-", "AKIA", "ASIA", "xox", "xapp-", "sk_live_", "rk_live_", "AIza",
    "npm_", "pypi-", "dop_v1_", "hf_", "ph_", "eyJ",
)  # fmt: skip
_KEYS = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.{0,20000}?-----END [A-Z ]{0,40}PRIVATE KEY-----",
    re.DOTALL,
)
_QUERY = re.compile(
    r"(?i)([?&;](?:access_token|private_token|api_?key|token|sig|signature|password|secret)=)"
    r"[^\s&\"'<>#]{6,}"
)
_ASSIGNED = re.compile(r"(?i)\b((?:authorization:\s*)?bearer\s+)[A-Za-z0-9._~+/=-]{16,2000}")


def scrub(text: str, known: frozenset[str] = frozenset()) -> str:
    """The text without contact details, credentials in addresses, and tokens of known shapes.

    The addresses `known` (in lower case) go wherever they stand. Others of domains reserved for
    examples stay (RFC 2606), and so do `git@host` and who a command like ssh logs in as.
    """
    if "://" in text:
        text = _URL_USER.sub(r"\1", text)
        text = _QUERY.sub(rf"\1{SECRET}", text)
    if "@" in text:
        text = _without_addresses(text, known)
    if "-----BEGIN" in text:
        text = _KEYS.sub(SECRET, text)
    if "earer " in text or "EARER " in text:
        text = _ASSIGNED.sub(rf"\1{SECRET}", text)
    if any(mark in text for mark in _TOKEN_MARKS):
        text = _TOKENS.sub(SECRET, text)
    return text


def scrubber(known: frozenset[str]) -> Callable[[str], str]:
    """`scrub` that knows these people's addresses."""
    return lambda text: scrub(text, known)


def _without_addresses(text: str, known: frozenset[str]) -> str:
    """E-mail addresses are found by their "@", of which most texts have none or few."""
    parts: list[str] = []
    done = 0
    at = text.find("@")
    while at != -1:
        user = _USER.search(text, max(done, at - 64), at)
        host = _HOST.match(text, at + 1)
        if user and host and _is_private(text, user, host, known):
            parts += (text[done : user.start()], ADDRESS)
            done = host.end()
        at = text.find("@", at + 1)
    return "".join((*parts, text[done:]))


def _is_private(text: str, user: re.Match[str], host: re.Match[str], known: frozenset[str]) -> bool:
    if f"{user[0]}@{host[0]}".lower() in known:
        return True
    before = text[max(0, user.start() - 80) : user.start()]
    if user[0] == "git" or before.endswith(("/", "@")) or not host[0][-2:].isalpha():
        return False
    return not (_RESERVED.search(host[0]) or _LOGS_IN.search(before))
