"""Which commits a deployment brought, as its source told."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pilothouse.deploys.model import Change, Deployment
from pilothouse.deploys.rules import measures, standing
from pilothouse.deploys.service import writing
from pilothouse.deploys.store import deliveries, deployments
from pilothouse.kernel.tx import Tx

AT_ONCE = 200  # deployments that a source is asked about in one go


class Answer(msgspec.Struct, frozen=True):
    """What a source knows of one deployment; None: nothing."""

    deployment: int
    commits: tuple[Change, ...] | None
    total: int = 0
    backwards: bool = False


def to_ask(tx: Tx, origin: str) -> list[Deployment]:
    """Deployments that a source is to be asked about."""
    return deployments.asked_of(tx.conn, origin, AT_ONCE)


def nothing_known(tx: Tx, origin: str) -> None:
    """A source has no history."""
    deployments.unask_all(tx.conn, origin)


def learn(tx: Tx, answers: Sequence[Answer]) -> None:
    """Write down what a source knew: commits, and with them the lead times."""
    deliveries.one_at_a_time(tx.conn)
    known = {one.id: one for one in deployments.by_ids(tx.conn, [a.deployment for a in answers])}
    changed: list[Deployment] = []
    for answer in answers:
        one = known.get(answer.deployment)
        if one is None or answer.commits is None:
            continue
        deployments.put_commits(tx.conn, one.id, answer.commits)
        deployments.count_commits(tx.conn, one.id, answer.total)
        changed.append(_learned(one, answer))
    deployments.change(tx.conn, changed)
    deployments.unask(tx.conn, [answer.deployment for answer in answers])
    writing.count_weeks(tx, [(one.entity, one.week) for one in changed if one.week])


def _learned(one: Deployment, answer: Answer) -> Deployment:
    commits = answer.commits or ()
    own = next((commit.at for commit in commits if commit.id == one.commit), one.commit_at)
    leads = [
        lead
        for commit in commits
        if (lead := standing.lead(commit.at, one.finished_at)) is not None
    ]
    lead = None if answer.backwards else measures.median(leads, 1)
    return msgspec.structs.replace(
        one,
        commits=answer.total,
        commit_at=own,
        lead_s=lead if lead is not None else standing.lead(own, one.finished_at),
        rollback=one.rollback or answer.backwards,
    )
