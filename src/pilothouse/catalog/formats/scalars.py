"""Plain scalars of the YAML 1.2 core schema (YAML 1.2.2, section 10.3.2), as npm `yaml` reads them.

`yes`, `on`, dates and `0o` without digits are text; `1.0` is the number 1, as in JSON.
"""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final[dict[str, bool | float | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((s + w for s in ("", "+") for w in (".inf", ".Inf", ".INF")), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
SUSPECT: Final = frozenset("0123456789+-.~nNtTfF")  # what a scalar that is not text begins with
_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_OTHER_BASE = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_MOST_DIGITS = 19  # longer ones become floats, as every number is in JSON's own language
_EXACT = 2**53


def resolve(text: str) -> str | float | bool | None:
    """The value of a plain scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text) if len(text) <= _MOST_DIGITS else _number(text)
    if _OTHER_BASE.match(text):
        whole = int(text[2:], 8 if text[1] == "o" else 16)
        return whole if whole < 1 << 64 else _as_float(whole)
    if _FLOAT.match(text):
        return _number(text)
    return text


def as_key(value: object) -> str:
    """A key that is not text, written as npm `yaml` does when it makes a plain object."""
    return "" if value is None else _inside_key(value)


def _inside_key(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case dict():
            inner = ", ".join(f"{key}: {_inside_key(item)}" for key, item in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case list():
            inner = ", ".join(map(_inside_key, value))
            return f"[ {inner} ]" if inner else "[]"
        case float() if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124
            return str(value).replace("inf", "Infinity").replace("nan", "NaN")
        case _:
            return str(value)


def _number(text: str) -> float:
    value = float(text)
    return int(value) if abs(value) < _EXACT and value.is_integer() else value


def _as_float(whole: int) -> float:
    try:
        return float(whole)
    except OverflowError:
        return float("inf")
