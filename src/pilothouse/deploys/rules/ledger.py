"""The book of what runs where: one word about a deployment after another is written into it.

Pure: it holds what the words may touch, in memory, and what they changed of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from pilothouse.deploys.model import (
    ENDED,
    GOING_ON,
    RELEASE,
    WENT_LIVE,
    WRONG,
    Deployment,
    Happened,
    Report,
    Running,
    Status,
)
from pilothouse.deploys.rules import standing
from pilothouse.deploys.rules.environments import is_production, normal

Place = tuple[str, str]  # entity, environment
_KEY = 400  # characters of a sender's key that are kept
_replace = msgspec.structs.replace


@dataclass
class Ledger:
    """Deployments by key, and what runs where; new deployments have ids below zero."""

    deployments: dict[str, Deployment] = field(default_factory=dict)
    running: dict[Place, Running] = field(default_factory=dict)
    changed: dict[str, None] = field(default_factory=dict)
    moved: dict[Place, None] = field(default_factory=dict)
    happened: list[Happened] = field(default_factory=list)
    keys: dict[int, str] = field(default_factory=dict)
    weeks: dict[tuple[str, str], None] = field(default_factory=dict)  # to be counted again
    broken: dict[Place, dict[str, None]] = field(default_factory=dict)  # keys not recovered from

    def add(self, deployment: Deployment) -> None:
        """One that is known already."""
        self.deployments[deployment.key] = deployment
        self.keys[deployment.id] = deployment.key
        self._note_broken(deployment)

    def take(self, report: Report, entity: str, environment: str = "") -> Deployment | None:
        """Write one word into the book; the deployment that it changed, None when it changed none.

        `environment` stands for the report's own where an entity's name was cut off that.
        """
        place = (entity, normal(environment or report.environment))
        known = self._found(report, place)
        if known is None:
            if report.unless_known and self._is_known(report, place):
                return None
            if report.joins and report.status in {Status.INACTIVE, Status.ROLLED_BACK}:
                return None  # nothing runs there that could be taken away
            known = self._begin(report, place)
        elif not standing.moves(known.status, known.changed_at, report.status, report.at):
            self._complete(known, report)
            return None
        return self._move(known, report)

    def _found(self, report: Report, place: Place) -> Deployment | None:
        key = key_of(report, place[0])
        if key in self.deployments:
            return self.deployments[key]
        now = self.running.get(place)
        if not report.joins or now is None:
            return None
        gone = report.status in {Status.INACTIVE, Status.ROLLED_BACK}
        candidate = self._by_id(now.live if gone else now.latest)
        if candidate is None or not _is_meant(report, candidate):
            return None
        return candidate if gone or candidate.status in GOING_ON else None

    def _by_id(self, deployment_id: int | None) -> Deployment | None:
        key = self.keys.get(deployment_id) if deployment_id is not None else None
        return self.deployments.get(key) if key else None

    def _is_known(self, report: Report, place: Place) -> bool:
        """Whether the deployment of a commit was told of by a better witness."""
        now = self.running.get(place)
        if now is None or not report.commit:
            return False
        latest = self._by_id(now.latest)
        return report.commit in {now.commit, latest.commit if latest else ""}

    def _begin(self, report: Report, place: Place) -> Deployment:
        entity, environment = place
        production = report.production
        if production is None:
            production = environment != RELEASE and is_production(environment)
        now = self.running.get(place)
        made = Deployment(
            id=-1 - len(self.keys),
            key=key_of(report, entity),
            entity=entity,
            environment=environment,
            production=production,
            version=report.version,
            commit=report.commit,
            status=Status.QUEUED,
            started_at=min(report.started_at or report.at, report.at),
            changed_at=report.at,
            source=report.source,
            repository=report.repository,
            previous=now.live if now else None,
            previous_version=now.version if now else "",
            previous_commit=now.commit if now else "",
            rollback=report.rollback,
            commit_at=report.commit_at,
        )
        self.add(made)
        return made

    def _complete(self, known: Deployment, report: Report) -> None:
        """A word that changes nothing may still say by whom, or where one can look."""
        if (report.by and not known.by) or (report.url and not known.url):
            self._write(_replace(known, by=known.by or report.by, url=known.url or report.url))

    def _move(self, known: Deployment, report: Report) -> Deployment:
        status, place = report.status, (known.entity, known.environment)
        fresh = _replace(
            known,
            status=status,
            changed_at=report.at,
            by=known.by or report.by,
            url=report.url or known.url,
            version=known.version or report.version,
            commit=known.commit or report.commit,
            commit_at=known.commit_at or report.commit_at,
            finished_at=_finished(known, report),
        )
        now = self._seen(fresh, self.running.get(place))
        match status:
            case Status.SUCCEEDED:
                fresh = self._goes_live(fresh, now)
            case Status.FAILED:
                self._say("failed", fresh)
                self._stand(_replace(self._seen(fresh, now), broken=now.broken + 1))
            case Status.ROLLED_BACK:
                fresh = self._goes_back(fresh, now, report.at)
                self._say("rolled_back", fresh)
            case Status.INACTIVE:
                self._stand(self._taken_down(fresh, now))
            case _:
                self._stand(now)
                if status is Status.IN_PROGRESS:
                    self._say("started", fresh)
        return self._write(_ended(fresh))

    def _seen(self, one: Deployment, now: Running | None) -> Running:
        """The place with this as the newest that was tried there, if it is."""
        if now is None:
            return Running(
                entity=one.entity,
                environment=one.environment,
                production=one.production,
                latest=one.id,
                latest_version=one.version,
                latest_status=one.status,
                latest_at=one.started_at,
            )
        if now.latest != one.id and one.started_at < now.latest_at:
            return now
        return _replace(
            now,
            latest=one.id,
            latest_version=one.version,
            latest_status=one.status,
            latest_at=one.started_at,
            production=one.production,
        )

    def _goes_live(self, one: Deployment, now: Running) -> Deployment:
        at = one.finished_at
        if now.since is not None and at is not None and at < now.since:
            self._stand(now)  # told late: something newer runs already
            self._say("finished", one)
            return one
        past = ((now.version, now.commit), (now.before_version, now.before_commit))
        back = one.rollback or (
            now.live is not None
            and now.before is not None
            and standing.is_rollback(one.version, one.commit, past)
        )
        if now.live != one.id:
            one = _replace(
                one,
                previous=now.live,
                previous_version=now.version,
                previous_commit=now.commit,
                rollback=back,
            )
        replaced = self._by_id(now.live)
        if back and replaced is not None and replaced.id != one.id:
            self._roll_back(replaced, at)
        self._recover((one.entity, one.environment), at)
        moved = _replace(
            now,
            live=one.id,
            version=one.version,
            commit=one.commit,
            since=at,
            by=one.by,
            commits=None,
            before=one.previous,
            before_version=one.previous_version,
            before_commit=one.previous_commit,
            broken=0,
        )
        self._stand(moved)
        self._say("finished", one)
        return one

    def _roll_back(self, replaced: Deployment, at: datetime | None) -> None:
        if replaced.status in {Status.SUCCEEDED, Status.INACTIVE}:
            gone = _replace(replaced, status=Status.ROLLED_BACK, recovered_at=at)
            self._write(_ended(gone))
            self._say("rolled_back", gone)

    def _recover(self, place: Place, at: datetime | None) -> None:
        """Something works again: what went wrong before is recovered from."""
        for key in list(self.broken.get(place, ())):
            wrong = self.deployments[key]
            if at is not None and wrong.finished_at is not None and wrong.finished_at <= at:
                self._write(_replace(wrong, recovered_at=at))

    def _goes_back(self, one: Deployment, now: Running, at: datetime) -> Deployment:
        """It was taken back: recovered from, where something runs that is not it."""
        if now.live == one.id:
            self._stand(self._taken_away(one, now, at))
            if one.previous is None:
                return one
            self._recover((one.entity, one.environment), at)
            return _replace(one, recovered_at=at)
        self._stand(now)
        if now.live is None or now.since is None or one.finished_at is None:
            return one
        replaced = now.since >= one.finished_at  # told late: it was over when that went live
        return _replace(one, recovered_at=now.since if replaced else at)

    def _taken_away(self, one: Deployment, now: Running, at: datetime) -> Running:
        """What had run before it runs again."""
        return _replace(
            now,
            live=one.previous,
            version=one.previous_version,
            commit=one.previous_commit,
            since=at,
            commits=None,
            before=one.id,
            before_version=one.version,
            before_commit=one.commit,
            broken=now.broken + 1 if one.previous is None else 0,
        )

    def _taken_down(self, one: Deployment, now: Running) -> Running:
        if now.live != one.id:
            return now
        return _replace(now, live=None, version="", commit="", commits=None)

    def _write(self, one: Deployment) -> Deployment:
        for version in (self.deployments.get(one.key), one):
            if version is not None and version.week is not None:
                self.weeks[one.entity, version.week] = None
        self.deployments[one.key] = one
        self.changed[one.key] = None
        self._note_broken(one)
        return one

    def _note_broken(self, one: Deployment) -> None:
        keys = self.broken.setdefault((one.entity, one.environment), {})
        if one.status in WRONG and one.recovered_at is None:
            keys[one.key] = None
        else:
            keys.pop(one.key, None)

    def _stand(self, running: Running) -> None:
        place = (running.entity, running.environment)
        self.running[place] = running
        self.moved[place] = None

    def _say(self, what: str, one: Deployment) -> None:
        if one.environment != RELEASE or what == "finished":
            self.happened.append(Happened(what, one.key))


def key_of(report: Report, entity: str) -> str:
    """The key of the deployment of one entity that a report is about."""
    return f"{report.key[:_KEY]}:{entity}"


def _finished(known: Deployment, report: Report) -> datetime | None:
    """When it went live, or failed; what failed and is taken back went wrong when it failed."""
    ended = report.status in ENDED
    if report.status is Status.INACTIVE and known.status in GOING_ON:
        ended = False
    over = known.status in WENT_LIVE or report.status is Status.ROLLED_BACK
    if not ended or (over and known.finished_at is not None):
        return known.finished_at
    return report.at


def _is_meant(report: Report, one: Deployment) -> bool:
    if not report.version and not report.commit:
        return True
    if report.commit and one.commit:
        return report.commit == one.commit
    return report.version == one.version


def _ended(one: Deployment) -> Deployment:
    """With its week and lead time, where it has ended in production."""
    if one.finished_at is None or one.status not in ENDED:
        return _replace(one, week=None, lead_s=None)
    lead = standing.lead(one.commit_at, one.finished_at) if one.status in WENT_LIVE else None
    week = standing.monday(one.finished_at) if one.production else None
    return _replace(one, week=week, lead_s=one.lead_s if one.lead_s is not None else lead)
