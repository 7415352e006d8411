"""What names, namespaces, tags, labels, kinds and apiVersions may look like.

Source: npm @backstage/catalog-model 1.10.1, KubernetesValidatorFunctions and makeValidator.
"""
# ruff: noqa: RUF001, RUF002 - letters that look Latin and are not are the subject here

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST = 63
_MOST_SUBDOMAIN = 253
_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_DNS_LABEL = re.compile(r"[a-z0-9]+(?:-+[a-z0-9]+)*")
_TAG = re.compile(r"[a-z0-9:+#]+(?:-[a-z0-9:+#]+)*")
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_VERSION = re.compile(r"[A-Za-z0-9]+")

NAME_EXPECTED: Final = "1 to 63 of A-Z a-z 0-9, with - _ . inside"
NAMESPACE_EXPECTED: Final = "1 to 63 of a-z 0-9, with - inside"
TAG_EXPECTED: Final = "1 to 63 of a-z 0-9 : + #, with single - inside"
KEY_EXPECTED: Final = (
    f"a name ({NAME_EXPECTED}), with a lower-case domain and / before it if need be"
)
LABEL_VALUE_EXPECTED: Final = f"nothing, or {NAME_EXPECTED}"
KIND_EXPECTED: Final = "1 to 63 of A-Z a-z 0-9, a letter first"
API_VERSION_EXPECTED: Final = "letters and digits, with a lower-case domain and / before if need be"

# Letters drawn like Latin ones, by the Latin letter (Unicode TR39, confusables).
_DRAWN_ALIKE: Final[dict[str, str]] = {
    "a": "аα", "b": "Ь", "c": "сϲ", "d": "ԁ", "e": "е", "g": "ց", "h": "һ", "i": "іι", "j": "јϳ",
    "k": "κ", "l": "ӏ", "m": "м", "n": "ո", "o": "оοσ", "p": "рρ", "q": "ԛ", "r": "г", "s": "ѕ",
    "t": "т", "u": "υ", "v": "ѵν", "w": "ԝ", "x": "хχ", "y": "уγ",
    "A": "АΑ", "B": "ВΒ", "C": "СϹ", "E": "ЕΕ", "F": "Ϝ", "H": "НΗ", "I": "ІΙ", "J": "ЈͿ",
    "K": "КΚ", "M": "МΜ", "N": "Ν", "O": "ОΟ", "P": "РΡ", "S": "Ѕ", "T": "ТΤ", "X": "ХΧ",
    "Y": "ҮΥ", "Z": "Ζ",
}  # fmt: skip
_LATIN: Final = {other: latin for latin, others in _DRAWN_ALIKE.items() for other in others}


class Lookalike(msgspec.Struct, frozen=True):
    """A letter that is not Latin and looks as if it were."""

    place: int  # counted from 1
    letter: str
    latin: str
    name: str  # "Cyrillic small letter es"


def is_name(value: Any) -> bool:
    return _is(value, _NAME)


def is_namespace(value: Any) -> bool:
    return _is(value, _DNS_LABEL)


def is_tag(value: Any) -> bool:
    return _is(value, _TAG)


def is_kind(value: Any) -> bool:
    return _is(value, _KIND)


def is_key(value: Any) -> bool:
    """Of labels and of annotations."""
    return _is_prefixed(value, is_name)


def is_label_value(value: Any) -> bool:
    return value == "" or is_name(value)


def is_api_version(value: Any) -> bool:
    return _is_prefixed(value, lambda part: _is(part, _VERSION))


def is_subdomain(value: Any) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= _MOST_SUBDOMAIN
        and all(map(is_namespace, value.split(".")))
    )


def lookalikes(text: str) -> tuple[Lookalike, ...]:
    """Every letter of a text that is drawn like a Latin one and is not: `сheckout` has one."""
    if text.isascii():
        return ()
    return tuple(
        Lookalike(place, letter, _LATIN[letter], unicodedata.name(letter, "").capitalize())
        for place, letter in enumerate(text, 1)
        if letter in _LATIN
    )


def in_latin(text: str) -> str:
    """The text as its reader sees it, look-alike letters replaced."""
    return text if text.isascii() else "".join(_LATIN.get(letter, letter) for letter in text)


def _is(value: Any, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and len(value) <= _MOST and pattern.fullmatch(value) is not None


def _is_prefixed(value: Any, is_last: Callable[[str], bool]) -> bool:
    if not isinstance(value, str):
        return False
    prefix, slash, last = value.partition("/")
    return is_subdomain(prefix) and is_last(last) if slash else is_last(value)
