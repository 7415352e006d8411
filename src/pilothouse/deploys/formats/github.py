"""GitHub's webhooks (docs.github.com, "Webhook events and payloads"): what they tell us.

Fields are read one by one rather than by a strict shape: the real payloads of years differ, and
what is missing in one leaves the rest usable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from pilothouse.deploys.formats.parts import (
    LONGEST_URL,
    LONGEST_VERSION,
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

HOST = "github.com"  # whose annotation names the repository, wherever the instance is
ADDRESSES = ("html_url", "clone_url", "ssh_url")
KINDS = frozenset({"deployment", "deployment_status", "release", "workflow_run", "push"})
_DEPLOYS = re.compile(r"deploy|rollout|ship to|release to", re.IGNORECASE)
_TO = re.compile(r"\b(?:to|→)\s+([\w./-]+)\s*$", re.IGNORECASE)
_MOST_NAMED = 20


def repository_of(body: Mapping[str, Any]) -> str:
    """Its repository as annotations name it: "octo-org/octo-repo", in lower case."""
    return text_of(map_of(body, "repository").get("full_name")).lower()


def why_ignored(kind: str, body: Mapping[str, Any]) -> str:
    """In words why a message changes nothing; "" for one that may."""
    action = text_of(body.get("action"))
    if kind == "ping":
        return "a greeting: the webhook is set up"
    if kind not in KINDS:
        return f"{kind or 'a message without X-GitHub-Event'} says nothing about deployments"
    if not repository_of(body):
        return f"{kind} names no repository"
    if kind == "release" and action not in {"published", "released"}:
        return f"a release that was {action or 'touched'} is not a new version"
    if kind == "push" and body.get("deleted") is True:
        return "a branch or tag was deleted"
    return ""


def told(kind: str, body: Mapping[str, Any], received_at: datetime) -> Told:
    """What a message tells."""
    if why := why_ignored(kind, body):
        return Told(why=why)
    repository = repository_of(body)
    match kind:
        case "deployment":
            found = Told(reports=(_deployment(repository, body, received_at),))
        case "deployment_status":
            found = _deployment_status(repository, body, received_at)
        case "release":
            found = Told(reports=(_release(repository, body, received_at),))
        case "workflow_run":
            found = _workflow_run(repository, body, received_at)
        case _:
            found = _push(repository, body)
    addresses = addresses_of(map_of(body, "repository"), ADDRESSES, f"https://{HOST}/{repository}")
    return msgspec.structs.replace(found, host=HOST, repository=repository, addresses=addresses)


def _deployment(repository: str, body: Mapping[str, Any], received_at: datetime) -> Report:
    said, run = map_of(body, "deployment"), map_of(body, "workflow_run")
    at = time_of(said.get("created_at")) or received_at
    return _report(repository, said, run, Status.QUEUED, at)


def _deployment_status(repository: str, body: Mapping[str, Any], received_at: datetime) -> Told:
    said, status = map_of(body, "deployment"), map_of(body, "deployment_status")
    state = text_of(status.get("state"))
    if state not in WORDS:
        return Told(why=f"the state {state!r} of a deployment is not known")
    at = time_of(status.get("updated_at")) or time_of(status.get("created_at")) or received_at
    links = [status.get(name) for name in ("environment_url", "log_url", "target_url")]
    report = _report(
        repository,
        {**said, "environment": status.get("environment") or said.get("environment")},
        map_of(body, "workflow_run"),
        WORDS[state],
        at,
        next((text_of(link, LONGEST_URL) for link in links if link), ""),
    )
    return Told(reports=(report,))


def _report(
    repository: str,
    said: Mapping[str, Any],
    run: Mapping[str, Any],
    status: Status,
    at: datetime,
    url: str = "",
) -> Report:
    payload, commit = said.get("payload"), commit_of(text_of(said.get("sha")))
    given: Mapping[str, Any] = payload if isinstance(payload, dict) else {}
    environment = text_of(said.get("environment")) or "production"
    production = said.get("production_environment")
    task = text_of(said.get("task"))
    version = text_of(given.get("version"), LONGEST_VERSION)
    return Report(
        key=f"github:{repository}:{said.get('id')}",
        environment=environment,
        version=version or version_of(text_of(said.get("ref"), LONGEST_VERSION), commit),
        status=status,
        at=at,
        commit=commit,
        started_at=time_of(said.get("created_at")),
        by=_login(said, "creator") or _login(run, "actor"),
        url=url or text_of(run.get("html_url"), LONGEST_URL),
        source="github",
        host=HOST,
        repository=repository,
        hints=Hints(named=_named(given), words=(environment, task, text_of(run.get("name")))),
        production=True if production is True else None,
        rollback="rollback" in task.lower(),
        transient=said.get("transient_environment") is True,
    )


def _named(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """What a deployment's own payload calls the service, by the names that people use for it."""
    found: list[Any] = []
    for name in ("entity", "component", "service", "app", "entities", "components", "services"):
        value = payload.get(name)
        found += value if isinstance(value, list) else [value]
    return tuple(text_of(one) for one in found[:_MOST_NAMED] if isinstance(one, str) and one)


def _release(repository: str, body: Mapping[str, Any], received_at: datetime) -> Report:
    said = map_of(body, "release")
    tag, aim = text_of(said.get("tag_name"), LONGEST_VERSION), text_of(said.get("target_commitish"))
    at = time_of(said.get("published_at")) or received_at
    return Report(
        key=f"github:{repository}:release:{said.get('id')}",
        environment=RELEASE,
        version=tag,
        status=Status.SUCCEEDED,
        at=at,
        commit=whole_commit_of(aim),  # else it is a branch
        started_at=at,
        by=_login(said, "author"),
        url=text_of(said.get("html_url"), LONGEST_URL),
        source="github",
        host=HOST,
        repository=repository,
        hints=Hints(words=(tag,)),
        production=False,
    )


def _workflow_run(repository: str, body: Mapping[str, Any], received_at: datetime) -> Told:
    run, workflow = map_of(body, "workflow_run"), map_of(body, "workflow")
    head = map_of(run, "head_commit")
    commits = (_pushed(repository, head),) if _is_whole(head) else ()
    name = text_of(run.get("name")) or text_of(workflow.get("name"))
    path = text_of(workflow.get("path"))
    if not _DEPLOYS.search(f"{name} {path.rpartition('/')[2]}"):
        return Told(commits=commits, why=f"the workflow {name!r} is not called a deployment")
    if text_of(run.get("status")) != "completed":
        return Told(commits=commits, why="a workflow says what it came to when it has completed")
    status = WORDS.get(text_of(run.get("conclusion")))
    if status is None or status is Status.INACTIVE:
        ended = text_of(run.get("conclusion")) or "nothing"
        return Told(commits=commits, why=f"a workflow that ended as {ended} deployed nothing")
    match = _TO.search(name)
    environment = match[1] if match else "production"
    commit = commit_of(text_of(run.get("head_sha")))
    report = Report(
        key=f"github:{repository}:run:{run.get('id')}",
        environment=environment,
        version=version_of(text_of(run.get("head_branch")), commit),
        status=status,
        at=time_of(run.get("updated_at")) or received_at,
        commit=commit,
        started_at=time_of(run.get("run_started_at")) or time_of(run.get("created_at")),
        by=_login(run, "triggering_actor") or _login(run, "actor"),
        url=text_of(run.get("html_url"), LONGEST_URL),
        source="github",
        host=HOST,
        repository=repository,
        hints=Hints(words=(name, path)),
        unless_known=True,
        rollback="rollback" in name.lower(),
    )
    return Told(reports=(report,), commits=commits)


def _push(repository: str, body: Mapping[str, Any]) -> Told:
    said = body.get("commits")
    commits = [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []
    if isinstance(head := body.get("head_commit"), dict):
        commits = [*(one for one in commits if one.get("id") != head.get("id")), head]
    whole = [_pushed(repository, one) for one in commits[-MOST_COMMITS:] if _is_whole(one)]
    return Told(commits=tuple(whole), sync=True)


def _is_whole(commit: Mapping[str, Any]) -> bool:
    known = whole_commit_of(text_of(commit.get("id")))
    return bool(known) and time_of(commit.get("timestamp")) is not None


def _pushed(repository: str, commit: Mapping[str, Any]) -> Pushed:
    author = map_of(commit, "author")
    paths = [
        path
        for name in ("added", "removed", "modified")
        for path in (commit.get(name) or ())
        if isinstance(path, str)
    ]
    at = time_of(commit.get("timestamp"))
    assert at is not None  # noqa: S101  _is_whole has looked
    change = Change(
        whole_commit_of(text_of(commit.get("id"))),
        text_of(author.get("name")) or text_of(author.get("username")),
        at,
        first_line(commit.get("message")),
    )
    return Pushed(host=HOST, repository=repository, change=change, paths=tuple(paths[:MOST_PATHS]))


def _login(values: Mapping[str, Any], name: str) -> str:
    return text_of(map_of(values, name).get("login"))
