"""What `benchmarks.checks_faults` came to, by what the database and the webhook hold at the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.lines import Line
from sqlalchemy import Connection, func, select

from pilothouse.checks.store.tables import checks, days, findings, results, series
from pilothouse.kernel.alerts import rules
from pilothouse.kernel.alerts.store import alerts
from pilothouse.kernel.events import events

if TYPE_CHECKING:
    from benchmarks.checks_site import Forwarder, Late
    from tests.alerts.listening import Heard

    from pilothouse.kernel.tx import Database


@dataclass(slots=True)
class Tally:
    """What a run came to."""

    kills: Counter[str] = field(default_factory=Counter)  # by program
    points: Counter[str] = field(default_factory=Counter)
    longest: dict[str, float] = field(default_factory=dict)
    spooled: set[int] = field(default_factory=set)  # ids that lay on disk when their agent died
    held: dict[tuple[int, str], float] = field(default_factory=dict)
    breaks: Counter[str] = field(default_factory=Counter)  # by check
    mends: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    def waited(self, what: str, seconds: float) -> None:
        self.longest[what] = max(self.longest.get(what, 0.0), seconds)


def counted(db: Database, tally: Tally, agents: Forwarder, late: Late, heard: Heard) -> list[Line]:
    """The table."""
    with db.read() as tx:
        kept = set(tx.conn.execute(select(results.c.id)).scalars())
        rows = tx.conn.execute(
            select(checks.c.ref, findings)
            .join(checks, checks.c.id == findings.c.check_id)
            .order_by(checks.c.ref, findings.c.number)
        ).all()
        told = tx.conn.execute(
            select(events.c.id, events.c.type, events.c.dedup_key).where(
                events.c.type.like("checks.%") | events.c.type.like("alerts.%")
            )
        ).all()
        standing = tx.conn.execute(select(alerts.c.key, alerts.c.version)).all()
        wrong_days = _wrong_days(tx.conn)
    acknowledged = agents.acknowledged | late.acknowledged
    lost = acknowledged - kept
    unsent = tally.spooled - kept - agents.refused
    watched = [row for row in rows if row.ref.rpartition("/c")[2].isdigit()]
    opened_, over, doubled, other = _sequence(watched)
    breaks, mends = tally.breaks, tally.mends
    missed = sum((breaks - opened_).values()) + sum((mends - over).values())
    more = sum((opened_ - breaks).values()) + sum((over - mends).values())
    ids = {one.id for one in told}
    silent = sum(1 for one in rows if one.event_id and one.event_id not in ids)
    keys = Counter(one.dedup_key for one in told if one.dedup_key)
    twice = sum(number - 1 for number in keys.values())
    orphans = {one.id for one in told if one.type in ("checks.failed", "checks.recovered")}
    orphans -= {one.event_id for one in rows}
    got = Counter(headers["Pilothouse-Delivery"] for _, headers, _ in heard.got)
    untold = [one for one in standing if f"{rules.digest(one.key)}-{one.version}" not in got]
    extra, kills = got.total() - len(got), tally.kills.total()
    who = ", ".join(f"{number} {name}" for name, number in sorted(tally.kills.items()))
    named = sum(number for point, number in tally.points.items() if "random" not in point)
    found = f"{sum(breaks.values())} breaks and {sum(mends.values())} mends, {len(watched)} rows"
    waited, start = Counter(tally.longest), "longest, with its start"
    return [
        Line("programs killed", kills, "", note=f"{who}; {named} at named points"),
        Line("acknowledged results lost", len(lost), "", 0, note=f"of {len(acknowledged):,}"),
        Line("results lost that an agent had on disk", len(unsent), "", 0,
             note=f"of {len(tally.spooled):,} that lay there at its kill"),
        Line("findings missed", missed, "", 0, note=found),
        Line("findings doubled, or of nothing", doubled + more, "", 0,
             note=f"{doubled} said again, {more} more than there was cause; "
             f"{other} told of a wider or narrower scope"),
        Line("events missed, doubled or without a finding", silent + twice + len(orphans), "", 0,
             note=f"of {len(told):,}"),
        Line("series of days rolled up wrongly", wrong_days, "", 0,
             note=f"{len(late.acknowledged):,} results came late"),
        Line("alerts whose last words were not told", len(untold), "", 0,
             note=f"{len(standing)} alerts, {len(got):,} notifications"),
        Line("extra notifications per kill", extra / max(kills, 1), "", note=f"{extra} in all"),
        Line("server killed: results are taken again", waited["server"], "s", note=start),
        Line("agent killed: it reports again", waited["agent"], "s", note=start),
        Line("worker killed: its jobs are taken over", waited["job"], "s",
             note="longest; leases are 15 to 60 s"),
        Line("break to finding", waited["failed"], "s", note="longest"),
        Line("break to notification", waited["notification"], "s", note="longest"),
        Line("mend to recovery", waited["healthy"], "s", note="longest; 60 s are held on purpose"),
        Line("complaints in logs", len(tally.complaints), "", 0),
    ]  # fmt: skip


def _sequence(rows: Sequence[Any]) -> tuple[Counter[str], Counter[str], int, int]:
    """Findings opened and over by check, those that say again what was said, and those of scope."""
    opened_: Counter[str] = Counter()
    over: Counter[str] = Counter()
    doubled = other = 0
    last: dict[str, tuple[str, str, int]] = {}
    for one in rows:
        name = one.ref.rpartition("/")[2]
        state, scope, number = last.get(name, ("unknown", "", 0))
        doubled += (one.state, one.scope) == (state, scope) or one.number != number + 1
        if one.state == "failed" and state != "failed":
            opened_[name] += 1
        elif one.state != "failed" and state == "failed":
            over[name] += 1
        elif one.state == "failed":
            other += 1
        last[name] = (one.state, one.scope, one.number)
    return opened_, over, doubled, other


def _wrong_days(conn: Connection) -> int:
    """Days of series whose counts are not those of their raw results, of days that are over."""
    day = (results.c.id // (86_400_000 << 20)).label("day")
    today = int(time.time()) // 86_400
    hour = results.c.id // (3_600_000 << 20)
    raw = (
        select(results.c.series_id, day, func.count().label("number"))
        .join(series, series.c.id == results.c.series_id)
        .where(hour < series.c.rolled, day < today)
        .group_by(results.c.series_id, day)
    )
    truly = {(row.series_id, row.day): row.number for row in conn.execute(raw)}
    total = days.c.ok + days.c.degraded + days.c.failed + days.c.unable
    query = select(days.c.series_id, days.c.day, total.label("number")).where(days.c.day < today)
    kept = {(row.series_id, row.day): row.number for row in conn.execute(query)}
    return sum(truly.get(one, 0) != kept.get(one, 0) for one in truly.keys() | kept.keys())
