"""Writing catalog files: YAML that we and Backstage read alike, with a reason beside each field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pilothouse.catalog.model import Path, Proposal

HEADER = (
    "# What this repository is, for Pilothouse and for whatever reads Backstage's catalog files.",
    "# Written by `pilothouse init`; each comment says where a value comes from. Edit freely.",
)

# Plain in YAML 1.1 and 1.2 alike: starts with a letter, or with a path's beginning.
_PLAIN = re.compile(
    r"(?:\$?[A-Za-z]|\.{0,2}/[A-Za-z0-9])(?:[A-Za-z0-9_./@+$()-]|:(?=[^\s])|,(?= )|'| (?=[^\s#-]))*"
)
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))
_UNSAFE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")
_INDENT = "  "


def to_yaml(proposal: Proposal) -> str:
    """One file with all the documents, in their order."""
    texts = ["\n".join(_mapping(one.body, (), one.reasons)) for one in proposal.documents]
    return "\n".join([*HEADER, *(f"---\n{text}" for text in texts)]) + "\n"


def _mapping(value: Mapping[str, Any], at: Path, reasons: Mapping[Path, str]) -> list[str]:
    lines: list[str] = []
    for key, item in value.items():
        way = (*at, key)
        head, comment = f"{scalar(key)}:", _comment(reasons.get(way))
        if isinstance(item, Mapping) and item:
            lines.append(head + comment)
            lines += _indented(_mapping(item, way, reasons))
        elif isinstance(item, (list, tuple)) and item:
            lines.append(head + comment)
            lines += _indented(_list(item, way, reasons))
        else:
            lines.append(f"{head} {scalar(item)}{comment}")
    return lines


def _list(value: Iterable[Any], at: Path, reasons: Mapping[Path, str]) -> list[str]:
    lines: list[str] = []
    for place, item in enumerate(value):
        way = (*at, place)
        if isinstance(item, Mapping) and item:
            first, *rest = _mapping(item, way, reasons)
            lines += [f"- {first}", *_indented(rest)]
        elif isinstance(item, (list, tuple)) and item:
            lines += ["-" + _comment(reasons.get(way)), *_indented(_list(item, way, reasons))]
        else:
            lines.append(f"- {scalar(item)}{_comment(reasons.get(way))}")
    return lines


def scalar(value: Any) -> str:
    """A value on one line, quoted where any reader could take it for something else."""
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
        return value if plain and not value.endswith(":") else _quoted(value)
    if isinstance(value, (Mapping, list, tuple)):
        return "{}" if isinstance(value, Mapping) else "[]"
    return json.dumps(value)


def _quoted(text: str) -> str:
    return _UNSAFE.sub(
        lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False)
    )


def _comment(reason: str | None) -> str:
    if not reason:
        return ""
    clean = "".join(letter if letter.isprintable() else "?" for letter in " ".join(reason.split()))
    return f"  # {clean}"


def _indented(lines: Iterable[str]) -> list[str]:
    return [_INDENT + line for line in lines]
