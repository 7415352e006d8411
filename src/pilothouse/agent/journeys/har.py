"""The waterfall of a failed walk as HAR 1.2, without bodies, cookies, tokens and query strings.

Source: http://www.softwareishard.com/blog/har-12-spec/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from pilothouse.agent.journeys import parties
from pilothouse.agent.journeys.watching import Line

MOST_BYTES = 2_000_000
_SECRET = ("cookie", "auth", "token", "secret", "key", "session", "csrf", "xsrf")
_ADDRESSES = ("location", "referer", "content-location", "origin", "link", "refresh")
_LONGEST, _TOO_LONG = 200, "(left out: long)"
_MOST_HEADERS = 40


def written(lines: Iterable[Line], begun: datetime, now: float) -> bytes:
    """The file. `now`: ms since `begun`, where what is under way is cut off."""
    entries = [_entry(line, begun, now) for line in lines]
    har = _file(entries)
    while len(har) > MOST_BYTES and entries:
        entries = entries[: len(entries) // 2]
        har = _file(entries)
    return har


def _file(entries: list[dict[str, Any]]) -> bytes:
    creator = {"name": "Pilothouse", "version": "1"}
    return msgspec.json.encode({"log": {"version": "1.2", "creator": creator, "entries": entries}})


def _entry(line: Line, begun: datetime, now: float) -> dict[str, Any]:
    ms = round((now if line.ended is None else line.ended) - line.begun, 1)
    failure = line.failure or ("still under way when the walk ended" if line.ended is None else "")
    return {
        "startedDateTime": (begun + timedelta(milliseconds=line.begun)).isoformat(),
        "time": ms,
        "request": {
            "method": line.method,
            "url": _address(line.url),
            "httpVersion": "",
            "cookies": [],
            "headers": _headers(line.asked),
            "queryString": [],
            "headersSize": -1,
            "bodySize": -1,
        },
        "response": {
            "status": line.status,
            "statusText": _whole(failure),
            "httpVersion": "",
            "cookies": [],
            "headers": _headers(line.answered),
            "content": {
                "size": line.size,
                "mimeType": _whole(line.answered.get("content-type", "")),
            },
            "redirectURL": _address(line.answered["location"])
            if "location" in line.answered
            else "",
            "headersSize": -1,
            "bodySize": line.size,
        },
        "cache": {},
        "timings": {"send": 0, "wait": ms, "receive": 0},
        "_resourceType": line.kind,
    }


def _headers(headers: Mapping[str, str]) -> list[dict[str, str]]:
    found = []
    for name, value in list(headers.items())[:_MOST_HEADERS]:
        lower = name.lower()
        if any(part in lower for part in _SECRET):
            shown = "(left out)"
        elif lower in _ADDRESSES:
            shown = _address(value, _LONGEST)
        else:
            shown = _whole(value)
        found.append({"name": name, "value": shown})
    return found


def _whole(text: str) -> str:
    """Secrets are taken out later, by who knows them: half of one would stay, so nothing is cut."""
    return text if len(text) <= _LONGEST else _TOO_LONG


def _address(url: str, most: int = 2000) -> str:
    whole = parties.bare(url, len(url) + 10)
    return whole if len(whole) <= most else _TOO_LONG
