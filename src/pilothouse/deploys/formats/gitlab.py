"""GitLab's webhooks (docs.gitlab.com, "Webhook events"): what they tell us."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from pilothouse.deploys.formats.parts import (
    LONGEST_NAME,
    LONGEST_URL,
    MOST_COMMITS,
    MOST_PATHS,
    WORDS,
    addresses_of,
    first_line,
    map_of,
    text_of,
    time_of,
)
from pilothouse.deploys.formats.versions import commit_of, version_of, whole_commit_of
from pilothouse.deploys.model import RELEASE, Change, Hints, Pushed, Report, Status, Told

HOST = "gitlab.com"  # whose annotation names the project, wherever the instance is
ADDRESSES = ("web_url", "git_http_url", "git_ssh_url")
KINDS = frozenset({"deployment", "pipeline", "push", "tag_push", "release"})
_COMMIT_URL = re.compile(r"/commit/([0-9a-f]{40,64})\b")
_ZEROS = re.compile(r"0+")


def repository_of(body: Mapping[str, Any]) -> str:
    """Its project as annotations name it: "group/project", in lower case."""
    project = map_of(body, "project")
    path = text_of(project.get("path_with_namespace"))
    if not path:
        path = urlsplit(text_of(project.get("web_url"), LONGEST_URL)).path.strip("/")
    return path.lower()[:LONGEST_NAME]


def kind_of(body: Mapping[str, Any]) -> str:
    return text_of(body.get("object_kind")) or text_of(body.get("event_name"))


def why_ignored(body: Mapping[str, Any]) -> str:
    """In words why a message changes nothing; "" for one that may."""
    kind = kind_of(body)
    if kind not in KINDS:
        return f"{kind or 'a message without object_kind'} says nothing about deployments"
    if not repository_of(body):
        return f"{kind} names no project"
    if kind in {"push", "tag_push"} and _ZEROS.fullmatch(text_of(body.get("after"))):
        return "a branch or tag was deleted"
    return ""


def told(body: Mapping[str, Any], received_at: datetime) -> Told:
    """What a message tells."""
    if why := why_ignored(body):
        return Told(why=why)
    repository = repository_of(body)
    match kind_of(body):
        case "deployment":
            found = _deployment(repository, body, received_at)
        case "pipeline":
            found = _pipeline(repository, body, received_at)
        case "release":
            found = _release(repository, body, received_at)
        case _:
            found = _push(repository, body)
    addresses = addresses_of(map_of(body, "project"), ADDRESSES, f"https://{HOST}/{repository}")
    return msgspec.structs.replace(found, host=HOST, repository=repository, addresses=addresses)


def _deployment(repository: str, body: Mapping[str, Any], received_at: datetime) -> Told:
    word = text_of(body.get("status"))
    if word not in WORDS:
        return Told(why=f"a deployment that is {word or 'without a status'} changes nothing")
    match = _COMMIT_URL.search(text_of(body.get("commit_url"), LONGEST_URL))
    commit = commit_of(match[1] if match else text_of(body.get("short_sha")))
    environment = text_of(body.get("environment")) or "production"
    tier = text_of(body.get("environment_tier"))
    number = body.get("deployment_id") or body.get("deployable_id")
    link = body.get("environment_external_url") or body.get("deployable_url")
    report = Report(
        key=f"gitlab:{repository}:{number}",
        environment=environment,
        version=version_of(text_of(body.get("ref")), commit),
        status=WORDS[word],
        at=time_of(body.get("status_changed_at")) or received_at,
        commit=commit,
        by=_person(body),
        url=text_of(link, LONGEST_URL),
        source="gitlab",
        host=HOST,
        repository=repository,
        hints=Hints(words=(environment, text_of(body.get("ref")))),
        production=True if tier == "production" else None,
    )
    return Told(reports=(report,))


def _pipeline(repository: str, body: Mapping[str, Any], received_at: datetime) -> Told:
    said, commit = map_of(body, "object_attributes"), map_of(body, "commit")
    commits = (_pushed(repository, commit),) if _is_whole(commit) else ()
    sha = commit_of(text_of(said.get("sha")) or text_of(commit.get("id")))
    builds = [one for one in body.get("builds") or () if isinstance(one, dict)]
    reports = [
        report
        for one in builds
        if (report := _build(repository, one, said, received_at)) is not None
    ]
    if not reports:
        return Told(commits=commits, why="a pipeline none of whose jobs has ended a deployment")
    whole = [_with_commit(report, sha, _person(body)) for report in reports]
    return Told(reports=tuple(whole), commits=commits)


def _with_commit(report: Report, sha: str, by: str) -> Report:
    version = version_of(report.version, sha)
    return msgspec.structs.replace(report, commit=sha, version=version, by=report.by or by)


def _build(
    repository: str, job: Mapping[str, Any], pipeline: Mapping[str, Any], received_at: datetime
) -> Report | None:
    """The deployment that a job of a pipeline was; None for a job that deploys nothing."""
    environment, status = map_of(job, "environment"), WORDS.get(text_of(job.get("status")))
    name = text_of(environment.get("name"))
    if not name or text_of(environment.get("action")) not in {"start", ""}:
        return None
    if status is None or status not in (Status.SUCCEEDED, Status.FAILED):
        return None
    return Report(
        key=f"gitlab:{repository}:job:{job.get('id')}",
        environment=name,
        version=text_of(pipeline.get("ref")),
        status=status,
        at=time_of(job.get("finished_at")) or received_at,
        started_at=time_of(job.get("started_at")),
        by=_person(job),
        url=text_of(pipeline.get("url"), LONGEST_URL),
        source="gitlab",
        host=HOST,
        repository=repository,
        hints=Hints(words=(name, text_of(job.get("name")))),
        production=True if environment.get("deployment_tier") == "production" else None,
        unless_known=True,
    )


def _release(repository: str, body: Mapping[str, Any], received_at: datetime) -> Told:
    if text_of(body.get("action")) != "create":
        return Told(why="only a new release is a new version")
    at = time_of(body.get("released_at")) or received_at
    commit, tag = map_of(body, "commit"), text_of(body.get("tag"))
    report = Report(
        key=f"gitlab:{repository}:release:{body.get('id')}",
        environment=RELEASE,
        version=tag,
        status=Status.SUCCEEDED,
        at=at,
        started_at=at,
        commit=whole_commit_of(text_of(commit.get("id"))),
        url=text_of(body.get("url"), LONGEST_URL),
        source="gitlab",
        host=HOST,
        repository=repository,
        hints=Hints(words=(tag,)),
        production=False,
    )
    commits = (_pushed(repository, commit),) if _is_whole(commit) else ()
    return Told(reports=(report,), commits=commits)


def _push(repository: str, body: Mapping[str, Any]) -> Told:
    said = [one for one in body.get("commits") or () if isinstance(one, dict)]
    whole = [_pushed(repository, one) for one in said[-MOST_COMMITS:] if _is_whole(one)]
    return Told(commits=tuple(whole), sync=True)


def _is_whole(commit: Mapping[str, Any]) -> bool:
    known = whole_commit_of(text_of(commit.get("id")))
    return bool(known) and time_of(commit.get("timestamp")) is not None


def _pushed(repository: str, commit: Mapping[str, Any]) -> Pushed:
    paths = [
        path
        for name in ("added", "removed", "modified")
        for path in (commit.get(name) or ())
        if isinstance(path, str)
    ]
    at = time_of(commit.get("timestamp"))
    assert at is not None  # noqa: S101  _is_whole has looked
    author = text_of(map_of(commit, "author").get("name"))
    known = whole_commit_of(text_of(commit.get("id")))
    change = Change(known, author, at, first_line(commit.get("message")))
    return Pushed(host=HOST, repository=repository, change=change, paths=tuple(paths[:MOST_PATHS]))


def _person(values: Mapping[str, Any]) -> str:
    user = map_of(values, "user")
    return text_of(user.get("username")) or text_of(user.get("name"))
