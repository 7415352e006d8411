"""What is private and stays out of the copy: contact details, credentials, tokens."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import islice, takewhile

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
    r"(?!\[secret)[^\s&\"'<>#]{6,}"
)
_QUERY_MARKS = ("token=", "key=", "sig=", "signature=", "password=", "secret=")
_ASSIGNED = re.compile(r"(?i)\b((?:authorization:\s*)?bearer\s+)[A-Za-z0-9._~+/=-]{16,2000}")
_REST = r"""[^<>"']*(?:"[^"]*"[^<>"']*|'[^']*'[^<>"']*)*>"""  # of a tag, after its name
_WITHIN = re.compile(  # tags that may stand within a word
    r"<!--.*?-->|</?(?:a|abbr|b|bdi|bdo|cite|code|data|del|dfn|em|font|i|ins|kbd|label|mark|q|s|samp"
    rf"|small|span|strong|sub|sup|time|tspan|tt|u|var|wbr)\b{_REST}",
    re.DOTALL,
)
_TAG = re.compile(rf"(<!--.*?-->|<[/!a-zA-Z]{_REST})", re.DOTALL)

Span = tuple[int, int, str]  # from, to, and what stands there instead


def scrub(text: str, known: frozenset[str] = frozenset()) -> str:
    """The text without contact details, credentials in addresses, and tokens of known shapes.

    The addresses `known` (in lower case) go wherever they stand. Others of domains reserved for
    examples stay (RFC 2606), and so do `git@host` and who a command like ssh logs in as.
    """
    return _replaced(text, _private(text, known))


def scrub_page(html: str, known: frozenset[str] = frozenset()) -> str:
    """HTML without them; also where tags stand within, as they do in code that is coloured."""
    shown = _TAG.sub("\n", _WITHIN.sub("", html))
    if _private(shown, known):
        html = _scrub_shown(html, known)
    return scrub(html, known)  # what tags hold: addresses of links, titles


def beginning(text: str, most: int) -> str:
    """The first letters of a text, without a word or a key of which they hold a part alone."""
    if len(text) < most:
        return text
    text, *rest = text[:most].rsplit(maxsplit=1) or [""]
    if not rest:  # one word
        return ""
    key = text.rfind("-----BEGIN")
    return text if key <= text.rfind("-----END") else text[:key]


def _private(text: str, known: frozenset[str]) -> list[Span]:
    """Where in a text something private stands, in order."""
    found: list[Span] = []
    if "://" in text:
        found += [(one.end(1), one.end(), "") for one in _URL_USER.finditer(text)]
    if "@" in text:
        found += _addresses(text, known, {end - 1 for _, end, _ in found})
    if "-----BEGIN" in text:
        found += [(*one.span(), SECRET) for one in _KEYS.finditer(text)]
    if "earer " in text or "EARER " in text:
        found += [(one.end(1), one.end(), SECRET) for one in _ASSIGNED.finditer(text)]
    if any(mark in text for mark in _TOKEN_MARKS):
        found += [(*one.span(), SECRET) for one in _TOKENS.finditer(text)]
    lower = text.lower() if "=" in text else ""
    if any(mark in lower for mark in _QUERY_MARKS):
        found += [(one.end(1), one.end(), SECRET) for one in _QUERY.finditer(text)]
    return _apart(found)


def _apart(found: list[Span]) -> list[Span]:
    """Those that overlap as one."""
    apart: list[Span] = []
    for start, end, instead in sorted(found, key=lambda one: (one[0], -one[1])):
        if apart and start < apart[-1][1]:
            first, last, its = apart[-1]
            apart[-1] = (first, max(last, end), its)
        else:
            apart.append((start, end, instead))
    return apart


def _replaced(text: str, found: Sequence[Span]) -> str:
    if not found:
        return text
    parts: list[str] = []
    done = 0
    for start, end, instead in found:
        parts += (text[done:start], instead)
        done = end
    return "".join((*parts, text[done:]))


def _scrub_shown(html: str, known: frozenset[str]) -> str:
    """What is private goes from the text that is shown, and all tags stay where they are."""
    parts = _TAG.split(html)  # text, tag, text, ..., text
    shown = list(parts)
    shown[1::2] = ["" if _WITHIN.fullmatch(tag) else "\n" for tag in parts[1::2]]
    found = _private("".join(shown), known)
    at = passed = 0
    for number, text in enumerate(shown):
        end = at + len(text)
        while passed < len(found) and found[passed][1] <= at:
            passed += 1
        if text and not number % 2:
            here = list(takewhile(lambda one, end=end: one[0] < end, islice(found, passed, None)))
            parts[number] = _replaced(text, [_part_of(one, at, end) for one in here])
        at = end
    return "".join(parts)


def _part_of(found: Span, at: int, end: int) -> Span:
    """The part of something that stands in one text; the first part has what stands instead."""
    start, last, instead = found
    return max(start, at) - at, min(last, end) - at, instead if start >= at else ""


def _addresses(text: str, known: frozenset[str], logins: Collection[int]) -> Iterator[Span]:
    """E-mail addresses are found by their "@", of which most texts have none or few."""
    done = 0
    at = text.find("@")
    while at != -1:
        user = _USER.search(text, max(done, at - 64), at)
        host = _HOST.match(text, at + 1)
        if user and host and at not in logins and _is_private(text, user, host, known):
            yield user.start(), host.end(), ADDRESS
            done = host.end()
        at = text.find("@", at + 1)


def _is_private(text: str, user: re.Match[str], host: re.Match[str], known: frozenset[str]) -> bool:
    before = text[max(0, user.start() - 80) : user.start()]
    no_address = user[0] == "git" or before.endswith(("/", "@")) or not host[0][-2:].isalpha()
    if no_address or _RESERVED.search(host[0]) or _LOGS_IN.search(before):
        return _is_known(user[0].lower(), host[0].lower(), known)
    return True


def _is_known(user: str, host: str, known: frozenset[str]) -> bool:
    r"""Whether it is, or holds, the address of somebody: "\nmaya@example.org-" does."""
    ends = [len(host), *(found.start() for found in re.finditer(r"[.-]", host))]
    return bool(known) and any(
        f"{user[start:]}@{host[:end]}" in known for end in ends for start in range(len(user))
    )
