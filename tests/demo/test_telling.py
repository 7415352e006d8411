"""What the company tells of its deployments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pilothouse.demo.company import telling
from pilothouse.deploys.formats import reports
from pilothouse.deploys.formats.cloudevents import read

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_its_history_is_eight_weeks_the_same_each_time_and_known_by_its_ids() -> None:
    events = telling.history(NOW)
    assert events == telling.history(NOW)
    times = [event["time"] for event in events]
    assert times == sorted(times)
    assert times[0] >= (NOW - timedelta(weeks=telling.WEEKS, days=1)).isoformat()
    assert times[-1] < NOW.isoformat()
    assert len({event["id"] for event in events}) == len(events)
    wrong = [event for event in events if event["data"]["status"] == "failed"]
    assert 0 < len(wrong) < len(events) / 5


def test_its_versions_rise() -> None:
    numbers = [telling.version_at(NOW + timedelta(minutes=ten)) for ten in range(0, 9000, 10)]
    keys = [tuple(map(int, number.split("."))) for number in numbers]
    assert keys == sorted(set(keys))


def test_the_portal_reads_each_of_them_as_a_deployment() -> None:
    import json

    events = telling.history(NOW)[:20]
    for event in read(telling.BATCH, {}, json.dumps(events).encode()):
        told = reports.told(event, NOW)
        assert told.reports, told.why
