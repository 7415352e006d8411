"""How the company tells its portal of deployments: CloudEvents, as any CI would."""

from __future__ import annotations

import http.client
import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pilothouse.demo.model import Company

BATCH = "application/cloudevents-batch+json"
PATIENCE = 20.0  # seconds
WEEKS = 8  # of history
PEOPLE = {
    "shop": ("mira", "jon", "wale"),
    "catalogue": ("jon", "wale"),
    "checkout": ("ines", "taro"),
    "payments": ("ines", "taro"),
    "sign-in": ("odile", "sam", "priya"),
}
A_WEEK = {"shop": 9, "catalogue": 5, "checkout": 6, "payments": 3, "sign-in": 2}
GOES_WRONG = 0.07  # share of deployments
FAST, SLOW = timedelta(minutes=2), timedelta(minutes=9)  # how long one takes


def version_at(at: datetime) -> str:
    """Which version a deployment of this moment has: year, week, minute of the week."""
    year, week, day = at.isocalendar()
    return f"{year % 100}.{week}.{(day - 1) * 1440 + at.hour * 60 + at.minute}"


def deployment(
    service: str, at: datetime, *, took: timedelta, status: str = "succeeded", env: str
) -> dict[str, Any]:
    """A deployment that has ended."""
    chance = random.Random(f"{service}{at}")  # noqa: S311  the same each time it is told
    version = version_at(at)
    data = {
        "entity": f"component:default/{service}",
        "environment": env,
        "version": version,
        "commit": f"{chance.getrandbits(160):040x}",
        "status": status,
        "by": chance.choice(PEOPLE[service]),
        "started_at": (at - took).isoformat(),
        "commit_at": (at - took - timedelta(minutes=chance.randint(12, 900))).isoformat(),
        "at": at.isoformat(),
    }
    return {
        "specversion": "1.0",
        "id": f"{service}-{env}-{version}-{status}",
        "source": "/chandlery/ci",
        "type": "pilothouse.deployment",
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "data": data,
    }


def history(now: datetime) -> list[dict[str, Any]]:
    """Weeks of deployments that were, oldest first."""
    events = [one for service in A_WEEK for one in _of(service, now)]
    return sorted(events, key=lambda event: event["time"])


def _of(service: str, now: datetime) -> Iterator[dict[str, Any]]:
    chance = random.Random(service)  # noqa: S311  the same history each time
    start = datetime(now.year, now.month, now.day, tzinfo=UTC) - timedelta(days=7 * WEEKS)
    for day in range(7 * WEEKS):
        date = start + timedelta(days=day)
        if date.weekday() > 4 or chance.random() > A_WEEK[service] / 5:
            continue
        for _ in range(max(1, A_WEEK[service] // 5)):
            at = date + timedelta(minutes=chance.randint(8 * 60, 17 * 60))
            took = chance.uniform(0.3, 1) * (SLOW - FAST) + FAST
            wrong = chance.random() < GOES_WRONG
            yield deployment(service, at - timedelta(minutes=30), took=took, env="staging")
            status = "failed" if wrong else "succeeded"
            yield deployment(service, at, took=took, status=status, env="production")


def tell(company: Company, events: Sequence[dict[str, Any]]) -> int:
    """Send them to the portal; the status of its answer, 503 when there is none."""
    to = urlsplit(company.portal)
    connection = http.client.HTTPConnection(to.hostname or "", to.port, timeout=PATIENCE)
    headers = {"content-type": BATCH, "authorization": f"Bearer {company.events_token}"}
    try:
        connection.request("POST", "/api/events", json.dumps(events), headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 503
    finally:
        connection.close()
