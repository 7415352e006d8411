"""Results of agents: each is kept once or refused with why; then what they mean is judged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from pilothouse.checks.model.kept import (
    RANDOM_BITS,
    Check,
    Visit,
    WantedKind,
    first_id,
    instant_of,
)
from pilothouse.checks.model.plans import Posted, Taken
from pilothouse.checks.model.results import MOST_ASSERTIONS, Outcome, Result
from pilothouse.checks.model.verdicts import Standing
from pilothouse.checks.rules import standing
from pilothouse.checks.service import agents, judging
from pilothouse.checks.store import asking, reading, taking
from pilothouse.checks.store.taking import Series
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.faults import crash_point

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

KEPT = timedelta(days=14)  # raw results
AHEAD = timedelta(minutes=5)  # that an agent's clock may be
MOST_RESULTS = 1000  # of one post
MOST_BYTES = 400_000  # of one result
MOST_PHASES = 40
LONGEST_NAME = 200
LONGEST_TOTAL = 3_600_000.0  # ms
LONGEST_REASON = 1000
FIRST_FAILURES = 3  # of a streak are kept whole, then one an hour
HOUR = 3600 * 1000 << RANDOM_BITS  # of ids


class Arrived(msgspec.Struct, frozen=True):
    """A post as it came: each result is read by itself, so that a bad one stops no other."""

    agent: str
    location: str
    results: list[msgspec.Raw] = []
    waiting: int = 0
    references_failed: tuple[str, ...] = ()
    software: str = ""


class _Id(msgspec.Struct, frozen=True):
    id: int = 0


class Batch(msgspec.Struct, frozen=True):
    """A post whose results were read."""

    posted: Posted
    refused: list[tuple[int, str]]


def read(body: bytes) -> Batch:
    """A post. Raises Invalid for what is none; a result that is none is refused alone."""
    try:
        arrived = msgspec.json.decode(body, type=Arrived)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"the body is no post of an agent: {error}") from error
    if len(arrived.results) > MOST_RESULTS:
        raise Invalid(f"{len(arrived.results):,} results at once: post {MOST_RESULTS} at most")
    agents.check_name(arrived.agent, "agent")
    agents.check_name(arrived.location, "location")
    found: list[Result] = []
    refused: list[tuple[int, str]] = []
    for raw in arrived.results:
        try:
            found.append(_result(raw))
        except (msgspec.DecodeError, UnicodeDecodeError, Invalid) as error:
            refused.append((_id(raw), f"it cannot be read: {error}"))
    posted = Posted(
        agent=arrived.agent,
        location=arrived.location.lower(),
        results=tuple(found),
        waiting=max(0, min(arrived.waiting, 2**31 - 1)),
        references_failed=tuple(one[:1000] for one in arrived.references_failed[:50]),
        software=_text(arrived.software, LONGEST_NAME),
    )
    return Batch(posted, refused)


def _id(raw: msgspec.Raw) -> int:
    try:
        return msgspec.json.decode(raw, type=_Id).id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return 0


def _result(raw: msgspec.Raw) -> Result:
    size = len(memoryview(raw))
    if size > MOST_BYTES:
        raise Invalid(f"it has {size:,} bytes, more than {MOST_BYTES:,}")
    result = msgspec.json.decode(raw, type=Result)
    if not 0 < result.id < 2**63:
        raise Invalid("its id is none")
    if not 0 <= result.total <= LONGEST_TOTAL:
        raise Invalid(f"a total of {result.total} ms")
    if len(result.assertions) > MOST_ASSERTIONS or len(result.phases) > MOST_PHASES:
        raise Invalid("it has too many assertions or phases")
    return msgspec.structs.replace(
        result,
        fault=_text(result.fault, 8),
        reason=_text(result.reason, LONGEST_REASON),
        asked=result.asked if 0 <= result.asked < 2**31 else 0,
    )


def _text(text: str, most: int) -> str:
    """A text as every database can keep it."""
    return text[:most].replace("\0", "\ufffd")


class _Context(msgspec.Struct, frozen=True):
    """What the results of one post are read against."""

    checks: dict[str, Check]
    series: dict[int, Series]
    visits: dict[int, Visit]
    region: str


def take(tx: Tx, batches: Sequence[Batch]) -> tuple[list[Taken], set[str]]:
    """Keep the results of posts and judge what they touch, all or nothing.

    Returns the answers, and the locations of which visits are wanted now.
    """
    touched: set[int] = set()
    # In one order always, so that nobody waits for someone who waits for them.
    order = sorted(range(len(batches)), key=lambda at: _place(batches[at].posted))
    taken = {at: _take(tx, batches[at], touched) for at in order}
    crash_point("checks.storing")
    return [taken[at] for at in range(len(batches))], judging.judge(tx, touched)


def _place(posted: Posted) -> tuple[str, str]:
    return posted.location, posted.agent


def _take(tx: Tx, batch: Batch, touched: set[int]) -> Taken:
    """Keep the results of one post, and add the checks of which there is something new."""
    posted, refused = batch.posted, list(batch.refused)
    location = agents.location(tx, posted.location)
    if location is None:
        words = f"there is no location {posted.location!r}: it needs a ProbeLocation document"
        every = [*refused, *((one.id, words) for one in posted.results)]
        return Taken(0, 0, tuple(every))
    agents.heard(tx, posted)
    checks = reading.by_ref(tx.conn, {one.check for one in posted.results})
    fit: list[Result] = []
    for one in posted.results:
        why = _why_not(tx, one, posted.location, checks)
        if why:
            refused.append((one.id, why))
        else:
            fit.append(one)
    held = taking.locked(tx.conn, posted.location, {checks[one.check].id for one in fit})
    visits = asking.answered(tx.conn, {one.asked for one in fit if one.asked})
    context = _Context(checks, held, visits, location.region)
    new = _fresh(tx, fit, context)
    _keep(tx, new, context)
    touched.update(checks[one.check].id for one in new)
    return Taken(len(new), len(fit) - len(new), tuple(refused))


def _why_not(tx: Tx, one: Result, location: str, checks: dict[str, Check]) -> str:
    """Why a result is not kept; "" where it is."""
    if one.check not in checks:
        return f"there is no check {one.check[:200]}"
    if one.location != location:
        return f"it is from {one.location[:100]!r}, and posted by an agent at {location!r}"
    if one.id < first_id(tx.now - KEPT):
        return "it is more than 14 days old"
    if one.id > first_id(tx.now + AHEAD):
        ahead = round((instant_of(min(one.id, 2**62)) - tx.now).total_seconds())
        return f"it is {ahead} s in the future: set the clock of the agent's machine"
    return ""


def _fresh(tx: Tx, fit: Sequence[Result], context: _Context) -> list[Result]:
    """Those that are not kept yet, each once, in the order of their visits."""
    by_key = {(context.series[context.checks[one.check].id].id, one.id): one for one in fit}
    known = taking.known(tx.conn, list(by_key))
    new = [one for key, one in by_key.items() if key not in known]
    return sorted(new, key=lambda one: one.id)


def _keep(tx: Tx, new: Sequence[Result], context: _Context) -> None:
    pairs: list[tuple[Series, Result]] = []
    whole: list[tuple[Series, Result]] = []
    late: set[tuple[int, int]] = set()
    answers: dict[int, int] = {}
    for one in new:
        check = context.checks[one.check]
        held = context.series[check.id]
        pairs.append((held, one))
        visit = context.visits.get(one.asked)
        if visit is not None and (visit.check_id, visit.location) != (check.id, one.location):
            visit = None
        if visit is not None:
            answers.setdefault(visit.id, one.id)
        hour = one.id // HOUR
        if hour < held.rolled:
            late.add((held.id, hour))
        _step(held, one, check, visit, context.region)
        if _worth(held, one, visit):
            whole.append((held, one))
    taking.keep(tx.conn, pairs)
    taking.keep_details(tx.conn, whole)
    taking.stand(tx.conn, list(context.series.values()))
    taking.roll_again(tx.conn, late)
    asking.answer(tx.conn, answers)


def _step(held: Series, one: Result, check: Check, visit: Visit | None, region: str) -> None:
    """How the check stands there after this visit."""
    if one.id <= held.last_id:
        return
    held.last_id, held.newest = one.id, one
    if one.version and check.version and one.version != check.version:
        return  # it visited what the document said before
    held.standing = _stepped(held.standing, one, check, visit, region)


def _stepped(
    old: Standing | None, one: Result, check: Check, visit: Visit | None, region: str
) -> Standing | None:
    terms = judging.terms_of(check.spec, check.not_before)
    if old is not None and terms.not_before is not None and old.at < terms.not_before:
        old = None  # what it saw before the check was another, or was paused, is over
    confirms = visit is not None and visit.kind is WantedKind.CONFIRM
    at = instant_of(one.id)
    return standing.step(old, one, region=region, at=at, terms=terms, confirms=confirms)


def _worth(held: Series, one: Result, visit: Visit | None) -> bool:
    """Whether all of a result is kept: the first failures, then one an hour; what one asked for."""
    if visit is not None and visit.kind is WantedKind.RUN:
        return True
    if one.outcome is Outcome.OK:
        return False
    streak = held.standing.streak if held.standing else 0
    if streak <= FIRST_FAILURES or one.id - held.kept_id >= HOUR or one.evidence:
        held.kept_id = max(held.kept_id, one.id)
        return True
    return False
