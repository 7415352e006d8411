"""Conditions of Gatus as expressions in CEL: `[BODY].user.name == pat(jo*)`."""

from __future__ import annotations

import re

import msgspec

from pilothouse.checks.formats.imported import duration, milliseconds, quoted

OPERATORS = ("==", "!=", "<=", ">=", "<", ">")
_SPLIT = re.compile(r"\s(==|!=|<=|>=|<|>)\s")
_CALL = re.compile(r"(len|has|pat|any)\((.*)\)", re.DOTALL)
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[([0-9]+)\]")
_TURNED = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_PLACES = {
    "[STATUS]": "status",
    "[IP]": "address",
    "[DNS_RCODE]": "rcode",
    "[RESPONSE_TIME]": "timing.total",
    "[CERTIFICATE_EXPIRATION]": "tls.expires_in",
}
_LENGTHS = frozenset({"timing.total", "tls.expires_in"})
IMPLIED = ""  # what we demand of every visit anyway
RESERVED = frozenset({"true", "false", "null", "in"})


class NoCounterpart(ValueError):
    """Why a condition cannot be said in CEL over our results."""


class Side(msgspec.Struct, frozen=True):
    """One side of a condition: an expression, or a value as it stands there."""

    text: str
    placed: bool  # it reads the result
    function: str = ""  # "len", "has" where it stands in one


def translated(condition: str, *, kind: str = "http") -> str:
    """The condition in CEL; IMPLIED where a visit that came to its end says as much.

    `kind` is the type of our check. Raises NoCounterpart with the reason.
    """
    parts = _SPLIT.split(condition.strip())
    if len(parts) != 3:  # noqa: PLR2004  two sides and what stands between
        raise NoCounterpart("it is not two values with ==, !=, <, <=, > or >= between them")
    left, operator, right = parts[0].strip(), parts[1], parts[2].strip()
    if "[" in right and not _read(left, kind).placed:
        left, operator, right = right, _TURNED[operator], left
    side = _read(left, kind)
    if left == "[CONNECTED]":
        return _connected(operator, right)
    if side.function == "has":
        return _has(side, operator, right)
    if not side.placed:
        raise NoCounterpart("neither side reads the result")
    return _compared(side, operator, right, kind)


def _connected(operator: str, right: str) -> str:
    if (operator, right) in {("==", "true"), ("!=", "false")}:
        return IMPLIED
    raise NoCounterpart("a check here is failed when it cannot connect, and cannot want that")


def _has(side: Side, operator: str, right: str) -> str:
    if right not in {"true", "false"} or operator not in {"==", "!="}:
        raise NoCounterpart("has() is compared with true or false only")
    wanted = (right == "true") == (operator == "==")
    whole, _, key = side.text.rpartition("[")
    if side.text.endswith('"]'):  # CEL's has() takes names only
        found = f"({key.removesuffix(']')} in {whole})"
    elif "." in side.text:
        found = f"has({side.text})"
    else:
        raise NoCounterpart("has() of the whole answer, or of a place in a list")
    return found if wanted else f"!{found}"


def _compared(side: Side, operator: str, right: str, kind: str) -> str:
    call = _CALL.fullmatch(right)
    if call and call[1] == "pat":
        return _pattern(side, operator, call[2])
    if call and call[1] == "any":
        return _any(side, operator, call[2])
    other = _read(right, kind) if "[" in right else None
    if other is not None and other.placed:
        return f"{side.text} {operator} {other.text}"
    if kind == "dns" and side.text == "answers":
        return _answers(operator, right)
    return f"{side.text} {operator} {_value(side, right, operator)}"


def _answers(operator: str, right: str) -> str:
    """What Gatus calls the body of a DNS answer is its record."""
    if operator not in {"==", "!="}:
        raise NoCounterpart("answers have no order")
    found = f"answers.exists(a, a == {quoted(right.removesuffix('.'))})"
    return found if operator == "==" else f"!{found}"


def _pattern(side: Side, operator: str, pattern: str) -> str:
    """Asterisks at the ends become contains, startsWith, endsWith; others a regular expression."""
    if operator not in {"==", "!="}:
        raise NoCounterpart("pat() is compared by == or != only")
    if side.text == "answers":
        matched = f"answers.exists(a, {_like('a', pattern)})"
    else:
        text = side.text if side.text in {"body", "address"} else f"string({side.text})"
        matched = _like(text, pattern)
    return matched if operator == "==" else f"!{matched}"


def _like(text: str, pattern: str) -> str:
    inner = pattern.strip("*")
    if "*" not in inner and "?" not in inner:
        before, after = pattern.startswith("*"), pattern.endswith("*")
        if before and after:
            return f"{text}.contains({quoted(inner)})"
        if before:
            return f"{text}.endsWith({quoted(inner)})"
        if after:
            return f"{text}.startsWith({quoted(inner)})"
    parts = (".*" if one == "*" else "." if one == "?" else re.escape(one) for one in pattern)
    return f"{text}.matches({quoted('(?s)^' + ''.join(parts) + '$')})"


def _any(side: Side, operator: str, listed: str) -> str:
    if operator not in {"==", "!="}:
        raise NoCounterpart("any() is compared by == or != only")
    values = [one.strip() for one in listed.split(",")]
    if any(value.startswith("pat(") for value in values):
        tests = [_compared(side, "==", value, "http") for value in values]
        found = f"({' || '.join(tests)})"
    elif side.text == "answers":
        found = f"answers.exists(a, a in [{', '.join(map(quoted, values))}])"
    else:
        found = f"{side.text} in [{', '.join(_value(side, one, '==') for one in values)}]"
    if operator == "==":
        return found
    return f"!{found}" if found.startswith("(") else f"!({found})"


def _value(side: Side, text: str, operator: str) -> str:
    """A value beside a place, of the type that the place has."""
    if side.text in _LENGTHS:
        return _length(text)
    if side.function == "len" or side.text == "status" or operator not in {"==", "!="}:
        if not _NUMBER.fullmatch(text):
            raise NoCounterpart(f"{text!r} is not a number")
        return text
    if side.text.startswith("json") and (_NUMBER.fullmatch(text) or text in {"true", "false"}):
        return text
    return quoted(text.removeprefix('"').removesuffix('"'))


def _length(text: str) -> str:
    """Milliseconds, or a duration of Go."""
    if _NUMBER.fullmatch(text):
        text = f"{text}ms"
    length = milliseconds(text)
    if length is None:
        raise NoCounterpart(f"{text!r} is not a length of time")
    if length == 0:
        return 'duration("0s")'
    written = duration(text) or "1ms"
    if written[-1] in "dw":  # CEL knows hours at most
        written = f"{round(length / 3_600_000)}h"
    return f'duration("{written}")'


def _read(text: str, kind: str) -> Side:
    call = _CALL.fullmatch(text)
    if call and call[1] in {"len", "has"}:
        inner = _read(call[2].strip(), kind)
        if not inner.placed or inner.function:
            raise NoCounterpart(f"{call[1]}() of what is not in the answer")
        size = f"{inner.text}.size()"
        return Side(size if call[1] == "len" else inner.text, placed=True, function=call[1])
    if text.startswith("[BODY]"):
        return Side(_body(text.removeprefix("[BODY]"), kind), placed=True)
    if text in _PLACES:
        return Side(_PLACES[text], placed=True)
    if text == "[DOMAIN_EXPIRATION]":
        raise NoCounterpart("no check here asks a registry when a domain expires")
    if text != "[CONNECTED]" and re.match(r"\[[A-Z_]+\]", text):
        raise NoCounterpart(f"{text} is not known here")
    return Side(text, placed=False)


def _body(path: str, kind: str) -> str:
    if kind == "dns":
        if path:
            raise NoCounterpart("an answer of DNS is no JSON")
        return "answers"
    if not path:
        return "body"
    if kind != "http":
        raise NoCounterpart(f"the answer of a {kind} check is not read as JSON")
    steps = list(_STEP.finditer(path))
    if "".join(step[0] for step in steps) != path:
        raise NoCounterpart(f"the path {path!r} is not made of keys and numbers")
    return "json" + "".join(_step(step) for step in steps)


def _step(step: re.Match[str]) -> str:
    if step[2] is not None:
        return f"[{step[2]}]"
    plain = _PLAIN_KEY.fullmatch(step[1]) and step[1] not in RESERVED
    return f".{step[1]}" if plain else f"[{quoted(step[1])}]"
